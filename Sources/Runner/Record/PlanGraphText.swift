// The plan as a picture: Mermaid or Graphviz text, loops as boxes, nodes coloured by what a run would do with them.

import JSON

package struct PlanGraphText {
  package enum Language: String, CaseIterable, Sendable { case mermaid, dot }

  private let plan: Plan
  private let decisions: [Decision]

  package init(_ plan: Plan, _ decisions: [Decision]) {
    self.plan = plan
    self.decisions = decisions
  }

  /// A loop, or one iteration of it, with what stands in it in the order of the plan.
  private final class Box {
    let name: String
    var nodes: [(index: Int, label: String)] = []
    var boxes: [Box] = []
    init(_ name: String) { self.name = name }
  }

  private var root: Box {
    let root = Box("")
    var boxes: [UTF8Key: Box] = [:]
    for node in plan.nodes {
      let parts = PlanAddress.parts(of: node.address)
      var box = root
      for depth in parts.indices.dropLast() {
        let name = parts[...depth].joined(separator: ".")
        if let known = boxes[UTF8Key(name)] {
          box = known
        } else {
          let inner = Box(name)
          boxes[UTF8Key(name)] = inner
          box.boxes.append(inner)
          box = inner
        }
      }
      box.nodes.append((node.index, parts.last ?? node.address))
    }
    return root
  }

  /// An edge for each pair of nodes, labelled with the outputs that pass; dotted for `needs`.
  private var edges: [(from: Int, to: Int, label: String, isData: Bool)] {
    plan.nodes.flatMap { node in
      var outputs: [(from: Int, names: [String])] = []
      for input in node.inputs {
        guard case .node(let from, let output) = input.source else { continue }
        if let place = outputs.firstIndex(where: { $0.from == from }) {
          if !outputs[place].names.contains(output) { outputs[place].names.append(output) }
        } else {
          outputs.append((from, [output]))
        }
      }
      return outputs.map { ($0.from, node.index, $0.names.joined(separator: ", "), true) }
        + node.after.filter { after in !outputs.contains { $0.from == after } }.map {
          ($0, node.index, "needs", false)
        }
    }
  }

  package func text(_ language: Language) -> String {
    switch language {
    case .mermaid: mermaid
    case .dot: dot
    }
  }

  private func state(_ index: Int) -> String {
    switch decisions[index] {
    case .cached: "cached"
    case .willRun: "run"
    case .waits: "waits"
    case .skipped: "skipped"
    }
  }

  private static let colors = [
    ("cached", "#d9ead3"), ("run", "#fce5cd"), ("waits", "#eeeeee"), ("skipped", "#ffffff"),
  ]

  // MARK: mermaid

  private var mermaid: String {
    var text = "flowchart TD\n"
    var count = 0
    func write(_ box: Box, _ indent: String) {
      for (index, label) in box.nodes {
        text += "\(indent)n\(index)[\"\(PlanGraphText.entity(label))\"]:::\(state(index))\n"
      }
      for inner in box.boxes {
        text += "\(indent)subgraph g\(count) [\"\(PlanGraphText.entity(inner.name))\"]\n"
        count += 1
        write(inner, indent + "  ")
        text += "\(indent)end\n"
      }
    }
    write(root, "  ")
    for edge in edges {
      let arrow = edge.isData ? "-->" : "-.->"
      text += "  n\(edge.from) \(arrow)|\"\(PlanGraphText.entity(edge.label))\"| n\(edge.to)\n"
    }
    for (name, color) in PlanGraphText.colors {
      text += "  classDef \(name) fill:\(color),stroke:#666,color:#111\n"
    }
    return text
  }

  /// Inside quotes Mermaid takes everything but the quote, `#` and `;`, which begin and end its entities, and markup.
  private static func entity(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      "\"#;<>&`\\".unicodeScalars.contains(scalar) || scalar.value < 0x20
        ? "#\(scalar.value);" : String(scalar)
    }.joined()
  }

  // MARK: dot

  private var dot: String {
    var text =
      "digraph plan {\n  rankdir=TB\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"]\n"
    var count = 0
    func write(_ box: Box, _ indent: String) {
      for (index, label) in box.nodes {
        let color = PlanGraphText.colors.first { $0.0 == state(index) }?.1 ?? "#ffffff"
        text +=
          "\(indent)n\(index) [label=\"\(PlanGraphText.quoted(label))\", fillcolor=\"\(color)\", tooltip=\"\(state(index))\"]\n"
      }
      for inner in box.boxes {
        text +=
          "\(indent)subgraph cluster_\(count) {\n\(indent)  label=\"\(PlanGraphText.quoted(inner.name))\"\n"
        count += 1
        write(inner, indent + "  ")
        text += "\(indent)}\n"
      }
    }
    write(root, "  ")
    for edge in edges {
      text +=
        "  n\(edge.from) -> n\(edge.to) [label=\"\(PlanGraphText.quoted(edge.label))\""
        + (edge.isData ? "" : ", style=dotted") + "]\n"
    }
    return text + "}\n"
  }

  private static func quoted(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case _ where scalar.value < 0x20: " "
      default: String(scalar)
      }
    }.joined()
  }
}

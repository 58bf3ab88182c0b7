// The stages of a run as a graph: a loop's iterations are one, with edges that go to the next iteration.

import Charts
import JSON
import Runner
import System

enum StageGraph {
  /// Nil of more than so many stages.
  static func drawing(of contents: RunContents, most: Int) -> GraphDrawing? {
    var families: [(name: String, stage: String, count: Int, done: Int)] = []
    var places: [UTF8Key: Int] = [:]
    func family(_ address: String) -> UTF8Key { UTF8Key(PlanAddress.withoutIterations(address)) }
    for node in contents.nodes {
      let isDone = node.state == .done || node.state == .cached
      if let place = places[family(node.address)] {
        families[place].count += 1
        families[place].done += isDone ? 1 : 0
      } else {
        places[family(node.address)] = families.count
        families.append(
          (PlanAddress.withoutIterations(node.address), node.stage, 1, isDone ? 1 : 0))
      }
    }
    guard families.count <= most else { return nil }
    var edges: [GraphDrawing.Edge] = []
    var seen: Set<GraphDrawing.Edge> = []
    for node in contents.nodes {
      guard let to = places[family(node.address)] else { continue }
      for source in node.inputs.flatMap(\.sources) {
        guard let dot = source.utf8.lastIndex(of: UInt8(ascii: ".")) else { continue }
        let producer = String(source[..<dot])
        guard let from = places[family(producer)] else { continue }
        let isCarried =
          from == to
          || (PlanAddress.iteration(producer).map { $0 < PlanAddress.iteration(node.address) ?? $0 } ?? false)
        let edge = GraphDrawing.Edge(from: from, to: to, isCarried: isCarried)
        if seen.insert(edge).inserted { edges.append(edge) }
      }
    }
    // What is both needed in the same iteration and carried is drawn once.
    edges = edges.filter { edge in
      !edge.isCarried || !seen.contains(GraphDrawing.Edge(from: edge.from, to: edge.to))
    }
    let nodes = families.map { family in
      let count = family.count > 1 ? " × \(family.count)" : ""
      let state = family.done == family.count ? "" : family.done == 0 ? ", not done" : ", \(family.done) done"
      let parts = PlanAddress.parts(of: family.name)
      return GraphDrawing.Node(
        family.name, note: "\(family.stage)\(count)\(state)",
        group: parts.count > 1 ? parts.dropLast().joined(separator: ".") : nil)
    }
    return GraphDrawing(nodes, edges)
  }
}

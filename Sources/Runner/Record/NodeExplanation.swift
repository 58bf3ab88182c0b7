// `explain-node`: what a node's key is made of, field by field, each with where it comes from and what it was before.

import JSON
import System

package struct NodeExplanation {
  package enum Mark: String, Sendable {
    case same = " "
    case changed = "~"
    case added = "+"
    case gone = "-"
  }

  package struct Field {
    package let mark: Mark
    /// `option`, `input`, `stage`, …; as in a preimage's differences.
    package let field: KeyDifference.Field
    /// Dotted; empty for fields that are one value.
    package let name: String
    /// Nil where it is gone, or not known before something upstream has run.
    package let value: JSON?
    package let earlier: JSON?
    package let origin: String
  }

  package let node: PlanNode
  package let decision: Decision
  /// Nil while something upstream has not run.
  package let key: String?
  package let fields: [Field]
  package let earlier: NodeRecord?

  /// `history`: keys this address had in earlier runs, the newest first.
  package init(_ node: PlanNode, in resolution: inout Resolution, history: [String]) throws {
    self.node = node
    var decision = Decision.waits(on: [])
    for index in 0...node.index { decision = try resolution.decide(index) }
    self.decision = decision
    let declaration = try resolution.declaration(of: node)
    let isKnown =
      switch decision {
      case .cached, .willRun: true
      case .waits, .skipped: false
      }
    key = isKnown ? try resolution.key(of: node).hex : nil
    let digests = resolution.bound(node).map {
      (
        port: $0.port, label: $0.label,
        digest: resolution.keyPart(of: $0) ?? .null
      )
    }
    let preimage = ContentKey.preimage(
      node, declaration, inputs: digests, files: try resolution.fileDigests(of: node))
    earlier = try NodeExplanation.nearest(node, key: key, preimage, resolution, history)
    let new = NodeExplanation.leaves(of: preimage)
    let old = earlier.map { NodeExplanation.leaves(of: $0.preimage) } ?? []
    var fields: [Field] = []
    for leaf in new {
      let before = old.first { $0.field == leaf.field && UTF8Key($0.name) == UTF8Key(leaf.name) }?.value
      let value: JSON? = leaf.value.isNull && leaf.field == .input ? .none : leaf.value
      let mark: Mark =
        earlier == nil || value == nil || before == value ? .same : before == nil ? .added : .changed
      fields.append(
        Field(
          mark: mark, field: leaf.field, name: leaf.name, value: value, earlier: before,
          origin: NodeExplanation.origin(of: leaf, node, resolution)))
    }
    for leaf in old
    where !new.contains(where: { $0.field == leaf.field && UTF8Key($0.name) == UTF8Key(leaf.name) }) {
      fields.append(
        Field(mark: .gone, field: leaf.field, name: leaf.name, value: nil, earlier: leaf.value, origin: ""))
    }
    self.fields = fields
  }

  // MARK: the earlier record

  /// The last record of this address under another key; else, of all that this experiment last ran of the same plug-in, the
  /// one with the fewest differences.
  private static func nearest(
    _ node: PlanNode, key: String?, _ preimage: JSON, _ resolution: Resolution, _ history: [String]
  ) throws -> NodeRecord? {
    let last = resolution.lastKeys[UTF8Key(node.address)].map { [$0] } ?? []
    for candidate in last + history where candidate != key {
      if let record = try resolution.store.unverifiedRecord(candidate) { return record }
    }
    var best: (record: NodeRecord, differences: Int)?
    let others = resolution.lastKeys.sorted {
      $0.key.string.utf8.lexicographicallyPrecedes($1.key.string.utf8)
    }
    for (_, candidate) in others.prefix(1000) where candidate != key {
      guard let record = try resolution.store.unverifiedRecord(candidate),
        record.preimage["stage"]?.stringValue == node.stage
      else { continue }
      let count = ContentKey.differences(from: record.preimage, to: preimage).count
      if count < best?.differences ?? .max { best = (record, count) }
    }
    return best?.record
  }

  // MARK: fields

  private typealias Leaf = (field: KeyDifference.Field, name: String, value: JSON)

  /// The preimage as one line a value; lists and files are one value.
  private static func leaves(of preimage: JSON) -> [Leaf] {
    var leaves: [Leaf] = []
    func visit(_ field: KeyDifference.Field, _ name: String, _ value: JSON?) {
      guard let value else { return }
      if case .object(let object) = value, object["sha256"] == nil, !object.isEmpty {
        for member in object.members {
          visit(field, name.isEmpty ? member.key : "\(name).\(member.key)", member.value)
        }
      } else if !(name.isEmpty && value.objectValue?.isEmpty == true) {
        leaves.append((field, name, value))
      }
    }
    visit(.format, "", preimage["format"])
    visit(.stage, "", preimage["stage"])
    visit(.version, "", preimage["version"])
    visit(.option, "", preimage["options"])
    visit(.input, "", preimage["inputs"])
    visit(.seed, "", preimage["seed"])
    visit(.numerics, "", preimage["numerics"])
    return leaves
  }

  private static func origin(of leaf: Leaf, _ node: PlanNode, _ resolution: Resolution) -> String {
    switch leaf.field {
    case .format, .version: return "this program"
    case .stage: return "`uses`, or the stage's name"
    case .option: return resolution.origin(of: leaf.name, node)?.text ?? ""
    case .seed: return "the experiment's or the stage's `seed`, the plug-in, the iterations"
    case .numerics: return leaf.name == "mode" ? "`numeric` of the experiment" : "this program"
    case .input:
      if let written = resolution.serverOrigin(of: leaf.name, node) { return written.text }
      guard let input = node.inputs.first(where: { UTF8Key($0.port) == UTF8Key(leaf.name) }) else {
        return ""
      }
      switch input.source {
      case .node(let index, let output): return "\(resolution.plan.nodes[index].address).\(output)"
      case .model(let name): return "model \(name)"
      }
    }
  }

  // MARK: what is shown

  package var text: String {
    var rows: [[String]] = []
    for field in fields {
      let name = [field.field.rawValue, field.name].filter { !$0.isEmpty }.joined(separator: " ")
      let value =
        field.value.map { NodeExplanation.show($0, field) }
        ?? (field.mark == .gone ? "(none)" : "(not known yet)")
      let before = field.earlier.map { NodeExplanation.show($0, field) } ?? "(none)"
      rows.append([
        field.mark.rawValue, name, value, field.mark == .same ? "" : "was \(before)", field.origin,
      ])
    }
    let widths = (0..<4).map { column in
      rows.map { TextTable.width(TerminalText.escaped($0[column])) }.max() ?? 0
    }
    let against =
      earlier.map { "\($0.key), \($0.address), which took \(duration($0.seconds))" }
      ?? "nothing: no earlier record of this address or of `\(node.stage)`"
    let head = [
      "\(node.address)  \(state)", "key      \(key ?? "not known before the upstream stages have run")",
      "recipe   \(node.recipeKey)", "against  \(against)", "",
    ]
    var text = head.map { TerminalText.escaped($0) + "\n" }.joined()
    for row in rows {
      var line = ""
      for (column, cell) in row.enumerated() where column == 4 || widths[column] > 0 {
        let plain = TerminalText.escaped(cell)
        line +=
          (column == 0 ? "" : "  ") + (column == 4 ? plain : TextTable.padded(plain, to: widths[column]))
      }
      text += TextTable.withoutTrailingSpaces(line) + "\n"
    }
    return text
  }

  private var state: String {
    switch decision {
    case .cached: "cached"
    case .willRun(_, let reasons): "will run: \(reasons.map(\.text).joined(separator: "; "))"
    case .waits: "waits for upstream stages"
    case .skipped: "skipped: its loop ended earlier"
    }
  }

  private static func show(_ value: JSON, _ field: Field) -> String {
    // A member of what stands for a server has a dot in its name.
    if field.field == .input, !field.name.utf8.contains(UInt8(ascii: ".")), let digest = value.stringValue {
      return "sha256 \(digest.prefix(12))"
    }
    return KeyDifference.brief(value)
  }

  package var json: JSON {
    let list = fields.map { field -> JSON in
      let mark =
        switch field.mark {
        case .same: "same"
        case .changed: "changed"
        case .added: "added"
        case .gone: "gone"
        }
      return [
        "mark": .string(mark), "field": .string(field.field.rawValue), "name": .string(field.name),
        "value": field.value ?? .null, "earlier": field.earlier ?? .null, "origin": .string(field.origin),
      ]
    }
    return [
      "address": .string(node.address), "state": .string(state), "key": key.map { .string($0) } ?? .null,
      "recipe_key": .string(node.recipeKey),
      "earlier": earlier.map { ["key": .string($0.key), "address": .string($0.address)] } ?? .null,
      "fields": .array(list),
    ]
  }
}

// What is different between two runs: parameters, options, keys, metrics with their deltas, outputs.

import JSON
import System

package struct RunDifference {
  package struct Change {
    package let name: String
    package let old: JSON?
    package let new: JSON?

    /// For two numbers.
    package var delta: Double? {
      guard let old = old?.doubleValue, let new = new?.doubleValue else { return nil }
      let delta = new - old
      return delta.isFinite ? delta : nil
    }

    /// `+0.01200`, `-3` between two integers; nothing where nothing changed.
    fileprivate var deltaText: String {
      guard let delta, delta != 0 else { return "" }
      let sign = delta > 0 ? "+" : ""
      if case .int? = old, case .int? = new, let whole = Int64(exactly: delta) { return sign + "\(whole)" }
      return sign + TextTable.number(delta)
    }
  }

  package let old: RunSummary
  package let new: RunSummary
  package let parameters: [Change]
  /// By stage without iterations where all iterations changed alike.
  package let options: [Change]
  package let keys: [Change]
  /// All of them, changed or not: a table of results wants both.
  package let metrics: [Change]
  package let evaluations: [Change]
  /// Digests of what both runs computed or found, where they differ.
  package let outputs: [Change]

  /// `outputs`: the outputs of a content key, from its record.
  package init(_ old: RunSummary, _ new: RunSummary, outputs: (String) -> [StoredOutput]) throws {
    self.old = old
    self.new = new
    let (a, b) = (try RunNodes(old), try RunNodes(new))
    parameters = RunDifference.changes(old.parameters, new.parameters, all: false)
    metrics = RunDifference.changes(
      RunDifference.flat(.object(old.metrics)), RunDifference.flat(.object(new.metrics)), all: true)
    evaluations = RunDifference.changes(a.evaluations, b.evaluations, all: true)
    let addresses = a.nodes.map(\.address) + b.nodes.map(\.address).filter { a.node($0) == nil }
    keys = addresses.compactMap { address in
      let (x, y) = (a.node(address), b.node(address))
      guard x?.key != y?.key || (x == nil) != (y == nil) else { return nil }
      return Change(
        name: address, old: x.map { $0.key.map { .string($0) } ?? .null },
        new: y.map { $0.key.map { .string($0) } ?? .null })
    }
    options = RunDifference.options(addresses, a, b)
    var changed: [Change] = []
    for address in addresses {
      guard let x = a.node(address)?.key, let y = b.node(address)?.key, x != y else { continue }
      let (before, after) = (outputs(x), outputs(y))
      for output in before {
        guard let other = after.first(where: { UTF8Key($0.port) == UTF8Key(output.port) }) else { continue }
        changed.append(
          Change(
            name: "\(address).\(output.port)", old: .string(output.digest.hex), new: .string(other.digest.hex)
          ))
      }
    }
    self.outputs = changed
  }

  /// A run's nodes by address, and its evaluations as one flat object.
  private struct RunNodes {
    let nodes: [RunNode]
    let evaluations: JSONObject
    private let places: [UTF8Key: Int]

    init(_ run: RunSummary) throws {
      nodes = try RunNode.read(run.path)
      var places: [UTF8Key: Int] = [:]
      for (index, node) in nodes.enumerated() { places[UTF8Key(node.address)] = index }
      self.places = places
      let path = "\(run.path)/evaluations.json"
      evaluations =
        FileStatus.of(path) == nil ? JSONObject() : RunDifference.flat(try JSON(parsing: try File.read(path)))
    }

    func node(_ address: String) -> RunNode? { places[UTF8Key(address)].map { nodes[$0] } }
  }

  private static func changes(_ old: JSONObject, _ new: JSONObject, all: Bool) -> [Change] {
    (old.keys + new.keys.filter { old[$0] == nil }).compactMap { name in
      all || old[name] != new[name] ? Change(name: name, old: old[name], new: new[name]) : nil
    }
  }

  /// Nested members as dotted names, list elements by position: each number has a name of its own.
  private static func flat(_ json: JSON) -> JSONObject {
    var members: [JSONObject.Member] = []
    func visit(_ name: String, _ value: JSON) {
      func inner(_ part: String) -> String { name.isEmpty ? part : "\(name).\(part)" }
      switch value {
      case .object(let object): for member in object.members { visit(inner(member.key), member.value) }
      case .array(let elements) where elements.contains { $0.doubleValue != nil || $0.objectValue != nil }:
        for (index, element) in elements.enumerated() { visit("\(name)[\(index + 1)]", element) }
      default: members.append((name, value))
      }
    }
    visit("", json)
    return JSONObject(members)
  }

  private static func options(_ addresses: [String], _ a: RunNodes, _ b: RunNodes) -> [Change] {
    var found: [Change] = []
    for address in addresses {
      guard let x = a.node(address), let y = b.node(address), x.options != y.options else { continue }
      let differences = ContentKey.differences(
        from: ["options": x.options], to: ["options": y.options])
      for difference in differences {
        let name = "\(ExpectedTime.family(address)) \(difference.name)"
        let isKnown = found.contains {
          UTF8Key($0.name) == UTF8Key(name) && $0.old == difference.old && $0.new == difference.new
        }
        if !isKnown { found.append(Change(name: name, old: difference.old, new: difference.new)) }
      }
    }
    return found
  }

  // MARK: what is shown

  package var text: String {
    func value(_ json: JSON?) -> String { json.map { RunTable.shown($0) } ?? "-" }
    func key(_ json: JSON?) -> String {
      json.map { $0.stringValue.map { String($0.prefix(12)) } ?? "(not run)" } ?? "-"
    }
    func section(_ title: String, _ changes: [Change], show: (JSON?) -> String, deltas: Bool = false)
      -> String
    {
      guard !changes.isEmpty else { return "" }
      let hasDeltas = deltas && changes.contains { $0.delta != nil }
      let heading = [title, old.shortID, new.shortID] + (hasDeltas ? ["change"] : [])
      let rows = changes.map { change -> [String] in
        [change.name, show(change.old), show(change.new)] + (hasDeltas ? [change.deltaText] : [])
      }
      return TextTable.aligned([heading] + rows) + "\n"
    }
    var text =
      "\(old.id)  \(old.experiment), \(old.state.rawValue)\n\(new.id)  \(new.experiment), \(new.state.rawValue)\n\n"
    let sections =
      section("parameter", parameters, show: value) + section("option", options, show: value)
      + section("metric", metrics, show: value, deltas: true)
      + section("evaluation", evaluations, show: value, deltas: true) + section("key", keys, show: key)
      + section("output", outputs.filter { $0.old != $0.new }, show: key)
    text += sections.isEmpty ? "no difference\n" : sections
    let same = outputs.filter { $0.old == $0.new }
    if !same.isEmpty {
      text +=
        "different keys, same bytes: \(same.map { TerminalText.escaped($0.name) }.joined(separator: ", "))\n"
    }
    while text.utf8.suffix(2).elementsEqual("\n\n".utf8) { text.removeLast() }
    return text
  }

  package var json: JSON {
    func list(_ changes: [Change]) -> JSON {
      .array(
        changes.map { change in
          var object = JSONObject([
            ("name", .string(change.name)), ("old", change.old ?? .null), ("new", change.new ?? .null),
          ])
          if let delta = change.delta { object["delta"] = .double(delta) }
          return .object(object)
        })
    }
    return [
      "old": .string(old.id), "new": .string(new.id), "parameters": list(parameters),
      "options": list(options),
      "metrics": list(metrics), "evaluations": list(evaluations), "keys": list(keys),
      "outputs": list(outputs),
    ]
  }
}

extension RunSummary {
  /// The hash at the end of the id, enough to tell two columns apart.
  package var shortID: String {
    guard let dash = id.utf8.lastIndex(of: UInt8(ascii: "-")) else { return id }
    return String(id[id.utf8.index(after: dash)...])
  }
}

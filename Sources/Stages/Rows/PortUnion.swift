// The inputs of a stage of which each of several parts takes some.

import Experiments

extension [InputPort] {
  /// Each port once, in the order in which it first comes; required where all lists require it, its summaries joined.
  static func united(_ lists: [[InputPort]]) -> [InputPort] {
    var names: [String] = []
    for port in lists.joined() where !names.contains(port.name) { names.append(port.name) }
    return names.compactMap { name in
      let ports = lists.compactMap { list in list.first { $0.name == name } }
      guard let first = ports.first else { return nil }
      return InputPort(
        name, first.type, required: ports.count == lists.count && ports.allSatisfy(\.isRequired),
        columns: first.columns, collects: first.collects,
        summary: ports.map(\.summary).joined(separator: ", or "))
    }
  }
}

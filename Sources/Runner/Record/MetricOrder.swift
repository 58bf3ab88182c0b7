// Runs, or groups of them, in the order of a metric, as `--sort` names it: `reward`, or `-reward` for the highest first.

import JSON
import System

struct MetricOrder {
  let name: String
  let isDescending: Bool

  /// - Throws: `RunError` (2) for a metric that is none of these.
  init(_ text: String, among metrics: [String]) throws {
    isDescending = text.utf8.first == UInt8(ascii: "-")
    name = isDescending ? String(text.dropFirst()) : text
    try RunNames.check([name], among: metrics, "metric")
  }

  /// Equal ones stay in their order; those without the metric stand last.
  func sorted<T>(_ elements: [T], by value: (T) -> Double?) -> [T] {
    let keyed = elements.enumerated().map {
      (place: $0.offset, element: $0.element, value: value($0.element))
    }
    return keyed.sorted { a, b in
      switch (a.value, b.value) {
      case (nil, nil): a.place < b.place
      case (nil, _): false
      case (_, nil): true
      case (let x?, let y?): x == y ? a.place < b.place : isDescending ? x > y : x < y
      }
    }.map(\.element)
  }
}

/// The names of parameters and metrics of several runs.
enum RunNames {
  /// In the order in which they first appear.
  static func all(_ objects: [JSONObject]) -> [String] {
    objects.flatMap(\.keys).distinct()
  }

  /// - Parameter what: what they are, in the singular.
  static func check(_ wanted: [String], among names: [String], _ what: String) throws {
    for name in wanted where !names.contains(where: { UTF8Key($0) == UTF8Key(name) }) {
      let help =
        Suggestion.helpOrList(for: name, among: names, what: "the \(what)s are") ?? "there are no \(what)s"
      throw RunError(.commandLine, "no run has a \(what) `\(name)`; \(help)")
    }
  }
}

extension [RunSummary] {
  /// Whether they have different values of a parameter.
  package func differ(in parameter: String) -> Bool {
    contains { $0.parameters[parameter] != self[0].parameters[parameter] }
  }
}

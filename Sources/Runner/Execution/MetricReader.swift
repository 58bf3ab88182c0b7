// Reading numbers out of metrics artifacts, and judging conditions on them.

import JSON
import System

package struct MetricReader {
  let records: [Int: NodeRecord]
  let skipped: Set<Int>
  let store: Store

  package init(records: [Int: NodeRecord], skipped: Set<Int>, store: Store) {
    self.records = records
    self.skipped = skipped
    self.store = store
  }

  /// One for each of its values that there is: what was skipped gives none.
  package func values(of metric: PlanMetric) throws -> [(node: Int, value: JSON)] {
    try metric.nodes.compactMap { node in
      guard let index = metric.candidates(node).first(where: { !skipped.contains($0) }),
        let record = records[index], let output = record.output(metric.output)
      else { return nil }
      let json = try JSON(parsing: try File.read(try store.readingPath(output)))
      guard let value = Self.find(metric.metric, in: json) else {
        let names = json.objectValue?.keys.map { "`\($0)`" }.joined(separator: ", ") ?? "nothing"
        throw RunError(
          .stageFailed,
          "metric `\(metric.name)`: `\(record.address)` reports no `\(metric.metric)`; it has \(names)")
      }
      return (index, value)
    }
  }

  /// `a.b` is the member `a.b`, else the member `b` of `a`.
  static func find(_ name: String, in json: JSON) -> JSON? {
    if let value = json[name] { return value }
    var value = json
    for part in name.utf8.split(separator: UInt8(ascii: ".")) {
      guard let next = value[String(Substring(part))] else { return nil }
      value = next
    }
    return value
  }

  /// Whether a condition holds, and the words that say by which numbers. One on a value that is not there, or is not a
  /// number, does not hold.
  package func judge(_ condition: PlanCondition) throws -> (holds: Bool, words: [String]) {
    let values = try values(of: condition.metric)
    guard !values.isEmpty else { return (false, ["`\(condition.metric.name)` has no value"]) }
    var holds = true
    var words: [String] = []
    for (_, value) in values {
      for (comparison, operand) in condition.tests {
        var bound: Double?
        var boundWords = ""
        switch operand {
        case .number(let number):
          bound = number
          boundWords = TextNumber.exact(number)
        case .metric(let other):
          let found = try self.values(of: other).first?.value
          bound = found?.doubleValue
          boundWords = "`\(other.name)`, which is \(found.map(Self.words) ?? "missing")"
        }
        let isGood =
          value.doubleValue.flatMap { number in bound.map { comparison.holds(number, $0) } } ?? false
        holds = holds && isGood
        words.append(
          "`\(condition.metric.name)` is \(Self.words(value)), expected \(comparison.words) \(boundWords)\(comparison.tolerance)"
        )
      }
    }
    return (holds, words)
  }

  private static func words(_ value: JSON) -> String {
    value.doubleValue.map { TextNumber.exact($0) } ?? value.text()
  }
}

/// A number as it would be written in a file.
private enum TextNumber {
  static func exact(_ value: Double) -> String {
    if let integer = Int(exactly: value), abs(value) < 1e15 { return String(integer) }
    return String(value)
  }
}

extension Comparison {
  func holds(_ value: Double, _ bound: Double) -> Bool {
    switch self {
    case .above: value > bound
    case .below: value < bound
    case .atLeast: value >= bound
    case .atMost: value <= bound
    case .equals(let tolerance): abs(value - bound) <= tolerance
    }
  }

  var words: String {
    switch self {
    case .above: "above"
    case .below: "below"
    case .atLeast: "at least"
    case .atMost: "at most"
    case .equals: "equal to"
    }
  }

  var tolerance: String {
    if case .equals(let tolerance) = self, tolerance > 0 {
      " within \(TextNumber.exact(tolerance))"
    } else {
      ""
    }
  }
}

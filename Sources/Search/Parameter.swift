// What is varied: a parameter, or several that move together, and when it exists.

import JSON

/// One draw of a search: a parameter with its distribution, or several parameters whose values come together from a list.
package struct Parameter: Sendable {
  /// Several where they are tied.
  package let names: [String]
  let distribution: Distribution
  let condition: Condition?
  let isTied: Bool

  /// Where a parameter exists: `parameter`, which is declared before, exists and has one of `values`.
  package struct Condition: Sendable {
    let parameter: String
    let values: [JSON]

    package init(_ parameter: String, among values: [JSON]) {
      self.parameter = parameter
      self.values = values
    }
  }

  package init(_ name: String, _ distribution: Distribution, where condition: Condition? = nil) {
    names = [name]
    self.distribution = distribution
    self.condition = condition
    isTied = false
  }

  /// Parameters that move together: each row gives all of them their values. The names are those of the first row, in its order.
  package init(tied rows: [JSONObject], where condition: Condition? = nil) {
    names = rows.first?.keys ?? []
    distribution = .values(rows.map { .object($0) })
    self.condition = condition
    isTied = true
  }

  /// Names its random numbers: tied parameters have one number, under all of their names.
  var drawName: String { names.joined(separator: ",") }
}

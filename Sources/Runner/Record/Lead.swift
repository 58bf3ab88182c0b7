// How far the best of several means is ahead of the next, and whether that may be chance.

import System

struct Lead {
  private let lead: Double
  /// Of the difference; nil where the error of one mean is not known.
  private let error: Double?

  init(_ first: (mean: Double, error: Double?), _ second: (mean: Double, error: Double?)) {
    lead = (first.mean - second.mean).magnitude
    error = first.error.flatMap { a in second.error.map { b in (a * a + b * b).squareRoot() } }
  }

  var words: String {
    "ahead by \(TextTable.number(lead))" + (error.map { " ± \(TextTable.number($0))" } ?? "")
      + (error.map { lead < 2 * $0 } ?? true ? ", which may be chance" : "")
  }
}

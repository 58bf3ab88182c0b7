// A number over several runs: its mean, and how far other runs would move it.

struct MeanOverRuns {
  let count: Int
  let mean: Double
  /// Of the mean, from the spread of the values; nil of one.
  let standardError: Double?

  /// Nil of no values.
  init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.count = values.count
    self.mean = mean
    standardError = values.count > 1 ? (squares / (count - 1) / count).squareRoot() : nil
  }
}

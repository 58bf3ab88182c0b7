// `length`: how long the generations are, in tokens and in words.

import Experiments
import JSON

/// Two numbers, so that the unit never depends on the rows: tokens are those that were generated, by the column `lengths`, and null
/// where no generation has one; words are what stands between blanks.
struct LengthMetric: Metric {
  static let name = "length"
  static let summary =
    "the mean number of generated tokens, by `lengths` (`length`), and of words between blanks (`length_words`)"

  init(_ options: StageOptions) {}

  func numbers(for options: JSON) -> [String] {
    MeanNumbers.names("length", options) + MeanNumbers.names("length_words", options)
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let lengths = try generations.rows.map { try self.lengths(of: $0, generations.table).compactMap { $0 } }
    let tokens = ClusteredMean(lengths)
    if let tokens { context.leaveOut(generations.samples.count - tokens.count, "generations without length") }
    let words = generations.samples.map { sample in
      Double(sample.text.unicodeScalars.split { $0.properties.isWhitespace }.count)
    }
    return try MeanNumbers.values(of: tokens, context)
      + MeanNumbers.values(of: ClusteredMean(generations.byRow(words)), context)
  }

  /// Tokens of each generation of a row, nil where the row does not say.
  private func lengths(of row: Row, _ table: ColumnTable) throws -> [Double?] {
    guard table["lengths"] == .sample, let values = try SampleLists(row, table)["lengths"] else {
      return Array(repeating: nil, count: row["generations"]?.arrayValue?.count ?? 0)
    }
    return try values.enumerated().map { index, value in
      if value.isNull { return nil }
      guard let length = value.intValue, length >= 0 else {
        throw InputError(
          "row `\(row.id)`: entry \(index) of `lengths` is \(value.text()); expected a number of tokens or null"
        )
      }
      return Double(length)
    }
  }
}

// Rows in random order: each has a random number that belongs to its id and the seed alone, and the rows are sorted by it. Rows that are
// added change nothing in the order of the others.

import Experiments
import JSON
import Models

/// Keeps each row as its line of text.
struct RowShuffle {
  private let seed: UInt64
  private var bytes: [UInt8] = []
  private var lines: [(number: UInt64, range: Range<Int>)] = []

  init(seed: Int) { self.seed = UInt64(seed) }

  /// - Throws: `NotFiniteNumber`.
  mutating func append(_ row: Row) throws {
    let start = bytes.count
    try row.write(to: &bytes)
    let number = randomNumber(seed: seed, .shuffleRows, id: row.id, element: 0)
    lines.append((number, start..<bytes.count))
  }

  func lines(skipping skip: Int, limit: Int) -> [ArraySlice<UInt8>] {
    let order = lines.sorted { a, b in
      // Lines begin with their ids.
      a.number != b.number
        ? a.number < b.number : bytes[a.range].lexicographicallyPrecedes(bytes[b.range])
    }
    return order.dropFirst(skip).prefix(limit).map { bytes[$0.range] }
  }

  /// `true`, or with a seed; nil does not shuffle.
  static let type = OptionValueType<Int?>.either(
    .mapped(.bool) { $0 ? 0 : nil }, .object([seedOption.field]) { $0[seedOption] })
  private static let seedOption = StageOption(
    "seed", .integer(0...Int.max), default: 0, summary: "another seed gives another order")
}

// One part of a partition of rows: which part a row is in depends on one text and a seed alone, so that the parts stay when rows are
// added, are disjoint, and cover all rows.

import Experiments
import JSON
import System

/// A row's number is that of the first 53 bits of the SHA-256 of `SEED`, a line feed and the text, as a fraction: in Python
/// `(int.from_bytes(sha256(f"{seed}\n{text}".encode()).digest()[:8], "big") >> 11) / 2**53`. The parts lie side by side from 0 to 1 in the order
/// of their names' bytes.
struct Partition {
  /// With where each ends; the last one has all that is left.
  private let parts: [(name: String, end: Double)]
  private let share: Double
  private let take: String
  private let seed: Int
  /// The field whose text decides; nil for what names the row.
  let by: String?

  /// About how many of so many rows are in the part.
  func count(of rows: Int) -> Int { Int(exactly: (Double(rows) * share).rounded()) ?? rows }

  func takes(_ text: String) -> Bool {
    let digits = Digest.of(text: "\(seed)\n\(text)").hex.prefix(16)
    let number = Double((UInt64(digits, radix: 16) ?? 0) >> 11) * 0x1p-53
    let part = parts.dropLast().first { number < $0.end } ?? parts.last
    return part.map { UTF8Key($0.name) == UTF8Key(take) } ?? false
  }

  // MARK: what is written

  private static let shares = StageOption(
    "shares", .mapping(.number(0...1, exclusiveMinimum: true), count: 1...64),
    summary:
      "the parts with their shares of the rows, which make 1: `{train: 0.9, valid: 0.1}`. They lie side by side from 0 to 1 in the order of their names' bytes, and a row is in the part where its number lies, in Python `(int.from_bytes(sha256(f\"{seed}\\n{text}\".encode()).digest()[:8], \"big\") >> 11) / 2**53`"
  )
  private static let take = StageOption("take", .string, summary: "the part that is taken")
  private static let seed = StageOption(
    "seed", .integer(0...Int.max), default: 0, summary: "another seed gives another partition")
  private static let by = StageOption(
    "by", .optional(.string), default: nil,
    summary:
      "a field: rows that have the same in it are in the same part. Without it the id of a row decides, where it is derived its content"
  )

  static let type = OptionValueType<Partition>.object([shares.field, take.field, seed.field, by.field]) {
    Partition($0)
  }

  private init(_ options: StageOptions) {
    var end = 0.0
    parts = options[Self.shares].map { part in
      end += part.value
      return (part.name, end)
    }
    take = options[Self.take]
    seed = options[Self.seed]
    by = options[Self.by]
    let taken = UTF8Key(take)
    share = options[Self.shares].first { UTF8Key($0.name) == taken }?.value ?? 0
  }

  var problem: OptionProblem? {
    let sum = parts.last?.end ?? 0
    if abs(sum - 1) > 1e-9 {
      return OptionProblem(
        option: "partition.shares",
        message: "`partition.shares` sum to \(JSON.double(sum).text()); expected 1",
        label: "not 1 in all",
        help: "give what is not used a part of its own: `{train: 0.4, valid: 0.1, rest: 0.5}`")
    }
    let names = parts.map(\.name)
    guard names.contains(where: { UTF8Key($0) == UTF8Key(take) }) else {
      return OptionProblem(
        option: "partition.take", message: "`partition.take` names `\(take)`, which is not one of `shares`",
        label: "no such part", help: Suggestion.helpOrList(for: take, among: names, what: "the parts are"))
    }
    return nil
  }
}

// `kind: repetition`: how much of the generation repeats itself; needs no model.

import Experiments
import JSON

/// seq-rep-n, the share of n-grams that stood before: 1 - distinct n-grams / n-grams. A generation of fewer than n words repeats nothing: 0.
/// Source: Welleck et al., "Neural text generation with unlikelihood training", 2020, section 5.1.
struct RepetitionScorer: Scorer {
  static let kind = "repetition"
  static let summary =
    "seq-rep-n of the generation, the share of its n-grams that stood before: `1 - distinct n-grams / n-grams`, 0 for one without n-grams"
  static let options = [n.field, unit.field]
  static let columns = ["generations"]

  private static let n = StageOption(
    "n", .integer(1...100), default: 4, summary: "words or tokens of an n-gram")
  private static let unit = StageOption(
    "unit", .choice(Unit.self), default: "words",
    summary:
      "`words` between white space, or `tokens` by the column `tokens`, a list of ids for each generation; one that is null has no score"
  )

  private enum Unit: String, CaseIterable { case words, tokens }

  private let n: Int
  private let unit: Unit

  init(_ options: StageOptions) {
    n = options[Self.n]
    unit = options[Self.unit]
  }

  var columns: [String] { unit == .tokens ? ["tokens"] : [] }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    let table = context.input("rows").columns
    for (index, item) in items.enumerated() {
      try context.checkCancellation()
      let score: Score
      switch unit {
      case .words:
        score = .reward(repetition(try item.generation().words.map { UTF8Key($0) }))
      case .tokens:
        score = try tokens(of: item, table).map { .reward(repetition($0)) } ?? .missing
      }
      try emit(item, score)
      context.progress(index + 1, of: items.count, unit: "generations")
    }
  }

  private func tokens(of item: RowItem, _ table: ColumnTable) throws -> [Int]? {
    let entry = try SampleLists(item.row, table).required("tokens", of: item.row)[item.item]
    if entry.isNull { return nil }
    let ids = entry.arrayValue?.compactMap(\.intValue)
    guard let ids, ids.count == entry.arrayValue?.count else {
      throw InputError(
        "row `\(item.row.id)`: entry \(item.item) of `tokens` is \(entry.kind); expected a list of ids, or null"
      )
    }
    return ids
  }

  private func repetition<Word: Hashable>(_ words: [Word]) -> Double {
    guard words.count >= n else { return 0 }
    let count = words.count - n + 1
    let distinct = Set((0..<count).map { Array(words[$0..<$0 + n]) }).count
    return 1 - Double(distinct) / Double(count)
  }
}

// Pairs of texts of which one is preferred, from rows.

import Experiments
import JSON
import Models

/// Source: METHODS 1.1, comparisons, of the filters: equal sides, sides of few words, and sides of equal ids.
/// Deviation: pairs with equal sides are always left out, since they have no gradient.
struct PreferenceRows: WholeTexts {
  /// Which generation of a row is preferred to which.
  enum Preferred: String, CaseIterable { case highest, first }
  /// Which pairs a row gives.
  enum Pairs: String, CaseIterable { case extremes, all }

  static let countNames = [
    "rows_without_pair", "pairs_equal", "pairs_short", "pairs_too_long", "pairs_equal_tokens", "texts_cut",
  ]

  let text: RewardText
  let positions: PreferencePair.Positions
  let preferred: Preferred
  let comparedColumn: String
  let pairs: Pairs
  let minimumWords: Int
  /// The token that fills the shorter text, as it is spelled.
  let pad: String?

  var head: WantedHead { .oneNumber }
  var column: String? { preferred == .highest ? comparedColumn : nil }

  /// Of one row: places of generations.
  private typealias Pair = (chosen: Int, rejected: Int)

  func examples(_ rows: [Row], _ reading: TextReading) throws -> TextExamples {
    var leftOut = LeftOut()
    let found = try rows.enumerated().map { index, row in
      (row: index, pairs: try wantedPairs(of: row, reading.table, &leftOut))
    }
    let texts = try self.texts(of: found, rows, reading)
    let pad = positions == .diverging ? try padToken(reading) : 0
    var examples: [TrainingExample] = []
    var cut: Set<TextPlace> = []
    for (row, pairs) in found {
      for pair in pairs {
        let places = [pair.chosen, pair.rejected].map { TextPlace(row: row, item: $0) }
        guard let chosen = texts[places[0]], let rejected = texts[places[1]] else {
          leftOut.tooLong += 1
          continue
        }
        let compared = PreferencePair(chosenText: chosen.tokens, rejectedText: rejected.tokens, pad: pad)
        guard let targets = compared.texts(at: positions) else {
          leftOut.equalTokens += 1
          continue
        }
        for place in places where texts[place]?.isCut == true { cut.insert(place) }
        examples.append(
          TrainingExample(id: "\(rows[row].id)#\(pair.chosen)>\(pair.rejected)", texts: targets))
      }
    }
    let context = reading.context
    for reason in leftOut.reasons { context.leaveOut(reason.count, reason.what) }
    context.cut(cut.count, "texts")
    guard !examples.isEmpty else { throw leftOut.nothing(of: rows.count) }
    context.log("\(examples.count) pairs to train on")
    return TextExamples(examples: examples, counts: leftOut.reasons.map(\.count) + [cut.count])
  }

  /// What is no pair to train on, by the reason.
  private struct LeftOut {
    var withoutPair = 0
    var equal = 0
    var short = 0
    var tooLong = 0
    var equalTokens = 0

    /// In the order of `countNames`.
    var reasons: [(count: Int, what: String)] {
      [
        (withoutPair, "rows without a pair"), (equal, "pairs of equal texts"),
        (short, "pairs with a text of few words"), (tooLong, "pairs with a text that is too long"),
        (equalTokens, "pairs of equal tokens"),
      ]
    }

    func nothing(of rows: Int) -> InputError {
      let found = reasons.filter { $0.count > 0 }.map { "\($0.count) \($0.what)" }
      let help =
        equalTokens > 0
        ? "; tokens are equal where what differs is cut off: raise `max_length`, or cut the prompt by `overflow: cut`"
        : ""
      return InputError(
        "there is nothing to train on: of \(rows) rows there are \(found.joined(separator: ", "))\(help)")
    }
  }

  /// A row's pairs of different texts with enough words.
  private func wantedPairs(of row: Row, _ table: ColumnTable, _ leftOut: inout LeftOut) throws -> [Pair] {
    let samples = try SampleLists(row, table)
    let pairs = try pairs(of: row, samples)
    if pairs.isEmpty { leftOut.withoutPair += 1 }
    let texts = try (0..<samples.count).map { try RowItem(rowIndex: 0, row: row, item: $0).generation() }
    return pairs.filter { pair in
      let (chosen, rejected) = (texts[pair.chosen], texts[pair.rejected])
      if chosen.utf8.elementsEqual(rejected.utf8) {
        leftOut.equal += 1
        return false
      }
      if minimumWords > 0, min(chosen.wordCount, rejected.wordCount) < minimumWords {
        leftOut.short += 1
        return false
      }
      return true
    }
  }

  private struct TextPlace: Hashable {
    let row: Int
    let item: Int
  }

  /// Each text of a pair once; those that are too long are not among them.
  private func texts(of found: [(row: Int, pairs: [Pair])], _ rows: [Row], _ reading: TextReading) throws
    -> [TextPlace: FittedText]
  {
    var reader = try reading.reader(text)
    let items = found.flatMap { row, pairs in
      Set(pairs.flatMap { [$0.chosen, $0.rejected] }).sorted().map {
        RowItem(rowIndex: row, row: rows[row], item: $0)
      }
    }
    let read = try reader.texts(of: items, log: reading.context.log)
    var texts: [TextPlace: FittedText] = [:]
    for (item, text) in zip(items, read) { texts[TextPlace(row: item.rowIndex, item: item.item)] = text }
    return texts
  }

  private func pairs(of row: Row, _ samples: SampleLists) throws -> [Pair] {
    guard preferred == .highest else {
      let others = samples.count > 1 ? 1..<(pairs == .extremes ? 2 : samples.count) : 1..<1
      guard pairs == .all || samples.count <= 2 else {
        throw InputError(
          "row `\(row.id)` has \(samples.count) generations, and `preferred` is `first`: `pairs: all` prefers the first to each of the others"
        )
      }
      return others.map { (0, $0) }
    }
    let numbers = try numbers(samples.required(comparedColumn, of: row), of: row)
    let known = numbers.indices.filter { numbers[$0] != nil }
    func number(_ index: Int) -> Double { numbers[index] ?? 0 }
    guard pairs == .extremes else {
      return known.flatMap { chosen in
        known.filter { number(chosen) > number($0) }.map { (chosen, $0) }
      }
    }
    // The first of equal ones.
    guard let best = known.max(by: { number($0) < number($1) || number($0) == number($1) && $0 > $1 }),
      let worst = known.min(by: { number($0) < number($1) || number($0) == number($1) && $0 < $1 }),
      number(best) > number(worst)
    else { return [] }
    return [(best, worst)]
  }

  /// Nil for a null: a generation that was not judged.
  private func numbers(_ values: [JSON], of row: Row) throws -> [Double?] {
    try values.enumerated().map { index, value in
      if value.isNull { return nil }
      guard let number = value.doubleValue, number.isFinite else {
        throw InputError(
          "row `\(row.id)`: entry \(index) of `\(comparedColumn)` is \(value.kind); expected a finite number or null"
        )
      }
      return number
    }
  }

  /// - Throws: `InputError` when there is none.
  private func padToken(_ reading: TextReading) throws -> Int32 {
    let tokenizer = reading.tokenizer
    guard let pad = pad ?? text.readBefore else {
      if let end = reading.checkpoint.endTokens.first ?? tokenizer.padToken { return end }
      throw InputError(
        "the model has no end token that could fill the shorter text of a pair; name a token as `objective.pad`, or write `positions: last`"
      )
    }
    guard tokenizer.isAddedToken(pad), let id = tokenizer.id(of: pad) else {
      throw InputError("`objective.pad` is `\(pad)`, which is no special token of the model")
    }
    return id
  }
}

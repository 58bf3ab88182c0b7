// Which prompts `plumb samples` shows, and which generations of each at every address.

import JSON
import Models
import Runner
import System

enum SampleOrder {
  case first
  case drawn(seed: UInt64)
  case highest
  case lowest
}

/// Samples of the same prompts at several addresses.
struct SampleSelection {
  struct Prompt {
    let id: String
    let prompt: String
    /// Of each sheet the samples that are shown, and how many it has.
    let results: [(samples: [ScoredSample], count: Int)]
  }

  let order: SampleOrder
  let prompts: [Prompt]
  /// Prompts that all sheets have.
  let total: Int
  /// The column that ranks them, where one does.
  let column: String?

  /// - Parameters:
  ///   - sheets: the first chooses the prompts.
  ///   - each: generations of each prompt; nil for all.
  init(_ sheets: [SampleSheet], _ order: SampleOrder, count: Int, each: Int?, by name: String?) throws {
    guard let first = sheets.first else { preconditionFailure("no address") }
    self.order = order
    let isRanked =
      switch order {
      case .highest, .lowest: true
      case .first, .drawn: false
      }
    let ranking = isRanked ? try first.column(name) : nil
    column = ranking.map { first.columns[$0] }
    let common = first.rows.filter { row in sheets.dropFirst().allSatisfy { $0.row(row.id) != nil } }
    guard !common.isEmpty || first.rows.isEmpty else {
      let names = sheets.map { "`\($0.address)`" }.joined(separator: " and ")
      throw RunError(.commandLine, "\(names) have no prompt in common; their rows have different ids")
    }
    total = common.count
    let rows = Self.chosen(common, of: first, order, ranking, count: count)
    prompts = rows.map { row in
      let leading = first.samples(of: row)
      let chosen = Self.ordered(leading, order, ranking, id: row.id)
      let results = sheets.map { sheet -> (samples: [ScoredSample], count: Int) in
        let samples = sheet.row(row.id).map { sheet.samples(of: $0) } ?? []
        let isSame =
          samples.count == leading.count
          && zip(samples, leading).allSatisfy { $0.text.utf8.elementsEqual($1.text.utf8) }
        // The same generations with other scores stand beside themselves.
        let order =
          isSame
          ? chosen.map { samples[$0.index] }
          : Self.ordered(
            samples, order,
            ranking.flatMap { ranking in
              sheet.columns.firstIndex { UTF8Key($0) == UTF8Key(first.columns[ranking]) }
            }, id: row.id)
        return (Array(order.prefix(each ?? order.count)), samples.count)
      }
      return Prompt(
        id: row.id, prompt: row["prompt"].map { $0.stringValue ?? $0.text() } ?? "", results: results)
    }
  }

  /// - Parameter rows: of the sheet.
  private static func chosen(
    _ rows: [Row], of sheet: SampleSheet, _ order: SampleOrder, _ ranking: Int?, count: Int
  ) -> [Row] {
    switch order {
    case .first: return Array(rows.prefix(count))
    case .drawn(let seed):
      return shuffledOrder(rows.map(\.id), seed: seed).prefix(count).sorted().map { rows[$0] }
    case .highest, .lowest:
      let ranked = rows.enumerated().compactMap { place, row -> (score: Double, place: Int)? in
        ordered(sheet.samples(of: row), order, ranking, id: row.id).first
          .flatMap { score($0, ranking) }.map { ($0, place) }
      }
      let sorted = ranked.sorted { a, b in
        if a.score == b.score { return a.place < b.place }
        if case .highest = order { return a.score > b.score }
        return a.score < b.score
      }
      return sorted.prefix(count).map { rows[$0.place] }
    }
  }

  private static func score(_ sample: ScoredSample, _ column: Int?) -> Double? {
    column.flatMap { sample.scores[$0] }
  }

  /// Those without a score stand last.
  private static func ordered(_ samples: [ScoredSample], _ order: SampleOrder, _ ranking: Int?, id: String)
    -> [ScoredSample]
  {
    switch order {
    case .first: return samples
    case .drawn(let seed):
      return shuffled(Array(samples.indices), seed: seed, .pickSamples, id: id).map { samples[$0] }
    case .highest, .lowest:
      return samples.sorted { a, b in
        switch (score(a, ranking), score(b, ranking)) {
        case (let x?, let y?) where x != y:
          if case .highest = order { return x > y }
          return x < y
        case (.some, nil): return true
        case (nil, .some): return false
        default: return a.index < b.index
        }
      }
    }
  }
}

// The samples that one stage wrote, with their scores.

import JSON
import Runner
import Stages
import System

/// One generation of a prompt.
struct ScoredSample {
  /// Among those of its prompt, from 0.
  let index: Int
  let text: String
  /// In the order of the sheet's columns; nil where scoring failed.
  let scores: [Double?]
}

struct SampleSheet {
  let address: String
  let rows: [Row]
  /// The columns of scores, each with a number for each generation.
  let columns: [String]
  private let positions: [UTF8Key: Int]
  private let lists: [String]

  /// Numbers about a generation that are no score, unless they are asked for.
  private static let counts = ["lengths"]

  /// - Parameter ranking: a column that is shown whatever it holds.
  /// - Throws: `RunError` (2) for a result that holds no generations.
  init(_ result: StoredResult, named address: String, ranking: String?) throws {
    self.address = address
    let output = try result.found.output(.rows, at: result.address)
    rows = try readRows(try result.store.readingPath(output), requiring: ["prompt"])
    guard rows.allSatisfy({ $0["generations"]?.arrayValue != nil }) else {
      throw RunError(
        .commandLine, "the rows of `\(address)` hold no generations; name a stage after a `sample`")
    }
    let hasLists = output.columns.samples.contains { $0 == "generations" }
    lists = hasLists ? try SampleColumns.numeric(of: rows, output.columns) : []
    columns = lists.filter { name in
      !Self.counts.contains(name) || ranking.map { UTF8Key($0) } == UTF8Key(name)
    }
    var positions: [UTF8Key: Int] = [:]
    for (index, row) in rows.enumerated() { positions[UTF8Key(row.id)] = index }
    self.positions = positions
  }

  func row(_ id: String) -> Row? { positions[UTF8Key(id)].map { rows[$0] } }

  /// The column that `--by` names; else `rewards`, or the first one where there is none.
  /// - Throws: `RunError` (2) when there is none.
  func column(_ name: String?) throws -> Int {
    guard let name else {
      if !columns.isEmpty { return columns.firstIndex { $0 == "rewards" } ?? 0 }
      throw RunError(
        .commandLine,
        lists.isEmpty
          ? "the rows of `\(address)` have no column of scores; name a stage after a `score`"
          : "the rows of `\(address)` have no column of scores; name a stage after a `score`, or a column of numbers: --by \(lists.joined(separator: " or "))"
      )
    }
    if let index = columns.firstIndex(where: { UTF8Key($0) == UTF8Key(name) }) { return index }
    let help =
      Suggestion.nearest(to: name, among: lists).map { "did you mean `\($0)`?" }
      ?? (lists.isEmpty
        ? "name a stage after a `score`"
        : "it has \(lists.map { "`\($0)`" }.joined(separator: ", "))")
    throw RunError(
      .commandLine, "`\(address)` has no column `\(name)` with a number for each generation; \(help)")
  }

  /// All generations of a row, in their order.
  func samples(of row: Row) -> [ScoredSample] {
    let scores = columns.map { row[$0]?.arrayValue ?? [] }
    return (row["generations"]?.arrayValue ?? []).enumerated().map { index, text in
      ScoredSample(
        index: index, text: text.stringValue ?? text.text(),
        scores: scores.map { index < $0.count ? $0[index].doubleValue : nil })
    }
  }
}

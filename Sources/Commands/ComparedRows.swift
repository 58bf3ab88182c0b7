// Rows of several results, of the same prompts: of each column of numbers the means, and the differences prompt by prompt.

import JSON
import Runner
import Stages
import System

struct ComparedRows {
  /// One result.
  private struct Source {
    let address: String
    let rows: [Row]
    let table: ColumnTable
  }

  private struct Entry {
    let address: String
    let mean: ClusteredMean
    /// Nil for the baseline, and where no prompt is in both.
    let paired: PairedDifference?
  }

  private let columns: [(name: String, entries: [Entry])]
  private let baseline: String

  private static let level = 0.95
  private static let resamples = 1000

  /// - Parameters:
  ///   - results: the first is the baseline.
  ///   - wanted: columns; nil for all that have numbers in every result.
  init(_ results: [StoredResult], columns wanted: [String]?) throws {
    let sources = try results.map { result in
      let output = try result.found.output(.rows, at: result.address)
      return Source(
        address: result.address.address,
        rows: try readRows(try result.store.readingPath(output), requiring: ["generations"]),
        table: output.columns)
    }
    baseline = sources[0].address
    let numeric = try wanted == nil ? sources.map { try SampleColumns.numeric(of: $0.rows, $0.table) } : []
    let names =
      wanted
      ?? (numeric.first ?? []).filter { name in
        numeric.dropFirst().allSatisfy { $0.contains { UTF8Key($0) == UTF8Key(name) } }
      }
    guard !names.isEmpty else {
      throw RunError(
        .commandLine,
        "the rows have no column of numbers in common; `\(Program.name) rows \(results[0].address.text)` shows them"
      )
    }
    columns = try names.map { name in
      let numbers = try sources.map { source in
        try source.rows.map { (id: $0.id, numbers: try numberList(of: $0, name, source.table)) }
      }
      let entries = try zip(sources, numbers).enumerated().map { place, pair in
        guard let mean = ClusteredMean(pair.1.map { $0.numbers.compactMap { $0 } }) else {
          throw RunError(.commandLine, "no generation of `\(pair.0.address)` has a number in `\(name)`")
        }
        let paired = place == 0 ? nil : try PairedDifference(pair.1, to: numbers[0])
        return Entry(
          address: pair.0.address, mean: mean, paired: paired?.differences.isEmpty == true ? nil : paired)
      }
      return (name, entries)
    }
  }

  // MARK: text

  func text(_ format: TableFormat) throws -> String {
    if format == .csv {
      let heading = [
        "column", "address", "mean", "mean_se", "difference", "difference_se", "difference_low",
        "difference_high",
        "prompts", "rose", "fell", "unmatched",
      ]
      return format.text(
        [heading]
          + (try columns.flatMap { name, entries in
            try entries.map { entry in
              let numbers = try json(entry)
              return [name]
                + heading.dropFirst().map {
                  numbers[$0].map { $0.stringValue ?? ($0.isNull ? "" : $0.text()) } ?? ""
                }
            }
          }))
    }
    return try columns.map { name, entries in
      let heading = [name, "mean", "difference", "95%", "rose", "fell", "of"]
      let rows = try entries.map { entry -> [String] in
        let mean = shown(entry.mean.mean, entry.mean.standardError)
        guard let paired = entry.paired, let difference = paired.mean else {
          return [entry.address, mean] + Array(repeating: "", count: 5)
        }
        let interval = try interval(difference)
        let (rose, fell) = paired.rises
        return [
          entry.address, mean, shown(difference.mean, difference.standardError),
          interval.map { "\(TextTable.number($0.lowerBound)) to \(TextTable.number($0.upperBound))" } ?? "",
          "\(rose)", "\(fell)", "\(paired.differences.count)",
        ]
      }
      return format.text([heading] + rows)
    }.joined(separator: "\n")
  }

  /// What the numbers are; a line each.
  var notes: [String] {
    let unmatched = columns.flatMap { $0.entries }.compactMap { $0.paired?.unmatched }.max() ?? 0
    return [
      "differences to `\(baseline)`, prompt by prompt; ±: standard errors over prompts; 95%: by \(Self.resamples) resamples of the prompts"
    ] + (unmatched > 0 ? ["\(unmatched) prompts lack a number in one of two results, and are left out"] : [])
  }

  var json: JSON {
    get throws {
      .object(
        JSONObject(
          try columns.map { name, entries in (name, .array(try entries.map { .object(try json($0)) })) }))
    }
  }

  private func json(_ entry: Entry) throws -> JSONObject {
    func number(_ value: Double?) -> JSON { value.map { .double($0) } ?? .null }
    var object = JSONObject([
      ("address", .string(entry.address)), ("mean", .double(entry.mean.mean)),
      ("mean_se", number(entry.mean.standardError)),
    ])
    guard let paired = entry.paired, let difference = paired.mean else { return object }
    let bounds = try interval(difference)
    let share = paired.shareRisen?.wilsonInterval(level: Self.level)
    for (name, value) in [
      ("difference", .double(difference.mean)), ("difference_se", number(difference.standardError)),
      ("difference_low", number(bounds?.lowerBound)), ("difference_high", number(bounds?.upperBound)),
      ("prompts", .int(Int64(paired.differences.count))), ("rose", .int(Int64(paired.rises.rose))),
      ("fell", .int(Int64(paired.rises.fell))), ("share_risen_low", number(share?.lowerBound)),
      ("share_risen_high", number(share?.upperBound)), ("unmatched", .int(Int64(paired.unmatched))),
    ] as [(String, JSON)] {
      object[name] = value
    }
    return object
  }

  private func interval(_ mean: ClusteredMean) throws -> ClosedRange<Double>? {
    try mean.bootstrapInterval(level: Self.level, resamples: Self.resamples, seed: 0)
  }

  private func shown(_ mean: Double, _ error: Double?) -> String {
    TextTable.number(mean) + (error.map { " ± \(TextTable.number($0))" } ?? "")
  }
}

// Rows of several artifacts as one row a prompt, the samples of a prompt joined.

import Experiments
import JSON

/// Rows, and which of their columns go by samples.
struct SampledRows {
  var rows: [Row]
  var table: ColumnTable
}

/// What the ports `history` and `rows` hold, those of a matrix cell by cell, as one row a prompt, in the order in which prompts
/// first come: samples of a prompt that several artifacts have are joined, the earlier first; what is not a sample is taken from the
/// newest row.
///
/// Source: METHODS 1.7, `add`. Deviation: prompts are told apart by row id, not by text.
/// - Parameters:
///   - columns: must be there.
///   - read: the columns that are read, as values; all others may stay texts.
///   - dropped: a column that is computed anew and must not keep rows apart.
///   - numbers: a column that numbers all samples in the order in which they came: those of `history` as they were numbered, then those
///     of each artifact row by row.
/// - Throws: `InputError`.
func joinedSamples(
  _ context: StageContext, requiring columns: [String], reading read: [String],
  without dropped: String? = nil,
  numbering numbers: String? = nil
) throws -> SampledRows {
  var joined: SampledRows?
  var earlier: [String] = []
  var numbered = 0
  for port in ["history", "rows"] {
    let artifacts = context.artifacts(port)
    for artifact in artifacts {
      let name = artifacts.count == 1 ? "`\(port)`" : "`\(port)` of \(artifact.label)"
      var new = SampledRows(
        rows: try readRows(artifact.path, requiring: columns, reading: read + [numbers].compactMap { $0 }),
        table: artifact.columns)
      var undeclared = UndeclaredLists(new.table)
      for row in new.rows { undeclared.look(at: row) }
      undeclared.warn(name, context)
      if let dropped {
        new.table[dropped] = nil
        for index in new.rows.indices { new.rows[index][dropped] = nil }
      }
      if let numbers { try number(&new, as: numbers, from: &numbered) }
      if let before = joined {
        joined = try join(before, of: earlier.joined(separator: " or "), new, of: name)
      } else {
        joined = new
      }
      earlier.append(name)
    }
  }
  return joined ?? SampledRows(rows: [], table: ColumnTable())
}

/// Numbers samples on from `first`, in the order of the numbers that they have, otherwise row by row.
private func number(_ rows: inout SampledRows, as column: String, from first: inout Int) throws {
  let counts = try rows.rows.map { try SampleLists($0, rows.table).count }
  let known =
    rows.table[column] == .sample ? rows.rows.flatMap { $0[column]?.arrayValue ?? [] }.map(\.intValue) : []
  var numbers = Array(0..<counts.reduce(0, +))
  if known.count == numbers.count {
    let order = numbers.sorted { (known[$0] ?? .max, $0) < (known[$1] ?? .max, $1) }
    for (place, sample) in order.enumerated() { numbers[sample] = place }
  }
  var start = 0
  for (index, count) in counts.enumerated() {
    rows.rows[index][column] = .array(numbers[start..<start + count].map { .int(Int64(first + $0)) })
    start += count
  }
  rows.table[column] = .sample
  first += start
}

private func join(_ earlier: SampledRows, of earlierName: String, _ newer: SampledRows, of newerName: String)
  throws -> SampledRows
{
  var result = earlier
  try result.table.merge(newer.table, of: newerName, into: earlierName)
  let names = result.table.samples
  var positions: [UTF8Key: Int] = [:]
  for (index, row) in earlier.rows.enumerated() { positions[UTF8Key(row.id)] = index }
  for row in newer.rows {
    guard let position = positions[UTF8Key(row.id)] else {
      positions[UTF8Key(row.id)] = result.rows.count
      result.rows.append(row)
      continue
    }
    let old = result.rows[position]
    guard old["prompt"] == row["prompt"] else {
      throw InputError(
        "row `\(row.id)`: its prompt in \(newerName) differs from that in \(earlierName); expected one prompt for each id"
      )
    }
    let first = try SampleLists(old, result.table)
    let second = try SampleLists(row, result.table)
    var joined = row
    for name in names {
      switch (first.list(name), second.list(name)) {
      case (let a?, let b?): joined.set(a + b, as: name)
      case (nil, nil): break
      case (let a, _):
        throw InputError(
          "row `\(row.id)`: only \(a == nil ? newerName : earlierName) has the column `\(name)`; "
            + "both need it to be joined")
      }
    }
    result.rows[position] = joined
  }
  return result
}

/// Lists that nobody declared to go by samples, though they have one entry for each generation in every row: they stay with the prompt
/// when samples are picked or joined.
private struct UndeclaredLists {
  private let table: ColumnTable
  /// Those that may be; nil before the first row.
  private var names: [String]?

  init(_ table: ColumnTable) { self.table = table }

  mutating func look(at row: Row) {
    let candidates = names ?? row.names.filter { table[$0] != .sample }
    names = candidates.filter { name in
      guard let values = row.list(name), let generations = row.list("generations") else { return false }
      return values.count == generations.count
    }
  }

  /// After the last row.
  func warn(_ artifact: String, _ context: StageContext) {
    for column in names ?? [] {
      context.log(
        "warning: column `\(column)` of \(artifact) has one entry per generation in every row, but is not declared so: it stays with the "
          + "prompt when samples are picked or joined; declare it where the rows are made (`samples` of `data`, `per: sample` of `command`)"
      )
    }
  }
}

/// What `joinedSamples` gives, for a stage that makes something of each row by itself: the rows of a single artifact are not all in memory.
struct SampleRows {
  /// Which columns go by samples.
  let table: ColumnTable
  private let context: StageContext
  private let source: Source
  private let dropped: String?

  private enum Source {
    case file(Artifact, port: String, requiring: [String], reading: [String])
    case joined([Row])
  }

  /// - Parameters: as of `joinedSamples`.
  /// - Throws: `InputError`.
  init(
    _ context: StageContext, requiring columns: [String], reading read: [String],
    without dropped: String? = nil
  ) throws {
    self.context = context
    self.dropped = dropped
    let artifacts = ["history", "rows"].flatMap { port in context.artifacts(port).map { (port, $0) } }
    if artifacts.count == 1 {
      let (port, artifact) = artifacts[0]
      var table = artifact.columns
      if let dropped { table[dropped] = nil }
      self.table = table
      source = .file(artifact, port: port, requiring: columns, reading: read)
    } else {
      let all = try joinedSamples(context, requiring: columns, reading: read, without: dropped)
      table = all.table
      source = .joined(all.rows)
    }
  }

  /// - Throws: `InputError` for what is wrong with the file, even if it comes behind a row with which `body` failed; what `body` threw.
  func each(_ body: (Row) throws -> Void) throws {
    switch source {
    case .joined(let rows): for row in rows { try body(row) }
    case .file(let artifact, let port, let columns, let read):
      var rows = try RowsAhead(artifact.path, requiring: columns, reading: read)
      var undeclared = UndeclaredLists(artifact.columns)
      while var row = try rows.next() {
        undeclared.look(at: row)
        if let dropped { row[dropped] = nil }
        do {
          try body(row)
        } catch {
          while try rows.next() != nil {}
          throw error
        }
      }
      undeclared.warn("`\(port)`", context)
    }
  }
}

// A row's samples: parallel lists, one entry for every generation of its prompt.

import JSON
import Runner

/// The columns that hold one entry for each generation. Every other column belongs to the prompt.
package let sampleColumns = [
  "generations", "lengths", "finished", "rewards", "quantiles", "feedbacks", "scores", "analysis",
]

/// One row's parallel lists, checked to be lists of one length.
struct SampleLists {
  let count: Int
  private(set) var lists: [(name: String, values: [JSON])]

  /// - Throws: `InputError` naming the row when a list is missing or as long as no other.
  init(_ row: Row) throws {
    var lists: [(name: String, values: [JSON])] = []
    for name in sampleColumns {
      guard let value = row[name] else { continue }
      guard let values = value.arrayValue else {
        throw InputError(
          "row `\(row.id)`: column `\(name)` is \(value.kind); expected a list, one entry a generation")
      }
      lists.append((name, values))
    }
    guard let generations = lists.first(where: { $0.name == "generations" }) else {
      throw InputError("row `\(row.id)`: no column `generations`")
    }
    for list in lists where list.values.count != generations.values.count {
      throw InputError(
        "row `\(row.id)`: column `\(list.name)` has \(list.values.count) entries, but there are "
          + "\(generations.values.count) generations")
    }
    self.count = generations.values.count
    self.lists = lists
  }

  subscript(name: String) -> [JSON]? { lists.first { $0.name == name }?.values }

  /// The row with these samples only, in this order, in every parallel list.
  func selecting(_ indices: [Int], in row: Row) -> Row {
    var result = row
    for list in lists { result[list.name] = .array(indices.map { list.values[$0] }) }
    return result
  }
}

/// What the ports `history` and `rows` hold, in this order, those of a matrix cell by cell, as one row a prompt.
/// - Parameter dropped: a column that is computed anew and must not keep rows apart.
func joinedSamples(_ context: StageContext, requiring columns: [String], without dropped: String? = nil)
  throws
  -> [Row]
{
  var joined: [Row] = []
  var earlier: [String] = []
  for port in ["history", "rows"] {
    let artifacts = context.artifacts(port)
    for artifact in artifacts {
      let name = artifacts.count == 1 ? "`\(port)`" : "`\(port)` of \(artifact.label)"
      let rows = try readRows(artifact.path, requiring: columns).map { row in
        var row = row
        if let dropped { row[dropped] = nil }
        return row
      }
      joined =
        earlier.isEmpty
        ? rows : try joinSamples(joined, of: earlier.joined(separator: " or "), rows, of: name)
      earlier.append(name)
    }
  }
  return joined
}

/// Earlier rows followed by new ones, one row a prompt: samples of a prompt that both have are joined, the earlier first; what
/// is not a sample is taken from the newer row.
///
/// Source: METHODS 1.7, `add`. Deviation: prompts are told apart by row id, not by text.
private func joinSamples(_ earlier: [Row], of earlierName: String, _ newer: [Row], of newerName: String)
  throws
  -> [Row]
{
  var result = earlier
  var positions: [UTF8Key: Int] = [:]
  for (index, row) in earlier.enumerated() { positions[UTF8Key(row.id)] = index }
  for row in newer {
    guard let position = positions[UTF8Key(row.id)] else {
      positions[UTF8Key(row.id)] = result.count
      result.append(row)
      continue
    }
    let old = result[position]
    guard old["prompt"] == row["prompt"] else {
      throw InputError(
        "row `\(row.id)`: its prompt in \(newerName) is not the one in \(earlierName); one id names two prompts"
      )
    }
    let first = try SampleLists(old)
    let second = try SampleLists(row)
    var joined = row
    for name in sampleColumns {
      switch (first[name], second[name]) {
      case (let a?, let b?): joined[name] = .array(a + b)
      case (nil, nil): break
      case (let a, _):
        throw InputError(
          "row `\(row.id)`: only \(a == nil ? newerName : earlierName) has the column `\(name)`; "
            + "both need it to be joined")
      }
    }
    result[position] = joined
  }
  return result
}

// Drives a row stage item by item: journal, shards, assembly.

import JSON
import Synchronization

struct RowStageDriver<S: RowStage> {
  let stage: S
  let context: StageContext

  /// Computes the items the journal lacks: of this shard's rows, or of all rows, and then writes the output.
  func run() throws {
    let declaration = S.declaration(for: context.options.json)
    guard let port = declaration.inputs.first(where: { $0.name == S.rowsPort }) else {
      preconditionFailure("stage `\(declaration.name)` declares no input `\(S.rowsPort)`")
    }
    let rows = try readRows(of: port, replacesSamples: declaration.outputs.contains(where: \.replacesSamples))
    let range = context.shard?.range(of: rows.count) ?? 0..<rows.count
    let counts = try rows[range].map { try stage.itemCount(of: $0, options: context.options) }

    var known: [UTF8Key: [Int: JSON]] = [:]
    if let directory = context.journalDirectory { known = try RowJournal.read(directory) }
    var results: [[JSON?]] = []
    results.reserveCapacity(range.count)
    var missing: [RowItem] = []
    var total = 0
    for (offset, index) in range.enumerated() {
      let finished = known.removeValue(forKey: UTF8Key(rows[index].id)) ?? [:]
      results.append((0..<counts[offset]).map { finished[$0] })
      for item in 0..<counts[offset] where finished[item] == nil {
        missing.append(RowItem(rowIndex: index, row: rows[index], item: item))
      }
      total += counts[offset]
    }
    if missing.count < total {
      context.log("\(total - missing.count) of \(total) items were already finished")
    }

    let reporter = RowStageReporter(inner: context.reporter, done: total - missing.count, total: total)
    if !missing.isEmpty {
      let journal = try context.journalDirectory.map { try RowJournal(in: $0) }
      do {
        try stage.process(missing, context: context.reporting(to: reporter)) { item, result in
          let offset = item.rowIndex - range.lowerBound
          precondition(
            results.indices.contains(offset) && results[offset].indices.contains(item.item),
            "stage `\(declaration.name)` gave item \(item.item) of row \(item.rowIndex), which was not requested"
          )
          try result.requireFiniteNumbers(
            "stage `\(declaration.name)` gave for item \(item.item) of row `\(item.row.id)`")
          try journal?.append(id: item.row.id, item: item.item, result: result)
          if results[offset][item.item] == nil { reporter.finishItem() }
          results[offset][item.item] = result
        }
      } catch {
        try? journal?.synchronize()
        throw error
      }
      try journal?.synchronize()
    }
    for (offset, index) in range.enumerated() {
      if let item = results[offset].firstIndex(where: { $0 == nil }) {
        throw RowStageError(
          description:
            "stage `\(declaration.name)` ended without a result for item \(item) of row `\(rows[index].id)`")
      }
    }
    guard context.shard == nil else { return }
    let output = try rows.enumerated().map { index, row in
      try stage.assemble(row, results: results[index].compactMap { $0 }, options: context.options)
    }
    try writeRows(output, to: context.output("rows", .rows))
  }

  /// All rows at the port, those of one artifact after those of another.
  /// - Throws: `InputError` for an id that two artifacts have: a result is stored under its row's id.
  private func readRows(of port: InputPort, replacesSamples: Bool) throws -> [Row] {
    let artifacts = context.artifacts(port.name)
    var all: [Row] = []
    var labels: [UTF8Key: String] = [:]
    for artifact in artifacts {
      var rows = try Runner.readRows(artifact.path, requiring: port.columns)
      if replacesSamples {
        for index in rows.indices { for column in artifact.columns.samples { rows[index][column] = nil } }
      }
      if artifacts.count > 1 {
        for row in rows {
          if let earlier = labels.updateValue(artifact.label, forKey: UTF8Key(row.id)) {
            throw InputError(
              "row `\(row.id)` is in `\(port.name)` of \(earlier) and in `\(port.name)` of \(artifact.label); "
                + "expected ids that are unique across all of them")
          }
        }
      }
      all += rows
    }
    return all
  }
}

/// A row stage that did not keep to the contract.
struct RowStageError: Error, CustomStringConvertible {
  let description: String
}

/// What a row stage reports to: the driver counts the items, since only it knows of those finished before; of a stage's
/// own progress the unit and the message are kept.
private final class RowStageReporter: StageReporter {
  private let inner: any StageReporter
  private let total: Int
  private let state: Mutex<(done: Int, unit: String, message: String?)>

  init(inner: any StageReporter, done: Int, total: Int) {
    self.inner = inner
    self.total = total
    state = Mutex((done, "items", nil))
  }

  func finishItem() {
    let state = state.withLock { state in
      state.done += 1
      return state
    }
    inner.progress(done: state.done, total: total, unit: state.unit, message: state.message)
  }

  func progress(done: Int, total: Int, unit: String, message: String?) {
    let state = state.withLock { state in
      state.unit = unit
      state.message = message
      return state
    }
    inner.progress(done: state.done, total: self.total, unit: state.unit, message: state.message)
  }

  func log(_ line: String) { inner.log(line) }
  func measure(_ name: String, _ value: Double) { inner.measure(name, value) }
  var isStopRequested: Bool { inner.isStopRequested }
}

extension StageContext {
  fileprivate func reporting(to reporter: any StageReporter) -> StageContext {
    StageContext(
      options: options, inputs: inputs, collections: collections, seed: seed, numericMode: numericMode,
      threads: threads,
      engine: engine,
      scratch: scratch, checkpointDirectory: checkpointDirectory, checkpointSeconds: checkpointSeconds,
      shard: shard,
      journalDirectory: journalDirectory, outputDirectory: outputDirectory, reporter: reporter)
  }
}

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
    let finished = try context.journalDirectory.map { try RowJournal.read($0) } ?? [:]
    var items = RowItemResults(stage: declaration.name, rows[range], counts: counts, finished: finished)
    if items.missing.count < items.total {
      context.log("\(items.total - items.missing.count) of \(items.total) items were already finished")
    }
    if !items.missing.isEmpty { try compute(&items) }
    try items.requireComplete()
    guard context.shard == nil else { return }
    let results = rows.indices.map { items.results(ofRow: $0) }
    try stage.report(results, to: context)
    let output = try zip(rows, results).compactMap { row, results in
      try stage.assemble(row, results: results, options: context.options)
    }
    try writeRows(output, to: context.output("rows", .rows))
  }

  /// Each result is in the journal as soon as the stage gives it.
  private func compute(_ items: inout RowItemResults) throws {
    let missing = items.missing
    let reporter = RowStageReporter(
      inner: context.reporter, done: items.total - missing.count, total: items.total)
    let journal = try context.journalDirectory.map { try RowJournal(in: $0) }
    do {
      try stage.process(missing, context: context.reporting(to: reporter)) { item, result in
        try items.check(item, result)
        try journal?.append(id: item.row.id, item: item.item, result: result)
        if items.record(item, result) { reporter.finishItem() }
      }
    } catch {
      try? journal?.synchronize()
      throw error
    }
    try journal?.synchronize()
  }

  /// All rows at the port, those of one artifact after those of another.
  /// - Throws: `InputError` for an id that two artifacts have: a result is stored under its row's id.
  private func readRows(of port: InputPort, replacesSamples: Bool) throws -> [Row] {
    let artifacts = context.artifacts(port.name)
    var all: [Row] = []
    var labels: [UTF8Key: String] = [:]
    for artifact in artifacts {
      var rows = try Experiments.readRows(artifact.path, requiring: port.columns)
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
/// own progress the unit, the message and the values are kept.
private final class RowStageReporter: StageReporter {
  let inner: any StageReporter
  private let total: Int
  private let state: Mutex<State>

  private struct State {
    var done: Int
    var unit = "items"
    var message: String?
    var values: [(name: String, value: Double)] = []
  }

  init(inner: any StageReporter, done: Int, total: Int) {
    self.inner = inner
    self.total = total
    state = Mutex(State(done: done))
  }

  func finishItem() {
    let state = state.withLock { state in
      state.done += 1
      return state
    }
    report(state)
  }

  func progress(done: Int, total: Int, unit: String, message: String?) {
    progress(done: done, total: total, unit: unit, message: message, values: [])
  }

  func progress(
    done: Int, total: Int, unit: String, message: String?, values: [(name: String, value: Double)]
  ) {
    let state = state.withLock { state in
      state.unit = unit
      state.message = message
      state.values = values
      return state
    }
    report(state)
  }

  private func report(_ state: State) {
    inner.progress(
      done: state.done, total: total, unit: state.unit, message: state.message, values: state.values)
  }

  func log(_ line: String) { inner.log(line) }
  func measure(_ name: String, _ value: Double) { inner.measure(name, value) }
  var isStopRequested: Bool { inner.isStopRequested }
}

extension StageContext {
  /// Of a stage that is only looked at.
  package var probe: (any StageProbe)? {
    ((reporter as? RowStageReporter)?.inner ?? reporter) as? any StageProbe
  }

  fileprivate func reporting(to reporter: any StageReporter) -> StageContext {
    StageContext(
      options: options, inputs: inputs, collections: collections, seed: seed, numericMode: numericMode,
      threads: threads,
      engine: engine,
      scratch: scratch, checkpointDirectory: checkpointDirectory, checkpointSeconds: checkpointSeconds,
      shard: shard,
      journalDirectory: journalDirectory, repliesDirectory: repliesDirectory, mayAsk: mayAsk,
      outputDirectory: outputDirectory, reporter: reporter)
  }
}

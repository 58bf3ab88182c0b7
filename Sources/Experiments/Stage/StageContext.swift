// What a running stage is given: inputs as read-only paths, a place for each output, scratch, and a way to
// report progress and hear of a stop.

import JSON
import Synchronization

/// An input artifact as a stage sees it.
public struct Artifact: Sendable {
  public let type: ArtifactType
  /// Absolute. Read-only; a file for rows, metrics, file and GGUF models, a directory for Hugging Face models.
  public let path: String
  /// Distinguishes the artifacts of a port that collects: the cell (`rm=a`), the iteration (`2`), the name it was given
  /// under `in:`. Empty on other ports.
  public let label: String
  /// For rows: the columns that the producing stage declared.
  public let columns: ColumnTable
  /// Of a model behind a server, whose path is its address.
  package let server: ServerModel?
  public init(type: ArtifactType, path: String, label: String = "", columns: ColumnTable = ColumnTable()) {
    self.init(type: type, path: path, label: label, columns: columns, server: nil)
  }

  package init(
    type: ArtifactType, path: String, label: String = "", columns: ColumnTable = ColumnTable(),
    server: ServerModel?
  ) {
    self.type = type
    self.path = path
    self.label = label
    self.columns = columns
    self.server = server
  }
}

/// A range of rows out of all of them, for a stage that runs in several workers.
public struct Shard: Sendable, Equatable {
  public let index: Int
  public let count: Int
  public init(index: Int, count: Int) {
    self.index = index
    self.count = count
  }
  /// This shard's rows among `rowCount`: contiguous, in order, sizes differing by at most one.
  public func range(of rowCount: Int) -> Range<Int> {
    (rowCount * index / count)..<(rowCount * (index + 1) / count)
  }
}

public final class StageContext: Sendable {
  public let options: StageOptions
  /// Bound input ports; an optional port that is unbound or null is absent. Of a port that collects, the first.
  public let inputs: [String: Artifact]
  /// By port that collects.
  let collections: [String: [Artifact]]
  /// The node's seed; fixed by the experiment, never by the clock.
  public let seed: UInt64
  /// Of a stage that computes, one of the modes that its `numerics` declares.
  public let numericMode: String
  /// Threads this stage may use. Must not influence any result.
  public let threads: Int
  /// The `engine:` mapping: how to run (memory, batch), never what the result is.
  public let engine: JSON
  /// A private directory on the store's file system, empty at the first attempt.
  public let scratch: String
  /// Survives a crash: the same directory is handed to the next attempt at this same content key.
  public let checkpointDirectory: String
  /// Seconds between training checkpoints (`checkpoint: {seconds: …}`).
  public let checkpointSeconds: Double
  /// Set when this worker computes one shard only: it journals its items and writes no output.
  public let shard: Shard?
  /// Where `RowStageDriver` keeps finished items; nil keeps none.
  package let journalDirectory: String?
  /// Where replies of servers are kept, for all experiments of the store.
  package let repliesDirectory: String?
  /// Whether a server may be asked for what is not kept.
  package let mayAsk: Bool
  let outputDirectory: String
  let reporter: any StageReporter
  private let tokenizers = Mutex<[(output: String, column: String, tokenizer: String)]>([])

  public convenience init(
    options: StageOptions, inputs: [String: Artifact], collections: [String: [Artifact]] = [:], seed: UInt64,
    numericMode: String = "",
    threads: Int, engine: JSON = .object(JSONObject()), scratch: String, checkpointDirectory: String,
    checkpointSeconds: Double = 60, shard: Shard? = nil, journalDirectory: String? = nil,
    outputDirectory: String, reporter: any StageReporter
  ) {
    self.init(
      options: options, inputs: inputs, collections: collections, seed: seed, numericMode: numericMode,
      threads: threads, engine: engine, scratch: scratch, checkpointDirectory: checkpointDirectory,
      checkpointSeconds: checkpointSeconds, shard: shard, journalDirectory: journalDirectory,
      repliesDirectory: nil, mayAsk: true, outputDirectory: outputDirectory, reporter: reporter)
  }

  package init(
    options: StageOptions, inputs: [String: Artifact], collections: [String: [Artifact]] = [:], seed: UInt64,
    numericMode: String = "",
    threads: Int, engine: JSON = .object(JSONObject()), scratch: String, checkpointDirectory: String,
    checkpointSeconds: Double = 60, shard: Shard? = nil, journalDirectory: String? = nil,
    repliesDirectory: String?, mayAsk: Bool = true, outputDirectory: String, reporter: any StageReporter
  ) {
    self.options = options
    self.inputs = inputs.merging(collections.compactMapValues(\.first)) { single, _ in single }
    self.collections = collections
    self.seed = seed
    self.numericMode = numericMode
    self.threads = threads
    self.engine = engine
    self.scratch = scratch
    self.checkpointDirectory = checkpointDirectory
    self.checkpointSeconds = checkpointSeconds
    self.shard = shard
    self.journalDirectory = journalDirectory
    self.repliesDirectory = repliesDirectory
    self.mayAsk = mayAsk
    self.outputDirectory = outputDirectory
    self.reporter = reporter
  }

  /// A required input; the planner has checked that it is bound.
  public func input(_ port: String) -> Artifact {
    guard let artifact = inputs[port] else { preconditionFailure("input `\(port)` is not bound") }
    return artifact
  }

  /// What a port that collects was given, in the order of cells, iterations and the list in the file; empty when it is
  /// unbound. Of any other port its one artifact.
  public func artifacts(_ port: String) -> [Artifact] {
    collections[port] ?? inputs[port].map { [$0] } ?? []
  }

  /// Where to write the output of this port: `PORT.jsonl` for rows, `PORT.json` for metrics, `PORT` for a file, and a
  /// directory `PORT` (which the stage creates) for a model.
  public func output(_ port: String, _ type: ArtifactType) -> String {
    OutputPort(port, type, summary: "").path(in: outputDirectory)
  }

  /// Says which tokenizer a declared column of token ids is of, by whatever names it: kept in the rows' column table, so that who reads
  /// them knows whether they are ids of its own. A row stage does so in `report`.
  public func declareTokenizer(_ tokenizer: String, ofColumn column: String, of output: String) {
    tokenizers.withLock { $0.append((output, column, tokenizer)) }
  }

  /// The column table of an output that was written.
  /// - Throws: `InputError` for a column that inputs declare differently.
  package func columns(of port: OutputPort, inputs: [(port: String, label: String, table: ColumnTable)])
    throws
    -> ColumnTable
  {
    var table = try ColumnTable.of(port, inputs: inputs)
    for declared in tokenizers.withLock({ $0 }) where declared.output == port.name {
      table.setTokenizer(declared.tokenizer, of: declared.column)
    }
    return table
  }

  /// Reports work done so far out of a total, in `unit` ("samples", "steps", "rows"), with an optional short
  /// message for the live view ("loss 3.21", "812 tokens/s"). Cheap; call as often as is natural.
  ///
  /// `values` are numbers that the page of a running run draws as curves over the work done, the most important first. At most
  /// eight are kept, to four digits, and those that are not finite are left out.
  public func progress(
    _ done: Int, of total: Int, unit: String, message: String? = nil,
    values: [(name: String, value: Double)] = []
  ) {
    reporter.progress(done: done, total: total, unit: unit, message: message, values: values)
  }

  /// A line for the stage's log.
  public func log(_ line: String) { reporter.log(line) }

  /// Records a number for the run's record (tokens, peak memory); never part of a result. One that is not finite is not kept.
  public func measure(_ name: String, _ value: Double) {
    if value.isFinite { reporter.measure(name, value) }
  }

  /// Records a mean and its standard error, which the line that ends the stage shows first.
  public func measure(_ name: String, mean: Double, standardError: Double) {
    measure(name, mean)
    measure(name + Self.standardError, standardError)
  }

  /// Reports that a part of the input was not used: in the log, in the line that ends the stage, and in the record. `what` is
  /// words in the plural: "empty samples". A count of 0 is not reported.
  public func leaveOut(_ count: Int, _ what: String) {
    report(count, what, "left out", as: StageContext.leftOut)
  }

  /// The same of what was used in part: texts that were cut.
  public func cut(_ count: Int, _ what: String) { report(count, what, "cut", as: StageContext.cut) }

  private func report(_ count: Int, _ what: String, _ happened: String, as prefix: String) {
    guard count > 0 else { return }
    log("\(count) \(what) \(happened)")
    let words = String(
      decoding: what.utf8.map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    measure(prefix + words, Double(count))
  }

  /// How the name of a measure begins that counts what was not used, or not wholly.
  package static let leftOut = "left_out_"
  package static let cut = "cut_"
  /// At the end of a measure's name: its standard error.
  package static let standardError = "_se"

  /// Throws `CancellationError` when the runner has asked for a clean stop. Call between units of work, after
  /// having made durable what is finished.
  public func checkCancellation() throws {
    if reporter.isStopRequested { throw CancellationError() }
  }
}

/// The runner's end of a stage's reports.
public protocol StageReporter: Sendable {
  func progress(done: Int, total: Int, unit: String, message: String?)
  /// The same with numbers that belong to it. A reporter without it is given the progress alone.
  func progress(
    done: Int, total: Int, unit: String, message: String?, values: [(name: String, value: Double)])
  func log(_ line: String)
  func measure(_ name: String, _ value: Double)
  var isStopRequested: Bool { get }
}

extension StageReporter {
  public func progress(
    done: Int, total: Int, unit: String, message: String?, values: [(name: String, value: Double)]
  ) {
    progress(done: done, total: total, unit: unit, message: message)
  }
}

extension OutputPort {
  /// Where a stage writes it.
  package func path(in directory: String) -> String {
    switch type {
    case .rows: "\(directory)/\(name).jsonl"
    case .metrics: "\(directory)/\(name).json"
    case .file, .model: "\(directory)/\(name)"
    }
  }
}

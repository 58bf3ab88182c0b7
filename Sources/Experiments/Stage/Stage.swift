// What a stage is: the contract for everyone who writes one.

import JSON
import System

/// One kind of step in an experiment. A stage is a value made from nothing; all it needs reaches it through
/// its context: read-only inputs, resolved options, a scratch directory, progress and cancellation. It never
/// sees the store, the plan or another stage.
public protocol Stage: Sendable {
  /// What the planner, the documentation and the option decoder need to know about this stage.
  static var declaration: StageDeclaration { get }

  /// For a stage whose ports, columns or traits follow from its options: what it declares under these. Name, version and options
  /// stay. `options` may lack what was written wrongly, which is reported elsewhere.
  static func declaration(for options: JSON) -> StageDeclaration

  /// Whether `declaration(for:)` has other ports than `declaration` does.
  static var portsFollowOptions: Bool { get }

  /// What is wrong for certain before anything has run, and what is known of the outputs. Called once for each distinct
  /// knowledge of a declared stage; reads little: the first lines of a file, never a whole model.
  static func check(_ stage: StageCheck) -> StageFindings

  init()

  /// Computes every declared output and writes each to `context.output(NAME)`.
  /// - Throws: `InputError` when an input file is wrong (exit 4), `CancellationError` after a clean stop
  ///   at the runner's request, any other error when the stage failed (exit 1).
  func run(_ context: StageContext) throws
}

extension Stage {
  public static func declaration(for options: JSON) -> StageDeclaration { declaration }
  public static var portsFollowOptions: Bool { false }
  public static func check(_ stage: StageCheck) -> StageFindings { StageFindings() }
}

/// A stage whose output rows each depend on one input row only, of which it may leave some out. The runner journals every finished item, so
/// that a killed stage loses at most the items in flight, and may split the rows into shards.
///
/// An *item* is the unit of work inside a row: one sample of a prompt, one generation to score. Its result is
/// a small JSON value. The runner calls `process` with the items the journal does not hold, in row order, and
/// `assemble` once all items of all rows are known. The input rows are read from the port `rowsPort`, the
/// output rows are written to the port `rows`.
public protocol RowStage: Stage {
  /// The input port whose rows are independent. Where it collects, ids must be unique over all of its artifacts.
  static var rowsPort: String { get }

  /// How many items this row has; may depend on the row (its number of generations) and the options.
  func itemCount(of row: Row, options: StageOptions) throws -> Int

  /// Computes items, in any order and any batching, and hands each result to `emit` as soon as it is final.
  /// The bits of a result may depend on its row, its item index, the options, the seed and the inputs, and on
  /// nothing else: not on which other items are here. `emit` is called from one thread at a time.
  /// Check `context.checkCancellation()` between batches.
  func process(
    _ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void) throws

  /// What the results of all rows say together, for the log and the record (`context.leaveOut`, `context.cut`): it holds whatever was finished
  /// before, and in whichever shard. Called once, with the results of each row in item order, before the rows are written.
  /// - Throws: `InputError` when no output can be made of them.
  func report(_ results: [[JSON]], to context: StageContext) throws

  /// The output row of `row`, given the results of its items in item order; nil leaves it out. Pure.
  func assemble(_ row: Row, results: [JSON], options: StageOptions) throws -> Row?
}

extension RowStage {
  public func report(_ results: [[JSON]], to context: StageContext) {}

  /// Row stages are driven by the runner item by item (see `RowStageDriver`).
  public func run(_ context: StageContext) throws { try RowStageDriver(stage: self, context: context).run() }
}

/// One item of work of a `RowStage`.
public struct RowItem: Sendable {
  /// Position of the row among all at the port: in the input file, or in those of a port that collects one after the other.
  public let rowIndex: Int
  public let row: Row
  /// 0 ..< itemCount(of: row)
  public let item: Int

  public init(rowIndex: Int, row: Row, item: Int) {
    self.rowIndex = rowIndex
    self.row = row
    self.item = item
  }
}

/// An input file is wrong: what, where, which rule. Ends the run with exit code 4.
public struct InputError: ErrorWithExitCode, Sendable, CustomStringConvertible {
  public let description: String
  package var exitCode: ExitCode { .input }

  /// For a line of a file, pass `file:line` as part of `description`.
  public init(_ description: String) { self.description = description }
}

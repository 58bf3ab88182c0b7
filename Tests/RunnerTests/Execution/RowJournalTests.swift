import Glibc
import JSON
import Runner
import Synchronization
import System
import TestFolder
import Testing

/// What a stage reports, kept.
final class KeptReports: StageReporter {
  private let stop: Bool
  let lines = Mutex<[String]>([])
  let progress = Mutex<[(Int, Int, String)]>([])
  let values = Mutex<[Double]>([])
  init(stop: Bool = false) { self.stop = stop }
  func progress(done: Int, total: Int, unit: String, message: String?) {
    progress.withLock { $0.append((done, total, unit)) }
  }
  func progress(
    done: Int, total: Int, unit: String, message: String?, values: [(name: String, value: Double)]
  ) {
    progress(done: done, total: total, unit: unit, message: message)
    self.values.withLock { $0 += values.map(\.value) }
  }
  func log(_ line: String) { lines.withLock { $0.append(line) } }
  func measure(_ name: String, _ value: Double) { lines.withLock { $0.append("\(name) \(Int(value))") } }
  var isStopRequested: Bool { stop }
}

/// Squares; fails at item `failAt` of all that it is given.
struct SquareStage: RowStage {
  static let failAt = StageOption("fail_at", .integer(0...1000), default: 1000, summary: "")
  static let declaration = StageDeclaration(
    name: "square", summary: "", version: 1, inputs: [InputPort("rows", .rows, columns: ["n"], summary: "")],
    outputs: [OutputPort("rows", .rows, passesThrough: "rows", columns: ["squares"], summary: "")],
    options: [failAt.field])
  static let rowsPort = "rows"
  struct Failure: Error {}
  func itemCount(of row: Row, options: StageOptions) -> Int { row["n"]?.intValue ?? 0 }
  func process(_ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void) throws {
    // Backwards: results may come in any order.
    for (position, item) in items.reversed().enumerated() {
      if position == context.options[Self.failAt] { throw Failure() }
      context.progress(position, of: items.count, unit: "squares", values: [("position", Double(position))])
      try emit(item, .double(Double(item.rowIndex * 10 + item.item)))
    }
  }
  func assemble(_ row: Row, results: [JSON], options: StageOptions) -> Row? {
    var row = row
    row["squares"] = .array(results)
    return row
  }
}

/// Adds up what a second port that collects holds, and gives each row of a first that collects its place.
struct GatherStage: RowStage {
  static let declaration = StageDeclaration(
    name: "gather", summary: "", version: 1,
    inputs: [
      InputPort("rows", .rows, collects: true, summary: ""),
      InputPort("weights", .rows, required: false, collects: true, summary: ""),
    ], outputs: [OutputPort("rows", .rows, passesThrough: "rows", columns: ["place"], summary: "")],
    options: [])
  static let rowsPort = "rows"
  func itemCount(of row: Row, options: StageOptions) -> Int { 1 }
  func process(_ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void) throws {
    let weights = try context.artifacts("weights").flatMap { try readRows($0.path) }
    let sum = weights.reduce(0) { $0 + ($1["n"]?.intValue ?? 0) }
    for item in items { try emit(item, .int(Int64(100 * sum + item.rowIndex))) }
  }
  func assemble(_ row: Row, results: [JSON], options: StageOptions) -> Row? {
    var row = row
    row["place"] = results.first
    return row
  }
}

/// Leaves out rows without items, and says so.
struct SelectStage: RowStage {
  static let declaration = StageDeclaration(
    name: "select", summary: "", version: 1,
    inputs: [InputPort("rows", .rows, columns: ["n"], summary: "")],
    outputs: [OutputPort("rows", .rows, passesThrough: "rows", summary: "")], options: [])
  static let rowsPort = "rows"
  func itemCount(of row: Row, options: StageOptions) -> Int { row["n"]?.intValue ?? 0 }
  func process(_ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void) throws {
    for item in items { try emit(item, .int(Int64(item.item))) }
  }
  func report(_ results: [[JSON]], to context: StageContext) {
    context.leaveOut(results.count { $0.isEmpty }, "empty rows")
    context.cut(results.count { $0.count > 2 }, "long rows")
  }
  func assemble(_ row: Row, results: [JSON], options: StageOptions) -> Row? { results.isEmpty ? nil : row }
}

/// Breaks the contract of row stages.
struct StrayStage: RowStage {
  static let declaration = StageDeclaration(
    name: "stray", summary: "", version: 1, inputs: [InputPort("model", .model, summary: "")],
    outputs: [OutputPort("rows", .rows, summary: "")], options: [])
  static let rowsPort = "model"
  func itemCount(of row: Row, options: StageOptions) -> Int { 0 }
  func process(_ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void) {}
  func assemble(_ row: Row, results: [JSON], options: StageOptions) -> Row? { row }
}

@Suite struct RowJournalTests {
  @Test func `a row stage reads all that its ports collect, and refuses an id that two artifacts have`()
    throws
  {
    let folder = TemporaryFolder()
    func collected(_ files: [String]) -> [Artifact] {
      files.map { Artifact(type: .rows, path: "\(folder.path)/\($0)", label: "k=\($0)") }
    }
    try folder.write("{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\",\"n\":2}\n", to: "1")
    try folder.write("{\"id\":\"c\",\"n\":4}\n", to: "2")
    try folder.write("{\"id\":\"b\",\"n\":8}\n", to: "3")
    func run(_ rows: [String], shard: Shard? = nil) throws {
      let context = StageContext(
        options: StageOptions([:]), inputs: [:],
        collections: ["rows": collected(rows), "weights": collected(["1", "2"])], seed: 0, threads: 1,
        scratch: folder.path, checkpointDirectory: folder.path, shard: shard,
        journalDirectory: "\(folder.path)/journal", outputDirectory: folder.path, reporter: KeptReports())
      try GatherStage().run(context)
    }
    for index in 0..<2 { try run(["1", "2"], shard: Shard(index: index, count: 2)) }
    try run(["1", "2"])
    #expect(
      folder.text("rows.jsonl") == """
        {"id":"a","n":1,"place":700}
        {"id":"b","n":2,"place":701}
        {"id":"c","n":4,"place":702}

        """)
    #expect {
      try run(["1", "3"])
    } throws: {
      "\($0)".hasPrefix("row `b` is in `rows` of k=1 and in `rows` of k=3; expected ids")
    }
  }

  @Test func `a row stage that breaks its contract is known at registration`() {
    #expect(SquareStage.contractProblem == nil && GatherStage.contractProblem == nil)
    #expect(StrayStage.contractProblem == "the input `model` of a row stage holds rows and is required")
  }

  private func context(
    _ folder: TemporaryFolder, failAt: Int = 1000, shard: Shard? = nil, reporter: KeptReports = KeptReports()
  ) -> StageContext {
    StageContext(
      options: StageOptions(["fail_at": .int(Int64(failAt))]),
      inputs: ["rows": Artifact(type: .rows, path: "\(folder.path)/in.jsonl")], seed: 0, threads: 1,
      scratch: folder.path, checkpointDirectory: folder.path, shard: shard,
      journalDirectory: "\(folder.path)/journal",
      outputDirectory: folder.path, reporter: reporter)
  }

  private let input = "{\"id\":\"a\",\"n\":3}\n{\"id\":\"b\",\"n\":0}\n{\"id\":\"c\",\"n\":2}\n"
  private let output = """
    {"id":"a","n":3,"squares":[0.0,1.0,2.0]}
    {"id":"b","n":0,"squares":[]}
    {"id":"c","n":2,"squares":[20.0,21.0]}

    """

  @Test func `results in any order are assembled in row order`() throws {
    let folder = TemporaryFolder()
    try folder.write(input, to: "in.jsonl")
    try SquareStage().run(context(folder))
    #expect(folder.text("rows.jsonl") == output)
  }

  @Test func `a failed attempt's items are not asked for again`() throws {
    let folder = TemporaryFolder()
    try folder.write(input, to: "in.jsonl")
    #expect(throws: SquareStage.Failure.self) { try SquareStage().run(context(folder, failAt: 3)) }
    let reports = KeptReports()
    // Of five items three are known; a stage that fails at its third would fail if it were given more than two.
    try SquareStage().run(context(folder, failAt: 2, reporter: reports))
    #expect(folder.text("rows.jsonl") == output)
    // Each after the stage's own report, which counts what the driver knows.
    #expect(reports.progress.withLock { $0.map(\.0) } == [3, 4, 4, 5])
    #expect(reports.values.withLock { $0 } == [0, 0, 1, 1])
  }

  @Test func `a journal cut anywhere gives the same rows`() throws {
    let whole = TemporaryFolder()
    try whole.write(input, to: "in.jsonl")
    try SquareStage().run(context(whole))
    let name = try #require(try File.names(in: "\(whole.path)/journal").first)
    let journal = try File.read("\(whole.path)/journal/\(name)")
    for length in 0...journal.count {
      let folder = TemporaryFolder()
      try folder.write(input, to: "in.jsonl")
      try File.makeDirectory("\(folder.path)/journal")
      try folder.write(String(decoding: journal[..<length], as: UTF8.self), to: "journal/torn.jsonl")
      try SquareStage().run(context(folder))
      #expect(folder.text("rows.jsonl") == output, "cut at \(length)")
    }
  }

  @Test func `a line with a flipped bit is as if it were not there`() throws {
    let whole = TemporaryFolder()
    try whole.write(input, to: "in.jsonl")
    try SquareStage().run(context(whole))
    let name = try #require(try File.names(in: "\(whole.path)/journal").first)
    var journal = try File.read("\(whole.path)/journal/\(name)")
    let place = try #require(journal.firstRange(of: Array("21.0".utf8))).lowerBound
    journal[place] = UInt8(ascii: "9")
    try whole.write(String(decoding: journal, as: UTF8.self), to: "journal/\(name)")
    try SquareStage().run(context(whole))
    #expect(whole.text("rows.jsonl") == output)
  }

  @Test(arguments: 1...5) func `shards journal, and the whole assembles`(count: Int) throws {
    let folder = TemporaryFolder()
    try folder.write(input, to: "in.jsonl")
    for index in 0..<count {
      try SquareStage().run(context(folder, shard: Shard(index: index, count: count)))
    }
    #expect(FileStatus.of("\(folder.path)/rows.jsonl") == nil)
    // Nothing is left to compute.
    try SquareStage().run(context(folder, failAt: 0))
    #expect(folder.text("rows.jsonl") == output)
  }
  @Test(arguments: 0...4) func `a row may be left out, and what all rows say together is said once`(
    shards: Int
  )
    throws
  {
    let folder = TemporaryFolder()
    try folder.write(input, to: "in.jsonl")
    let reports = KeptReports()
    for index in 0..<shards {
      try SelectStage().run(
        context(folder, shard: Shard(index: index, count: shards), reporter: reports))
    }
    try SelectStage().run(context(folder, reporter: reports))
    #expect(folder.text("rows.jsonl") == "{\"id\":\"a\",\"n\":3}\n{\"id\":\"c\",\"n\":2}\n")
    #expect(
      reports.lines.withLock { $0.filter { !$0.hasSuffix("already finished") } } == [
        "1 empty rows left out", "left_out_empty_rows 1", "1 long rows cut", "cut_long_rows 1",
      ])
  }
}

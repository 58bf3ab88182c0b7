// Toy stages: rows out of nothing, items that take time, training with checkpoints, and every kind of misbehaviour.

import Glibc
import JSON
import Runner
import System

struct RowsStage: Stage {
  static let count = StageOption("count", .integer(0...1_000_000), default: 10, summary: "")
  static let modulus = StageOption("modulus", .integer(1...1_000_000), default: 1_000_000, summary: "")
  static let declaration = StageDeclaration(
    name: "rows", summary: "rows", version: 1, inputs: [],
    outputs: [OutputPort("rows", .rows, columns: ["number"], summary: "rows")],
    options: [count.field, modulus.field])
  func run(_ context: StageContext) throws {
    let rows = (0..<context.options[Self.count]).map { index in
      Row(["id": .string("r\(index)"), "number": .int(Int64(index % context.options[Self.modulus]))])
    }
    try writeRows(rows, to: context.output("rows", .rows))
  }
}

/// The folder of the run: a stage works in its scratch, which is inside the store.
func projectFolder(_ context: StageContext) -> String {
  context.scratch.firstRange(of: "/.plumb/").map { String(context.scratch[..<$0.lowerBound]) } ?? "."
}

/// Mixes each row's number with its seed, slowly; writes each computed item's name to the file `trace` names.
struct MixStage: RowStage {
  static let items = StageOption("items", .integer(0...1000), default: 3, summary: "")
  static let milliseconds = StageOption("milliseconds", .integer(0...10_000), default: 0, summary: "")
  static let salt = StageOption("salt", .string, default: "", summary: "")
  static let declaration = StageDeclaration(
    name: "mix", summary: "mix", version: 1,
    inputs: [InputPort("rows", .rows, columns: ["number"], summary: "rows")],
    outputs: [OutputPort("rows", .rows, passesThrough: "rows", columns: ["mixed"], summary: "rows")],
    options: [items.field, milliseconds.field, salt.field], isRandom: true,
    numerics: Numerics(deviceClass: "cpu", version: 2, modes: ["bf16", "fp32"]),
    rowsAreIndependent: true)
  static let rowsPort = "rows"

  func itemCount(of row: Row, options: StageOptions) -> Int { options[Self.items] }

  func process(_ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void) throws {
    let started = open("\(projectFolder(context))/trace", O_WRONLY | O_CREAT | O_APPEND, 0o644)
    defer { close(started) }
    for item in items {
      try context.checkCancellation()
      usleep(UInt32(context.options[Self.milliseconds]) * 1000)
      let text =
        "\(item.row.id) \(item.item) \(item.row["number"]?.intValue ?? -1) \(context.seed) \(context.options[Self.salt])"
      let value = text.utf8.reduce(UInt32(17)) { ($0 &* 31) ^ UInt32($1) }
      let line = "\(item.row.id)/\(item.item)\n"
      _ = write(started, line, line.utf8.count)
      try emit(item, .double(Double(value) / 3))
    }
  }

  func assemble(_ row: Row, results: [JSON], options: StageOptions) -> Row? {
    var row = row
    row["mixed"] = .array(results)
    return row
  }
}

/// A "model": two files. Steps take time; each is checkpointed.
struct TrainStage: Stage {
  static let steps = StageOption("steps", .integer(0...1000), default: 5, summary: "")
  static let milliseconds = StageOption("milliseconds", .integer(0...10_000), default: 0, summary: "")
  static let declaration = StageDeclaration(
    name: "train", summary: "train", version: 1,
    inputs: [
      InputPort("rows", .rows, summary: "rows"),
      InputPort("model", .model, required: false, summary: "model"),
    ], outputs: [OutputPort("model", .model, summary: "model")],
    options: [steps.field, milliseconds.field],
    numerics: Numerics(deviceClass: "cpu", version: 2, modes: ["bf16", "fp32"]))
  func run(_ context: StageContext) throws {
    let rows = try readRows(context.input("rows").path)
    var state = Digest.of(text: rows.map { $0.columns.text() }.joined()).hex
    if let model = context.inputs["model"] {
      state =
        Digest.of(text: state + String(decoding: try File.read("\(model.path)/weights"), as: UTF8.self)).hex
    }
    let checkpoint = "\(context.checkpointDirectory)/state"
    var step = 0
    if FileStatus.of(checkpoint) != nil {
      let parts = String(decoding: try File.read(checkpoint), as: UTF8.self).split(separator: " ")
      step = Int(parts[0]) ?? 0
      state = String(parts[1])
      context.log("resumed at step \(step)")
    }
    while step < context.options[Self.steps] {
      try context.checkCancellation()
      usleep(UInt32(context.options[Self.milliseconds]) * 1000)
      state = Digest.of(text: state).hex
      step += 1
      try File.writeDurably("\(step) \(state)", to: checkpoint)
      context.progress(step, of: context.options[Self.steps], unit: "steps")
    }
    let output = context.output("model", .model)
    try File.makeDirectory("\(output)/sub")
    try File.writeDurably(state, to: "\(output)/weights")
    try File.writeDurably("{}", to: "\(output)/sub/config.json")
  }
}

/// Rows and a "model" out of nothing.
struct StartStage: Stage {
  static let declaration = StageDeclaration(
    name: "start", summary: "start", version: 1, inputs: [],
    outputs: [
      OutputPort("rows", .rows, columns: ["number"], summary: "rows"),
      OutputPort("model", .model, summary: "model"),
    ], options: [])
  func run(_ context: StageContext) throws {
    try writeRows([Row(["id": "r", "number": 1])], to: context.output("rows", .rows))
    try File.makeDirectory(context.output("model", .model))
    try File.writeDurably("start", to: "\(context.output("model", .model))/weights")
  }
}

/// Other rows each time: a stage that breaks its promise.
struct UnsteadyStage: Stage {
  static let declaration = StageDeclaration(
    name: "unsteady", summary: "unsteady", version: 1, inputs: [],
    outputs: [OutputPort("rows", .rows, columns: ["number"], summary: "rows")], options: [])
  func run(_ context: StageContext) throws {
    try writeRows([Row(["id": "r", "number": .int(Int64(getpid()))])], to: context.output("rows", .rows))
  }
}

struct SumStage: Stage {
  static let declaration = StageDeclaration(
    name: "sum", summary: "sum", version: 1, inputs: [InputPort("rows", .rows, summary: "rows")],
    outputs: [OutputPort("metrics", .metrics, summary: "metrics")], options: [])
  func run(_ context: StageContext) throws {
    let rows = try readRows(context.input("rows").path, requiring: ["number"])
    let sum = rows.reduce(0) { $0 + ($1["number"]?.intValue ?? 0) }
    try writeMetrics(["sum": .int(Int64(sum))], to: context.output("metrics", .metrics))
  }
}

struct ReadFileStage: Stage {
  static let path = StageOption("path", .file, summary: "")
  static let declaration = StageDeclaration(
    name: "read-file", summary: "read", version: 1, inputs: [],
    outputs: [OutputPort("rows", .rows, summary: "rows")], options: [path.field])
  func run(_ context: StageContext) throws {
    // A plan made by hand may name it from the folder of the run.
    chdir(projectFolder(context))
    try writeRows(try readRows(context.options[Self.path]), to: context.output("rows", .rows))
  }
}

/// A process that sleeps and hears no SIGTERM, in our group.
private func startSleeper() -> pid_t {
  var pid: pid_t = 0
  var argv: [UnsafeMutablePointer<CChar>?] = [
    strdup("sh"), strdup("-c"), strdup("trap '' TERM; sleep 60"), nil,
  ]
  defer { for pointer in argv { free(pointer) } }
  return posix_spawnp(&pid, "/bin/sh", nil, nil, &argv, environ) == 0 ? pid : -1
}

struct MisbehaveStage: Stage {
  static let how = StageOption("how", .string, summary: "")
  static let salt = StageOption("salt", .integer(0...100), default: 0, summary: "")
  static let declaration = StageDeclaration(
    name: "misbehave", summary: "misbehave", version: 1,
    inputs: [InputPort("file", .file, required: false, summary: "what must be there before")],
    outputs: [OutputPort("file", .file, summary: "file")],
    options: [how.field, salt.field]
  )
  struct Failure: Error, CustomStringConvertible { let description = "it went wrong" }
  func run(_ context: StageContext) throws {
    let how = context.options[Self.how]
    // They meet in the folder of the run; a stage works in its scratch.
    if how != "write-elsewhere" { chdir(projectFolder(context)) }
    context.log("about to misbehave")
    switch how {
    case "throw": throw Failure()
    case "hostile-words":
      context.log("a log with \u{1B}]0;a title\u{7} and \u{202E}backwards")
      context.progress(1, of: 2, unit: "ro\u{1B}[2Jws", message: "\u{1B}[31mred\u{2066}")
      throw RunError(.stageFailed, "\u{1B}[1Awrong\u{202E}\r")
    case "write-elsewhere":
      // Where it has no business: the folder of the run, and its inputs.
      try File.writeDurably("mine", to: "elsewhere")
      if let input = context.inputs["file"] {
        guard open(input.path, O_WRONLY) < 0 || getuid() == 0 else { throw Failure() }
      }
      try File.writeDurably("fine", to: context.output("file", .file))
    case "write-outside":
      try File.writeDurably("mine", to: "\(projectFolder(context))/outside")
      try File.writeDurably("fine", to: context.output("file", .file))
    case "remove-outside":
      // By a program that it starts.
      let line = "rm -f '\(projectFolder(context))/precious' 2>&1"
      let said = try ChildProcess.run("/bin/sh", arguments: ["-c", line], environment: []).output
      context.log(said)
      try File.writeDurably("fine", to: context.output("file", .file))
    case "kill": kill(getpid(), SIGKILL)
    case "trap": abort()
    case "silent": break
    case "input": throw InputError("data.jsonl:3:1: bad")
    case "hang": while true { usleep(100_000) }
    case "deaf-hang":
      try File.writeDurably("\(getpid())", to: "pid")
      while true { usleep(100_000) }
    case "chatty":
      for _ in 0..<300_000 { context.log(String(repeating: "x", count: 60)) }
      try File.writeDurably("fine", to: context.output("file", .file))
    case "exit": exit(0)
    case "leave-child":
      // In our process group, deaf to what we are told.
      let child = startSleeper()
      try File.writeDurably("\(child)", to: "pid")
      try File.writeDurably("fine", to: context.output("file", .file))
    case "killed-once":
      if FileStatus.of("flag") == nil {
        try File.writeDurably("", to: "flag")
        kill(getpid(), SIGKILL)
      }
      try File.writeDurably("fine", to: context.output("file", .file))
    case "clock":
      try File.writeDurably("\(monotonicSeconds())", to: context.output("file", .file))
    case "meet":
      // Ends only when another of these runs at the same time.
      let me = "meet-\(getpid())"
      try File.writeDurably("", to: me)
      for _ in 0..<2000 {
        if try File.names(in: ".").count(where: { $0.hasPrefix("meet-") }) > 1 {
          return try File.writeDurably("met", to: context.output("file", .file))
        }
        usleep(5000)
      }
      throw Failure()
    case "alone":
      // Fails when another of these runs at the same time: of two, the later one finds the earlier one's file.
      let me = "alone-\(getpid())"
      try File.writeDurably("", to: me)
      guard try File.names(in: ".").allSatisfy({ $0 == me || !$0.hasPrefix("alone-") }) else {
        throw Failure()
      }
      usleep(150_000)
      try File.remove(me)
      try File.writeDurably("alone", to: context.output("file", .file))
    case "second-time":
      if FileStatus.of("flag") == nil {
        try File.writeDurably("", to: "flag")
        throw Failure()
      }
      try File.writeDurably("fine", to: context.output("file", .file))
    default: try File.writeDurably("fine", to: context.output("file", .file))
    }
  }
}

/// Rows of all its inputs, each with the label of where it comes from.
struct GatherStage: Stage {
  static let declaration = StageDeclaration(
    name: "gather", summary: "gather", version: 1,
    inputs: [InputPort("rows", .rows, collects: true, summary: "rows")],
    outputs: [OutputPort("rows", .rows, columns: ["number", "label"], summary: "rows")], options: [])
  func run(_ context: StageContext) throws {
    var rows: [Row] = []
    for artifact in context.artifacts("rows") {
      for var row in try readRows(artifact.path) {
        row["id"] = .string("\(artifact.label)/\(row.id)")
        row["label"] = .string(artifact.label)
        rows.append(row)
      }
    }
    try writeRows(rows, to: context.output("rows", .rows))
  }
}

/// Adds to a count that goes round a loop.
struct CountStage: Stage {
  static let by = StageOption("by", .integer(0...1000), default: 1, summary: "")
  static let declaration = StageDeclaration(
    name: "count", summary: "count", version: 1,
    inputs: [
      InputPort("state", .file, required: false, summary: "the count before"),
      InputPort("rows", .rows, required: false, summary: "waited for"),
    ],
    outputs: [
      OutputPort("state", .file, summary: "the count"), OutputPort("metrics", .metrics, summary: "the count"),
    ],
    options: [by.field])
  func run(_ context: StageContext) throws {
    let before = try context.inputs["state"].map { String(decoding: try File.read($0.path), as: UTF8.self) }
    let count = (before.flatMap { Int($0) } ?? 0) + context.options[Self.by]
    try File.writeDurably(String(count), to: context.output("state", .file))
    try writeMetrics(["count": .int(Int64(count))], to: context.output("metrics", .metrics))
  }
}

/// Says how long its secret is, and whether it was given another variable of the run.
struct SecretStage: Stage {
  static let key = StageOption("key", .string, summary: "")
  static let fails = StageOption("fails", .bool, default: false, summary: "")
  static let crashes = StageOption("crashes", .bool, default: false, summary: "")
  static let milliseconds = StageOption("milliseconds", .integer(0...10_000), default: 0, summary: "")
  static let declaration = StageDeclaration(
    name: "secret", summary: "secret", version: 1, inputs: [],
    outputs: [OutputPort("metrics", .metrics, summary: "numbers")],
    options: [key.field, fails.field, crashes.field, milliseconds.field])
  struct Failure: Error, CustomStringConvertible { let description: String }
  func run(_ context: StageContext) throws {
    let key = context.options[Self.key]
    context.log("the key has \(key.utf8.count) bytes")
    let isAlone = getenv("OTHER_SECRET") == nil
    usleep(UInt32(context.options[Self.milliseconds]) * 1000)
    if context.options[Self.crashes] { fatalError("could not use the key \(key)") }
    if context.options[Self.fails] { throw Failure(description: "the service refused the key \(key)") }
    try writeMetrics(
      ["bytes": .int(Int64(key.utf8.count)), "alone": .int(isAlone ? 1 : 0)],
      to: context.output("metrics", .metrics))
  }
}

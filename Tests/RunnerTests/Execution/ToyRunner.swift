// Drives the toy runner as a process in a folder of its own.

import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing

struct ToyRunner {
  let folder: TemporaryFolder
  var path: String { folder.path }

  init(nodes: String, models: String = "{}", in folder: TemporaryFolder? = nil) throws {
    self.folder = folder ?? TemporaryFolder()
    try setNodes(nodes, models: models)
  }

  func setNodes(_ nodes: String, models: String = "{}") throws {
    try folder.write("{\"nodes\": [\(nodes)], \"models\": \(models)}", to: "plan.json")
  }

  static func executable() throws -> String {
    // `swift test` runs the bundle itself, which lies beside the executables.
    "\(Path.parent(try ChildProcess.ownExecutable()))/ToyPlumb"
  }

  /// Not waited for. Output goes to the files `out` and `err`.
  func start(
    _ command: String = "run", _ more: String = "", output: String = "", file: String = "plan.json",
    environment: [(name: String, value: String)] = []
  ) throws -> ChildProcess {
    let line =
      "cd '\(path)' && exec '\(try ToyRunner.executable())' \(command) \(file) \(more) >out\(output) 2>err\(output)"
    return try ChildProcess.start(
      "/bin/sh", arguments: ["-c", line],
      environment: ChildProcess.chosenEnvironment(["PATH", "LD_LIBRARY_PATH"]) + environment,
      descriptors: [nil, nil, nil])
  }

  func run(_ command: String = "run", _ more: String = "", file: String = "plan.json") throws
    -> ChildProcess.Ending
  {
    try #require(try start(command, more, file: file).ending(waiting: true))
  }

  var standardError: String { folder.text("err") }
  var standardOutput: String { folder.text("out") }
  /// What `plan` says, less how long it expects things to take.
  var outputWithoutTimes: String {
    standardOutput.split(separator: "\n").filter { !$0.hasPrefix("from earlier runs") }.map { line in
      let parts = line.split(separator: "~", maxSplits: 1)
      guard parts.count == 2, let end = parts[1].firstRange(of: " s  ") else { return line + "\n" }
      return parts[0] + parts[1][end.upperBound...].drop { $0 == " " } + "\n"
    }.joined()
  }
  /// Items computed so far, in any run.
  var trace: [Substring] { folder.text("trace").split(separator: "\n") }

  /// Names of everything under a folder of the store: objects and records are named by what they hold.
  func names(_ folder: String) throws -> [String] {
    try Manifest.files(below: "\(path)/.plumb/\(folder)", followingLinks: false)
  }

  /// Waits until the condition holds; fails the test after 20 s.
  func wait(for what: String, _ condition: () throws -> Bool) throws {
    for _ in 0..<4000 {
      if try condition() { return }
      usleep(5000)
    }
    Issue.record("waited in vain for \(what)")
  }

  /// The last run's events with this name.
  func events(_ name: String) throws -> [JSON] {
    let run = try #require(try File.names(in: "\(path)/runs/toy").last)
    return folder.text("runs/toy/\(run)/events.jsonl").split(separator: "\n").compactMap {
      try? JSON(parsing: String($0))
    }.filter { $0["event"]?.stringValue == name }
  }
}

/// Processes started by this one.
func children(of process: ChildProcess) -> [pid_t] {
  let path = "/proc/\(process.processID)/task/\(process.processID)/children"
  let text = String(decoding: (try? File.readKernelFile(path)) ?? [], as: UTF8.self)
  return text.split(separator: " ").compactMap { pid_t($0) }
}

let mixPlan = """
  {"address": "rows", "stage": "rows", "options": {"count": 30}},
  {"address": "mix", "stage": "mix", "options": {"items": 4, "milliseconds": 5}, "inputs": {"rows": "rows:rows"}},
  {"address": "first", "stage": "train", "options": {"steps": 4, "milliseconds": 30}, "inputs": {"rows": "mix:rows"}},
  {"address": "second", "stage": "train", "options": {"steps": 4, "milliseconds": 30}, "inputs": {"rows": "mix:rows", "model": "first:model"}},
  {"address": "sum", "stage": "sum", "inputs": {"rows": "mix:rows"}}
  """

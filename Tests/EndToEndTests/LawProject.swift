// A small Quark experiment on a tiny model in a folder of its own, run by the built program as people run it.

import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing
import TinyModel

final class LawProject {
  private let folder = TemporaryFolder(below: "/tmp")
  var path: String { folder.path }

  /// How the experiment differs from the plain one. `extra` is text beside a stage's `with`, by the stage's name.
  struct Variant {
    var prompts = 5
    var samples = 4
    var tokens = 10
    var extra: [String: String] = [:]
    var sampleName = "sample"
    var comment = "# a law"

    /// Stages of some tenths of a second each, so that one can be hit in its middle. Its engine takes one item at a
    /// time, which only a law-abiding program may be asked to do.
    static let slow = Variant(
      prompts: 9, samples: 4, tokens: 24,
      extra: [
        "sample": "engine: {batch: 1}", "score": "engine: {batch: 1}",
        "train": "engine: {batch: 1}, checkpoint: {seconds: 0.001}",
      ])
    static let fast = Variant(prompts: 9, samples: 4, tokens: 24)

    var yaml: String {
      func beside(_ stage: String) -> String { extra[stage].map { ", \($0)" } ?? "" }
      return """
        \(comment)
        version: 1
        name: law
        seed: 7
        params: {iterations: 2}
        models:
          start: {path: model}
        stages:
          openings: {uses: data, with: {path: prompts.jsonl, prompt: "{text}", id: id}}
          quark:
            loop:
              times: $iterations
              carry:
                policy:  {first: start, next: train.model}
                history: {first: null, next: pool.state}
            stages:
              draw: {in: {rows: openings}, with: {count: \(prompts)}}
              \(sampleName): {uses: sample, in: {model: policy, prompts: draw}, with: {n: \(samples), top_p: 0.95, max_new_tokens: \(tokens), condition: best}\(beside("sample"))}
              score:
                {in: {model: start, rows: \(sampleName)}, with: {scorer: {kind: choice, template: "{prompt}{generation} It is", labels: [" good", " bad"], reward: " good"}}\(beside("score"))}
              quantize: {in: {rows: score, history: history}, with: {classes: 3}}
              pool: {in: {rows: quantize}, with: {per_class: 1}}
              train:
                {in: {model: policy, reference: start, rows: pool.rows}, with: {objective: {kind: conditional, kl: 0.05, entropy: 0.06}, conditioning: {kind: tokens, classes: 3}, lr: 3e-3, batch_size: 4}\(beside("train"))}
              evaluate: {in: {rows: score, reference: start}}
        metrics: {curve: quark@all.evaluate.reward}

        """
    }
  }

  init(_ variant: Variant = Variant()) throws {
    try TinyModel().write(to: "\(path)/model")
    try write(
      (0..<20).map { "{\"id\": \"o\($0)\", \"text\": \"The film \($0) was for\"}\n" }.joined(),
      to: "prompts.jsonl")
    try set(variant)
  }

  func set(_ variant: Variant) throws { try write(variant.yaml, to: "law.yaml") }
  func write(_ text: String, to name: String) throws { try folder.write(text, to: name) }
  func text(_ name: String) -> String { folder.text(name) }

  /// `swift test` runs the bundle itself, which lies beside the executables.
  static func executable() throws -> String {
    let path = "\(Path.parent(try ChildProcess.ownExecutable()))/plumb"
    try #require(access(path, X_OK) == 0, "the program is not built: \(path)")
    return path
  }

  var environment: [(name: String, value: String)] {
    ChildProcess.chosenEnvironment(["PATH", "LD_LIBRARY_PATH"]) + [
      ("PLUMB_HOME", "\(path)/store"), ("PLUMB_MODELS", "\(path)/models"),
    ]
  }

  /// Not waited for. Output goes to the files `out` and `err`.
  func start(_ arguments: String = "", environment more: [(name: String, value: String)] = []) throws
    -> ChildProcess
  {
    // One run at a time, so that what is read of a run is of the last.
    try File.removeTree("\(path)/runs")
    let line = "cd '\(path)' && exec '\(try Self.executable())' run law.yaml \(arguments) >out 2>err"
    return try ChildProcess.start(
      "/bin/sh", arguments: ["-c", line], environment: environment + more, descriptors: [nil, nil, nil])
  }

  func run(
    _ arguments: String = "", environment: [(name: String, value: String)] = []
  ) throws -> ChildProcess.Ending {
    try #require(try start(arguments, environment: environment).ending(waiting: true))
  }

  /// Any other command: waited for, with all it said; or started, its standard output going to a file.
  func plumb(_ arguments: String) throws -> (ending: ChildProcess.Ending, output: String) {
    try ChildProcess.run(
      "/bin/sh", arguments: ["-c", "cd '\(path)' && exec '\(try Self.executable())' \(arguments)"],
      environment: environment)
  }

  func start(_ arguments: String, output: String) throws -> ChildProcess {
    let line = "cd '\(path)' && exec '\(try Self.executable())' \(arguments) >'\(output)' 2>'\(output).err'"
    return try ChildProcess.start(
      "/bin/sh", arguments: ["-c", line], environment: environment, descriptors: [nil, nil, nil])
  }

  var standardError: String { text("err") }

  /// The last run's folder.
  var runPath: String {
    let names = (try? File.names(in: "\(path)/runs/law")) ?? []
    return "runs/law/\(names.last ?? "none")"
  }

  /// The last run's events with this name.
  func events(_ name: String) -> [JSON] {
    text("\(runPath)/events.jsonl").split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
      .filter { $0["event"]?.stringValue == name }
  }

  /// Addresses of the nodes the last run executed.
  var executed: [String] { events("node-finished").compactMap { $0["node"]?.stringValue } }

  /// The weights that came out of the last run's last training.
  func weights(iteration: Int = 2) throws -> Digest {
    let store = try Store(at: "\(path)/store")
    let events = events("node-finished") + events("node-cached")
    let train = try #require(events.first { $0["node"]?.stringValue == "quark@\(iteration).train" })
    let key = try #require(train["key"]?.stringValue)
    let record = try #require(try store.record(key))
    let model = try store.readingPath(try #require(record.output("model")))
    return try Digest.ofFile("\(model)/model.safetensors").digest
  }

  /// All that the store holds, by what it is: every output of every stage.
  func objects() throws -> [String] {
    try Manifest.files(below: "\(path)/store/objects", followingLinks: false)
  }

  /// Until the condition holds; fails the test after 30 s, or when the run ends first.
  func wait(for what: String, while run: ChildProcess, _ condition: () throws -> Bool) throws {
    for _ in 0..<30_000 {
      if try condition() { return }
      if let ending = run.ending() {
        Issue.record("the run ended with \(ending) before \(what): \(standardError)")
        throw CancellationError()
      }
      usleep(1000)
    }
    Issue.record("waited in vain for \(what)")
    throw CancellationError()
  }

  /// Until a node is at work and some of its results are on disk; its key.
  func waitForMiddle(of node: String, while run: ChildProcess, results: Int = 1) throws -> String {
    var key: String?
    try wait(for: "the middle of \(node)", while: run) {
      if key == nil {
        key = events("node-started").first { $0["node"]?.stringValue == node }?["key"]?.stringValue
      }
      guard let key else { return false }
      return journaled(key) >= results || checkpoint(key) != nil
    }
    return try #require(key)
  }

  /// Lines in a node's journal.
  func journaled(_ key: String) -> Int {
    let names = (try? File.names(in: "\(path)/store/journals/\(key)")) ?? []
    return names.reduce(0) { $0 + text("store/journals/\(key)/\($1)").utf8.count { $0 == 0x0A } }
  }

  func checkpoint(_ key: String) -> String? {
    ((try? File.names(in: "\(path)/store/checkpoints/\(key)")) ?? []).first { $0.hasSuffix(".safetensors") }
  }

  /// What the last run logged of a stage.
  func log(_ node: String) -> String { text("\(runPath)/logs/\(node).log") }
}

/// Processes started by this one.
func children(of process: ChildProcess) -> [pid_t] {
  let path = "/proc/\(process.processID)/task/\(process.processID)/children"
  let text = String(decoding: (try? File.readKernelFile(path)) ?? [], as: UTF8.self)
  return text.split(separator: " ").compactMap { pid_t($0) }
}

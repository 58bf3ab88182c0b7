// A secret reaches the stage that names it, and nothing else: a canary is searched for in everything a run leaves.

import Glibc
import JSON
import Runner
import System
import Testing

@Suite struct SecretRunTests {
  static let canary = "canary-7f3a9c51"

  private func experiment(fails: Bool = false, more: String = "") -> String {
    """
    version: 1
    name: toy
    stages:
      ask: {uses: secret, with: {key: {env: TOY_KEY}, fails: \(fails)\(more)}}
    metrics: {bytes: ask.bytes, alone: ask.alone}

    """
  }

  private func start(_ toy: ToyRunner, _ text: String, _ variables: [(name: String, value: String)]) throws
    -> ChildProcess
  {
    try toy.folder.write(text, to: "x.yaml")
    let line = "cd '\(toy.path)' && exec '\(try ToyRunner.executable())' run x.yaml >out 2>err"
    return try ChildProcess.start(
      "/bin/sh", arguments: ["-c", line],
      environment: ChildProcess.chosenEnvironment(["PATH", "LD_LIBRARY_PATH"]) + variables,
      descriptors: [nil, nil, nil])
  }

  private func run(_ toy: ToyRunner, _ text: String, _ variables: [(name: String, value: String)]) throws
    -> ChildProcess.Ending
  {
    try #require(try start(toy, text, variables).ending(waiting: true))
  }

  /// Files in the run's folder, its store and its output that hold the canary.
  private func leaks(_ toy: ToyRunner) throws -> [String] {
    try Manifest.files(below: toy.path, followingLinks: false).filter { name in
      let bytes = try File.read("\(toy.path)/\(name)")
      let wanted = Array(Self.canary.utf8)
      return bytes.indices.contains { bytes[$0] == wanted[0] && bytes[$0...].starts(with: wanted) }
    }
  }

  @Test func `the value reaches the stage alone, and its name is all that is kept`() throws {
    let toy = try ToyRunner(nodes: "")
    let variables = [(name: "TOY_KEY", value: Self.canary), (name: "OTHER_SECRET", value: "another")]
    #expect(try run(toy, experiment(), variables) == .exited(0), "\(toy.standardError)")
    #expect(toy.standardOutput.hasPrefix("bytes  \(Self.canary.utf8.count)\nalone   1\n"))
    #expect(try leaks(toy) == [])
    let run = try #require(try File.names(in: "\(toy.path)/runs/toy").last)
    #expect(toy.folder.text("runs/toy/\(run)/plan.json").contains("TOY_KEY"))
    // Another value is the same computation.
    #expect(try self.run(toy, experiment(), [("TOY_KEY", "something else")]) == .exited(0))
    #expect(try toy.events("node-started").isEmpty)
    // What is finished needs no key.
    #expect(try self.run(toy, experiment(), []) == .exited(0), "\(toy.standardError)")
  }

  @Test func `what a stage says of it is masked`() throws {
    let toy = try ToyRunner(nodes: "")
    #expect(try run(toy, experiment(fails: true), [("TOY_KEY", Self.canary)]) == .exited(1))
    #expect(toy.standardError.contains("the service refused the key [TOY_KEY]"), "\(toy.standardError)")
    #expect(try leaks(toy) == [])
  }

  @Test func `while it is at work no command line holds it, and only its worker's environment`() throws {
    let toy = try ToyRunner(nodes: "")
    let variables = [(name: "TOY_KEY", value: Self.canary), (name: "OTHER_SECRET", value: "another-one")]
    let run = try start(toy, experiment(more: ", milliseconds: 600"), variables)
    try toy.wait(for: "the worker") { !children(of: run).isEmpty }
    let worker = try #require(children(of: run).first)
    // Until the kernel has the worker's own program in place of the run's copy.
    func text(_ process: pid_t, _ what: String) -> String {
      String(decoding: (try? File.readKernelFile("/proc/\(process)/\(what)")) ?? [], as: UTF8.self)
    }
    try toy.wait(for: "the worker's program") { text(worker, "cmdline").contains("worker") }
    for process in [run.processID, worker] {
      #expect(
        text(process, "cmdline").contains("ToyPlumb") && !text(process, "cmdline").contains(Self.canary))
    }
    #expect(text(worker, "environ").contains("TOY_KEY=\(Self.canary)"))
    #expect(!text(worker, "environ").contains("another-one"))
    #expect(run.ending(waiting: true) == .exited(0), "\(toy.standardError)")
  }

  @Test func `a crash that prints it leaves none of it`() throws {
    let toy = try ToyRunner(nodes: "")
    #expect(try run(toy, experiment(more: ", crashes: true"), [("TOY_KEY", Self.canary)]) == .exited(1))
    #expect(toy.standardError.contains("could not use the key [TOY_KEY]"), "\(toy.standardError)")
    #expect(try leaks(toy) == [])
  }

  @Test(arguments: [[], [(name: "TOY_KEY", value: "")]])
  func `without a value nothing runs`(_ variables: [(name: String, value: String)]) throws {
    let toy = try ToyRunner(nodes: "")
    #expect(try run(toy, experiment(), variables) == .exited(3))
    #expect(toy.standardError.contains("`TOY_KEY`"))
    #expect(try toy.events("node-started").isEmpty)
  }
}

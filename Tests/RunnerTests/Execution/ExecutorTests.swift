import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing

@Suite struct ExecutorTests {
  /// The declared metric, then the table of evaluations.
  private let sumTable = "sum  435\n\nstage  sum\nsum    435\n"

  @Test func `a plan runs, and a second time nothing is executed`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardOutput == sumTable)
    #expect(toy.trace.count == 120)
    #expect(try toy.events("node-finished").count == 5)
    let objects = try toy.names("objects")
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardOutput == sumTable)
    #expect(toy.trace.count == 120)
    #expect(try toy.events("node-started").isEmpty)
    #expect(try toy.events("node-cached").count == 5)
    #expect(try toy.names("objects") == objects)
    // Nothing is left over.
    for folder in ["journals", "checkpoints", "tmp", "quarantine"] {
      #expect(try File.names(in: "\(toy.path)/.plumb/\(folder)").isEmpty, "\(folder)")
    }
  }

  @Test(arguments: [(1, 2), (2, 2), (3, 1), (7, 2), (40, 2)])
  func `shards and threads change no byte and no key`(shards: Int, threads: Int) throws {
    let plain = try ToyRunner(nodes: mixPlan)
    #expect(try plain.run("run", "--threads 1") == .exited(0))
    let sharded = try ToyRunner(
      nodes: mixPlan.replacing("\"stage\": \"mix\",", with: "\"stage\": \"mix\", \"shards\": \(shards),"))
    #expect(try sharded.run("run", "--threads \(threads)") == .exited(0))
    #expect(sharded.trace.count == 120)
    #expect(try sharded.names("objects") == plain.names("objects"))
    #expect(try sharded.names("records") == plain.names("records"))
  }

  @Test func `two runs that want one node compute it once`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    let first = try toy.start("run", "", output: "1")
    let second = try toy.start("run", "", output: "2")
    #expect(first.ending(waiting: true) == .exited(0))
    #expect(second.ending(waiting: true) == .exited(0))
    #expect(toy.trace.count == 120)
    #expect(toy.folder.text("out1") == sumTable)
    #expect(toy.folder.text("out2") == sumTable)
    #expect((toy.folder.text("err1") + toy.folder.text("err2")).contains("is being computed by run "))
  }

  @Test(arguments: [
    ("throw", Int32(1), "it went wrong"), ("kill", 1, "killed by SIGKILL"), ("trap", 1, "killed by SIGABRT"),
    ("silent", 1, "without writing its output `file`"), ("input", 4, "data.jsonl:3:1: bad"),
    ("exit", 1, "ended with status 0 and no error message"),
  ])
  func `a misbehaving stage fails with its own exit code and words`(how: String, code: Int32, words: String)
    throws
  {
    let toy = try ToyRunner(
      nodes: "{\"address\": \"bad\", \"stage\": \"misbehave\", \"options\": {\"how\": \"\(how)\"}}")
    #expect(try toy.run() == .exited(code))
    #expect(toy.standardError.contains("failed  bad: "))
    #expect(toy.standardError.contains(words), "\(toy.standardError)")
    if code == 1 {
      // A crash's own report may be longer than the tail.
      if how != "trap" { #expect(toy.standardError.contains("| about to misbehave")) }
      #expect(toy.standardError.contains("to resume after the fix: `ToyPlumb run plan.json`"))
    }
    #expect(try toy.names("records").isEmpty)
  }

  @Test func `a stage that runs too long is ended`() throws {
    let toy = try ToyRunner(
      nodes:
        "{\"address\": \"bad\", \"stage\": \"misbehave\", \"timeout\": 60, \"options\": {\"how\": \"throw-not\"}}, "
        + "{\"address\": \"rows\", \"stage\": \"rows\"}, "
        + "{\"address\": \"mix\", \"stage\": \"mix\", \"timeout\": 0.3, \"options\": {\"milliseconds\": 50}, \"inputs\": {\"rows\": \"rows:rows\"}}"
    )
    #expect(try toy.run() == .exited(1))
    #expect(
      toy.standardError.contains("failed  mix: it ran longer than its timeout of 0.30 s"),
      "\(toy.standardError)")
    // What was finished stays.
    #expect(try toy.names("records").count == 2)
    #expect(try !toy.names("journals").isEmpty)
  }

  @Test func `a log that never ends is cut, and the stage goes on`() throws {
    let toy = try ToyRunner(
      nodes: "{\"address\": \"loud\", \"stage\": \"misbehave\", \"options\": {\"how\": \"chatty\"}}")
    #expect(try toy.run() == .exited(0))
    let run = try #require(try File.names(in: "\(toy.path)/runs/toy").last)
    let size = try FileStatus.orThrow("\(toy.path)/runs/toy/\(run)/logs/loud.log").size
    #expect(size > 8 << 20 && size < 8 << 20 + 100)
  }

  @Test func `a failed stage is tried again when it may be`() throws {
    let toy = try ToyRunner(
      nodes:
        "{\"address\": \"late\", \"stage\": \"misbehave\", \"retries\": 1, \"options\": {\"how\": \"second-time\"}}"
    )
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardError.contains("retry   late: attempt 1 failed (it went wrong)"))
  }

  @Test func `an input file that is wrong is named with its line`() throws {
    let toy = try ToyRunner(
      nodes: "{\"address\": \"read\", \"stage\": \"read-file\", \"options\": {\"path\": \"data.jsonl\"}}")
    #expect(try toy.run() == .exited(4))
    #expect(toy.standardError.contains("`data.jsonl`"))
    try toy.folder.write("{\"id\":\"a\"}\n{\"id\":\n", to: "data.jsonl")
    #expect(try toy.run() == .exited(4))
    #expect(toy.standardError.contains("data.jsonl:2:7: not JSON"), "\(toy.standardError)")
    try toy.folder.write("{\"id\":\"a\"}\n", to: "data.jsonl")
    #expect(try toy.run() == .exited(0))
    #expect(try toy.run("plan") == .exited(0))
    #expect(toy.standardOutput.contains("read  cached"))
    try toy.folder.write("{\"id\":\"b\"}\n", to: "data.jsonl")
    #expect(try toy.run("plan") == .exited(0))
    #expect(toy.outputWithoutTimes.contains("read  run     data.jsonl changed"), "\(toy.standardOutput)")
  }

  @Test func `plan explains what runs and why`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    #expect(try toy.run("plan") == .exited(0))
    #expect(
      toy.standardOutput == """
        rows    run     never ran
        mix     waits   on rows
        first   waits   on mix
        second  waits   on mix, first
        sum     waits   on mix
        5 stages: 1 to run, 4 waiting for others

        """)
    #expect(try toy.run() == .exited(0))
    try toy.setNodes(mixPlan.replacing("\"items\": 4", with: "\"items\": 5"))
    #expect(try toy.run("plan") == .exited(0))
    #expect(
      toy.outputWithoutTimes == """
        rows    cached
        mix     run     option items 4 -> 5
        first   waits   on mix
        second  waits   on mix, first
        sum     waits   on mix
        5 stages: 1 cached, 1 to run, 3 waiting for others

        """)
  }

  @Test func `an upstream change that gives the same bytes stops there`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    #expect(try toy.run() == .exited(0))
    try toy.setNodes(mixPlan.replacing("\"count\": 30", with: "\"count\": 30, \"modulus\": 500"))
    #expect(try toy.run() == .exited(0))
    #expect(try toy.events("node-started").map { $0["node"]?.stringValue } == ["rows"])
    #expect(try toy.events("node-cached").count == 4)
  }

  @Test func `a damaged object is set aside and computed again`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    #expect(try toy.run() == .exited(0))
    let objects = try toy.names("objects")
    for name in objects {
      let path = "\(toy.path)/.plumb/objects/\(name)"
      var bytes = try File.read(path)
      bytes[bytes.count / 2] ^= 1
      chmod(path, 0o644)
      let file = try File.open(path, O_WRONLY)
      try bytes.withUnsafeBytes { try file.writeAll($0) }
      try file.close()
      #expect(try toy.run() == .exited(0))
      #expect(
        toy.standardError.contains("warning: an object of the store was damaged"), "\(toy.standardError)")
      #expect(try toy.names("objects") == objects)
      #expect(try Digest.ofFile(path).digest.hex == name.replacing("/", with: ""))
    }
  }

  @Test(.enabled(if: canMount, "needs the right to mount a small tmpfs"))
  func `a full disk ends with exit 6, and the run goes on when there is room`() throws {
    let toy = try ToyRunner(
      nodes: mixPlan.replacing("\"count\": 30", with: "\"count\": 30000").replacing(
        "\"milliseconds\": 5", with: "\"milliseconds\": 0"))
    try File.makeDirectory("\(toy.path)/.plumb")
    #expect(mount("tmpfs", "\(toy.path)/.plumb", "tmpfs", 0, "size=512k") == 0)
    defer { umount2("\(toy.path)/.plumb", Int32(MNT_DETACH)) }
    #expect(try toy.run() == .exited(6))
    #expect(toy.standardError.contains("bytes): no space left on device"), "\(toy.standardError)")
    #expect(mount("tmpfs", "\(toy.path)/.plumb", "tmpfs", UInt(MS_REMOUNT), "size=200m") == 0)
    #expect(try toy.run() == .exited(0))
  }
}

/// Tries it, on a folder of its own.
let canMount: Bool = {
  let folder = TemporaryFolder()
  guard mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") == 0 else {
    return false
  }
  return umount2(folder.path, Int32(MNT_DETACH)) == 0
}()

extension String {
  func replacing(_ old: String, with new: String) -> String {
    precondition(contains(old), "`\(old)` is not in the text")
    return split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
  }
}

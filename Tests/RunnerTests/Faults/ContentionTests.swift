import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing

/// Several runs on one store; holders that die, sleep or do not end; stores that cannot be written.
@Suite struct ContentionTests {
  private func hold(_ toy: ToyRunner) throws -> ChildProcess {
    let run = try toy.start("run", "", output: "1")
    try toy.wait(for: "the slow stage") { toy.trace.count >= 2 }
    return run
  }

  private static let slow = """
    {"address": "rows", "stage": "rows", "options": {"count": 3}},
    {"address": "mix", "stage": "mix", "options": {"items": 1, "milliseconds": 300}, "inputs": {"rows": "rows:rows"}}
    """

  @Test func `eight runs on an empty store compute once, agree, and are done within twice the time of one`()
    throws
  {
    let nodes = mixPlan.replacing("\"milliseconds\": 5", with: "\"milliseconds\": 20")
    let alone = try ToyRunner(nodes: nodes)
    let start = monotonicSeconds()
    #expect(try alone.run() == .exited(0))
    let one = monotonicSeconds() - start
    let toy = try ToyRunner(nodes: nodes)
    let again = monotonicSeconds()
    let runs = try (0..<8).map { try toy.start("run", "", output: "\($0)") }
    for run in runs { #expect(run.ending(waiting: true) == .exited(0)) }
    let eight = monotonicSeconds() - again
    #expect(toy.trace.count == 120)
    for index in 0..<8 { #expect(toy.folder.text("out\(index)") == alone.standardOutput) }
    #expect(try toy.names("objects") == alone.names("objects"))
    #expect(try toy.names("records") == alone.names("records"))
    // Nothing is gated on a clock by less than a machine that is busy with other things may take.
    #expect(eight < 2 * one + 10, "\(eight) s, alone \(one) s")
  }

  @Test func `waiting ends with 8 when it was bounded, naming the holder`() throws {
    let toy = try ToyRunner(nodes: Self.slow)
    let holder = try hold(toy)
    #expect(try toy.run("run", "--wait 0.2") == .exited(8), "\(toy.standardError)")
    #expect(
      toy.standardError.contains("`mix` is still being computed by run ")
        && toy.standardError.contains("(process \(holder.processID) on ")
        && toy.standardError.contains(", since 20"), "\(toy.standardError)")
    #expect(holder.ending(waiting: true) == .exited(0))
  }

  @Test func `a suspended holder is said to be, and the run waits until it goes on`() throws {
    let toy = try ToyRunner(nodes: Self.slow)
    let holder = try hold(toy)
    kill(holder.processID, SIGSTOP)
    let second = try toy.start()
    try toy.wait(for: "the message") { toy.standardError.contains("is being computed by") }
    #expect(
      toy.standardError.contains("which is suspended: `kill -CONT \(holder.processID)` resumes it"),
      "\(toy.standardError)")
    kill(holder.processID, SIGCONT)
    #expect(holder.ending(waiting: true) == .exited(0))
    #expect(second.ending(waiting: true) == .exited(0))
    #expect(toy.trace.count == 3)
  }

  @Test func `a killed holder's lock is free at once`() throws {
    let toy = try ToyRunner(nodes: Self.slow)
    let holder = try hold(toy)
    let workers = children(of: holder)
    for process in [holder.processID] + workers { kill(process, SIGKILL) }
    _ = holder.ending(waiting: true)
    #expect(try toy.run("run", "--wait 3") == .exited(0), "\(toy.standardError)")
    #expect(!toy.standardError.contains("is being computed by"))
  }

  @Test(.enabled(if: canMount, "needs the right to mount a small tmpfs"))
  func `a store that may only be read serves what it has, and else names the way out`() throws {
    let toy = try ToyRunner(nodes: Self.slow)
    #expect(try toy.run() == .exited(0))
    let store = "\(toy.path)/.plumb"
    #expect(mount(store, store, "", UInt(MS_BIND), "") == 0)
    defer { umount2(store, Int32(MNT_DETACH)) }
    #expect(mount(store, store, "", UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), "") == 0)
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    #expect(toy.standardError.hasPrefix("nothing to run"))
    try toy.setNodes(Self.slow.replacing("\"items\": 1", with: "\"items\": 2"))
    #expect(try toy.run() == .exited(6))
    #expect(
      toy.standardError.contains("read-only file system") && toy.standardError.contains("`--store DIR`"),
      "\(toy.standardError)")
    // Elsewhere, here even another file system than the run's.
    let other = TemporaryFolder()
    #expect(mount("tmpfs", other.path, "tmpfs", 0, "size=8m") == 0)
    defer { umount2(other.path, Int32(MNT_DETACH)) }
    #expect(try toy.run("run", "--store \(other.path)/store") == .exited(0), "\(toy.standardError)")
  }

  @Test func `a standard output that is full is exit 6, after the work is kept`() throws {
    let toy = try ToyRunner(nodes: mixPlan.replacing("\"milliseconds\": 5", with: "\"milliseconds\": 0"))
    let line = "cd '\(toy.path)' && exec '\(try ToyRunner.executable())' run plan.json >/dev/full 2>err"
    let run = try ChildProcess.start(
      "/bin/sh", arguments: ["-c", line],
      environment: ChildProcess.chosenEnvironment(["PATH", "LD_LIBRARY_PATH"]),
      descriptors: [nil, nil, nil])
    #expect(run.ending(waiting: true) == .exited(6))
    #expect(toy.standardError.contains("cannot write `standard output`"), "\(toy.standardError)")
    #expect(try toy.names("records").count == 5)
  }
}

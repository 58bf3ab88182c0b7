import Glibc
import JSON
import Runner
import System
import Testing

/// Kill anything, anywhere: the next run completes with the bytes of an undisturbed one.
@Suite struct InterruptionTests {
  private func undisturbed() throws -> (objects: [String], records: [String]) {
    let toy = try ToyRunner(nodes: mixPlan)
    #expect(try toy.run() == .exited(0))
    return (try toy.names("objects"), try toy.names("records"))
  }

  private func expectRecovery(_ toy: ToyRunner) throws {
    let (objects, records) = try undisturbed()
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    #expect(try toy.names("objects") == objects)
    #expect(try toy.names("records") == records)
    #expect(try File.names(in: "\(toy.path)/.plumb/tmp").isEmpty)
  }

  /// Until so many items were computed, or so many training steps taken.
  private func wait(_ toy: ToyRunner, items: Int) throws {
    try toy.wait(for: "\(items) items") { toy.trace.count >= items }
  }

  private func wait(_ toy: ToyRunner, step: Int) throws {
    try toy.wait(for: "step \(step)") {
      for key in try File.names(in: "\(toy.path)/.plumb/checkpoints")
      where toy.folder.text(".plumb/checkpoints/\(key)/state").hasPrefix("\(step) ") { return true }
      return false
    }
  }

  @Test(arguments: [1, 37, 100])
  func `a run killed with its worker in the middle of its rows goes on from them`(items: Int) throws {
    let toy = try ToyRunner(nodes: mixPlan)
    let run = try toy.start()
    try wait(toy, items: items)
    let workers = children(of: run)
    #expect(workers.count == 1)
    for process in [run.processID] + workers { kill(process, SIGKILL) }
    #expect(run.ending(waiting: true) == .signalled(SIGKILL))
    try expectRecovery(toy)
    // At most the item in flight was computed twice.
    #expect(toy.trace.count <= 121)
  }

  @Test func `a run killed in training goes on from its checkpoint`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    let run = try toy.start()
    try wait(toy, step: 2)
    for process in [run.processID] + children(of: run) { kill(process, SIGKILL) }
    _ = run.ending(waiting: true)
    try expectRecovery(toy)
    let logs = try #require(try File.names(in: "\(toy.path)/runs/toy").last)
    #expect(toy.folder.text("runs/toy/\(logs)/logs/first.log").contains("resumed at step "))
  }

  @Test func `workers do not outlive a run that is killed`() throws {
    let toy = try ToyRunner(
      nodes: "{\"address\": \"bad\", \"stage\": \"misbehave\", \"options\": {\"how\": \"deaf-hang\"}}")
    let run = try toy.start()
    try toy.wait(for: "the worker") { !toy.folder.text("pid").isEmpty }
    let worker = try #require(pid_t(toy.folder.text("pid")))
    #expect(kill(worker, 0) == 0)
    kill(run.processID, SIGKILL)
    _ = run.ending(waiting: true)
    try toy.wait(for: "the worker's death") {
      // A zombie that nobody has collected yet is dead as well.
      let state = String(decoding: (try? File.readKernelFile("/proc/\(worker)/stat")) ?? [], as: UTF8.self)
      return state.isEmpty || state.contains(") Z ")
    }
  }

  @Test(arguments: [1, 3])
  func `a killed worker is a failed stage, and the next run completes`(shards: Int) throws {
    let nodes = mixPlan.replacing("\"stage\": \"mix\",", with: "\"stage\": \"mix\", \"shards\": \(shards),")
    let toy = try ToyRunner(nodes: nodes)
    let run = try toy.start()
    try wait(toy, items: 20)
    let worker = try #require(children(of: run).last)
    kill(worker, SIGKILL)
    #expect(run.ending(waiting: true) == .exited(1))
    #expect(
      toy.standardError.contains("failed  mix: its worker was killed by SIGKILL"), "\(toy.standardError)")
    // Another count of shards uses the same journal.
    try toy.setNodes(mixPlan)
    try expectRecovery(toy)
    #expect(toy.trace.count <= 120 + shards)
  }

  @Test(arguments: [(Int32(2), Int32(130)), (15, 143)])
  func `a first signal stops cleanly, and nothing is computed twice`(signal: Int32, code: Int32) throws {
    let toy = try ToyRunner(nodes: mixPlan)
    let run = try toy.start()
    try wait(toy, items: 50)
    kill(run.processID, signal)
    #expect(run.ending(waiting: true) == .exited(code))
    #expect(toy.standardError.contains("run the same command again to resume"))
    let stopped = toy.trace.count
    #expect(stopped < 120)
    try expectRecovery(toy)
    #expect(toy.trace.count == 120)
  }

  @Test func `a second signal stops at once`() throws {
    let toy = try ToyRunner(
      nodes: "{\"address\": \"bad\", \"stage\": \"misbehave\", \"options\": {\"how\": \"deaf-hang\"}}")
    let run = try toy.start()
    try toy.wait(for: "the worker") { !toy.folder.text("pid").isEmpty }
    kill(run.processID, SIGINT)
    try toy.wait(for: "the message") { toy.standardError.contains("stopping (SIGINT)") }
    #expect(run.ending() == nil)
    kill(run.processID, SIGINT)
    #expect(run.ending(waiting: true) == .exited(130))
  }
}

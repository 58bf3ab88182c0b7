// Jobs that outlive their run, by the toy runner's detached executor: the run is killed, and the next one goes on with its jobs.

import Glibc
import JSON
import Runner
import System
import Testing

@Suite struct DetachedExecutorTests {
  private func undisturbed() throws -> (objects: [String], records: [String]) {
    let toy = try ToyRunner(nodes: mixPlan)
    #expect(try toy.run() == .exited(0))
    return (try toy.names("objects"), try toy.names("records"))
  }

  private func expectUndisturbedResults(_ toy: ToyRunner) throws {
    let (objects, records) = try undisturbed()
    #expect(try toy.names("objects") == objects)
    #expect(try toy.names("records") == records)
    for folder in ["tmp", "jobs"] { #expect(try File.names(in: "\(toy.path)/.plumb/\(folder)").isEmpty) }
  }

  /// Kills the run alone, once so many items were computed.
  private func killRun(of toy: ToyRunner, afterItems count: Int) throws {
    let run = try toy.start("run", "--detached")
    try toy.wait(for: "\(count) items") { toy.trace.count >= count }
    run.send(SIGKILL)
    #expect(run.ending(waiting: true) == .signalled(SIGKILL))
  }

  /// The jobs that the store names, as the process numbers of their shells.
  private func jobs(of toy: ToyRunner) throws -> [(task: String, process: pid_t)] {
    try File.names(in: "\(toy.path)/.plumb/jobs").flatMap { key in
      let json = try JSON(parsing: try File.read("\(toy.path)/.plumb/jobs/\(key)"))
      return (json["jobs"]?.arrayValue ?? []).compactMap { job in
        job["handle"]?.stringValue?.split(separator: " ").first.flatMap { pid_t($0) }.map {
          ("\(toy.path)/.plumb/tmp/\(key)/whole.json", $0)
        }
      }
    }
  }

  @Test func `a detached executor gives the results of the local one`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    #expect(try toy.run("run", "--detached") == .exited(0), "\(toy.standardError)")
    #expect(toy.trace.count == 120)
    try expectUndisturbedResults(toy)
  }

  @Test(arguments: [1, 3]) func `a killed run's jobs go on, and the next run adopts them`(shards: Int) throws
  {
    let toy = try ToyRunner(
      nodes: mixPlan.replacing("\"stage\": \"mix\",", with: "\"stage\": \"mix\", \"shards\": \(shards),"))
    try killRun(of: toy, afterItems: 20)
    let count = toy.trace.count
    try toy.wait(for: "a job that works without its run") { toy.trace.count > count }
    #expect(try toy.run("run", "--detached") == .exited(0), "\(toy.standardError)")
    let reasons = try toy.events("node-started").compactMap { $0["reasons"]?.arrayValue?.first?.stringValue }
    #expect(reasons.contains("adopted from a run that died"), "\(reasons)")
    // Nothing was computed twice.
    #expect(toy.trace.count == 120)
    try expectUndisturbedResults(toy)
  }

  @Test func `a job that ended while no run followed it is not run again`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    try killRun(of: toy, afterItems: 20)
    let task = try #require(try jobs(of: toy).first).task
    try toy.wait(for: "the end of the job") { FileStatus.of("\(task).exit") != nil }
    #expect(try toy.run("run", "--detached") == .exited(0), "\(toy.standardError)")
    #expect(toy.trace.count == 120)
    try expectUndisturbedResults(toy)
  }

  @Test func `a job that vanished is lost with exit code 10, and its finished rows are kept`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    let run = try toy.start("run", "--detached")
    try toy.wait(for: "20 items") { toy.trace.count >= 20 }
    kill(-(try #require(try jobs(of: toy).first).process), SIGKILL)
    #expect(run.ending(waiting: true) == .exited(10))
    #expect(toy.standardError.contains("the job vanished without a result"), "\(toy.standardError)")
    #expect(try toy.run("run", "--detached") == .exited(0), "\(toy.standardError)")
    // At most the item in flight was computed twice.
    #expect(toy.trace.count <= 121)
    try expectUndisturbedResults(toy)
  }

  @Test func `a preempted job goes on in the same run without costing an attempt`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    let run = try toy.start("run", "--detached")
    try toy.wait(for: "20 items") { toy.trace.count >= 20 }
    let job = try #require(try jobs(of: toy).first)
    try File.writeDurably("", to: "\(job.task).preempted")
    kill(-job.process, SIGKILL)
    #expect(run.ending(waiting: true) == .exited(0), "\(toy.standardError)")
    #expect(
      try toy.events("node-retried").compactMap { $0["message"]?.stringValue } == [
        "its place was given to another"
      ])
    #expect(toy.trace.count <= 121)
    try expectUndisturbedResults(toy)
  }

  @Test func `while a run follows its jobs, another waits for them and adopts nothing`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    let first = try toy.start("run", "--detached")
    try toy.wait(for: "20 items") { toy.trace.count >= 20 }
    let second = try toy.start("run", "--detached", output: "2")
    #expect(first.ending(waiting: true) == .exited(0), "\(toy.standardError)")
    #expect(second.ending(waiting: true) == .exited(0), "\(toy.folder.text("err2"))")
    #expect(toy.folder.text("err2").contains("wait"), "\(toy.folder.text("err2"))")
    #expect(toy.trace.count == 120)
    try expectUndisturbedResults(toy)
  }

  @Test func `an interrupted run stops its jobs at a point from which they go on`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    let run = try toy.start("run", "--detached")
    try toy.wait(for: "20 items") { toy.trace.count >= 20 }
    run.send(SIGINT)
    #expect(run.ending(waiting: true) == .exited(130), "\(toy.standardError)")
    let count = toy.trace.count
    #expect(count < 120)
    #expect(try toy.run("run", "--detached") == .exited(0), "\(toy.standardError)")
    #expect(toy.trace.count == 120)
    try expectUndisturbedResults(toy)
  }
}

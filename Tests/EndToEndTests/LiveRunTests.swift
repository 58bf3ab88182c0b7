// Looking at a run while it lives: `status`, and `logs -f`, which ends with it.

import Glibc
import JSON
import Runner
import Testing

@Suite struct LiveRunTests {
  @Test func `status names what is running, and logs follows it to its end`() throws {
    let project = try LawProject(.slow)
    let run = try project.start()
    _ = try project.waitForMiddle(of: "quark@1.sample", while: run)
    kill(run.processID, SIGSTOP)  // so that the stage is still the one that runs when we look
    let follower = try project.start("logs quark@1.sample -f", output: "followed")
    let status = try project.plumb("status")
    #expect(status.ending == .exited(0) && status.output.contains("running"), "\(status.output)")
    #expect(status.output.contains("quark@1.sample"), "\(status.output)")
    let json = try JSON(parsing: try project.plumb("status --json").output)
    #expect(json.arrayValue?.first?["state"]?.stringValue == "running", "\(json.text())")
    #expect(follower.ending() == nil, "the follower did not wait: \(project.text("followed"))")
    kill(run.processID, SIGCONT)
    #expect(run.ending(waiting: true) == .exited(0), "\(project.standardError)")
    #expect(follower.ending(waiting: true) == .exited(0))
    let log = project.log("quark@1.sample")
    #expect(!log.isEmpty && project.text("followed") == log)
    let after = try project.plumb("status")
    #expect(after.output == "nothing is running, and nothing was interrupted\n", "\(after.output)")
  }

  @Test func `status tells an interrupted run and the command that goes on`() throws {
    let project = try LawProject(.slow)
    let run = try project.start()
    _ = try project.waitForMiddle(of: "quark@1.sample", while: run)
    kill(run.processID, SIGINT)
    #expect(run.ending(waiting: true) == .exited(130))
    let status = try project.plumb("status")
    #expect(
      status.output.contains("interrupted") && status.output.contains("to resume: plumb run law.yaml"),
      "\(status.output)")
  }
}

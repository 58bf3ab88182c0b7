// A bug in Plumb itself, as signals that only a bug raises: told with its number and a file, exit 70, nothing lost.

import Glibc
import Runner
import System
import Testing

@Suite struct InternalErrorTests {
  @Test(arguments: [(SIGILL, "SIGILL"), (SIGSEGV, "SIGSEGV"), (SIGABRT, "SIGABRT")])
  func `a crash of the run is told, leaves a file and no worker, and the next run goes on`(
    signal: Int32, name: String
  ) throws {
    let project = try LawProject(.slow)
    let run = try project.start(environment: [("TMPDIR", project.path)])
    _ = try project.waitForMiddle(of: "quark@1.score", while: run)
    let workers = children(of: run)
    kill(run.processID, signal)
    #expect(run.ending(waiting: true) == .exited(70), "\(project.standardError)")
    let said = project.standardError
    let names = try File.names(in: project.path)
    let file = try #require(names.first { $0.hasPrefix("plumb-crash-\(run.processID)-") })
    #expect(said.contains("internal error PLUMB-0900, please report") && said.contains(file), "\(said)")
    let note = project.text(file)
    #expect(note.contains("run law.yaml") && note.contains("signal   \(name)\n"), "\(note)")
    // Where it happened: frames of the program, which name it.
    #expect(note.contains("plumb(+0x"), "\(note)")
    for _ in 0..<500 where workers.contains(where: { kill($0, 0) == 0 }) { usleep(10_000) }
    #expect(workers.allSatisfy { kill($0, 0) != 0 })
    try project.set(.fast)
    #expect(try project.run() == .exited(0), "\(project.standardError)")
    #expect(project.log("quark@1.score").contains("items were already finished"))
  }

  @Test func `where no file can be made the message is said all the same`() throws {
    let project = try LawProject(.slow)
    let run = try project.start(environment: [("TMPDIR", "\(project.path)/nowhere")])
    _ = try project.waitForMiddle(of: "quark@1.sample", while: run)
    kill(run.processID, SIGSEGV)
    #expect(run.ending(waiting: true) == .exited(70))
    #expect(project.standardError.contains("PLUMB-0900"))
  }
}

// What surrounds a run and must not matter: locale, time zone, paths, clock, home, an output that is closed.

import Glibc
import Runner
import System
import Testing

@Suite struct SurroundingsTests {
  static let plan = mixPlan.replacing("\"milliseconds\": 5", with: "\"milliseconds\": 0")
    .replacing("\"milliseconds\": 30", with: "\"milliseconds\": 0")

  /// Objects of a run that nothing disturbed.
  private static let plain = Result { () throws -> [String] in
    let toy = try ToyRunner(nodes: plan)
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    return try toy.names("objects")
  }

  @Test(arguments: [
    [("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")], [("LC_ALL", "C")],
    [("TZ", "Pacific/Kiritimati")], [("TZ", ":/nonsense"), ("HOME", "")],
    [("TMPDIR", "/dev/shm"), ("HOME", "/nowhere")], [("SWIFT_DETERMINISTIC_HASHING", "1")],
  ]) func `the environment changes no byte`(_ variables: [(String, String)]) throws {
    let toy = try ToyRunner(nodes: Self.plan)
    let run = try toy.start(environment: variables.map { (name: $0.0, value: $0.1) })
    #expect(run.ending(waiting: true) == .exited(0), "\(toy.standardError)")
    #expect(try toy.names("objects") == Self.plain.get())
  }

  @Test(arguments: ["a b", "-rf", "line\nfeed", "über", "$(id)", "quote'\"", "\u{1B}[2J"])
  func `the folder's name changes no byte, and is safe on a terminal`(_ name: String) throws {
    let toy = try ToyRunner(nodes: Self.plan)
    let folder = "\(toy.path)/\(name)"
    try File.makeDirectory(folder)
    try File.writeDurably(toy.folder.text("plan.json"), to: "\(folder)/plan.json")
    let (ending, said) = try ran(in: folder)
    #expect(ending == .exited(0), "\(said)")
    #expect(!said.utf8.contains(0x1B), "\(said)")
    let objects = try Manifest.files(below: "\(folder)/.plumb/objects", followingLinks: false)
    #expect(try objects == Self.plain.get())
  }

  /// Runs the plan of a folder whose name no shell has to read.
  private func ran(in folder: String) throws -> (ChildProcess.Ending, String) {
    let result = try ChildProcess.run(
      "/bin/sh",
      arguments: [
        "-c", "cd -- \"$0\" && exec \"$1\" run plan.json 2>&1", folder, try ToyRunner.executable(),
      ],
      environment: ChildProcess.chosenEnvironment(["PATH", "LD_LIBRARY_PATH"]))
    return (result.ending, result.output)
  }

  @Test func `a folder whose name is not UTF-8 is run or refused by name, never a crash`() throws {
    let toy = try ToyRunner(nodes: Self.plan)
    let line =
      "cd '\(toy.path)' && d=$(printf 'x\\377y') && mkdir \"$d\" && cp plan.json \"$d\" && cd \"$d\" && '\(try ToyRunner.executable())' run plan.json >../out 2>../err"
    let run = try ChildProcess.start(
      "/bin/sh", arguments: ["-c", line],
      environment: ChildProcess.chosenEnvironment(["PATH", "LD_LIBRARY_PATH"]), descriptors: [nil, nil, nil])
    let ending = run.ending(waiting: true)
    #expect([.exited(0), .exited(6)].contains(ending), "\(String(describing: ending)) \(toy.standardError)")
  }

  @Test func `a clock that went back by a year runs nothing again`() throws {
    let toy = try ToyRunner(nodes: Self.plan)
    #expect(try toy.run() == .exited(0))
    // What a store looks like then: everything in it is of the future.
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    for name in try ["objects", "records"].flatMap({ part in try toy.names(part).map { "\(part)/\($0)" } }) {
      let later = timespec(tv_sec: now.tv_sec + 31_536_000, tv_nsec: 0)
      var times = [later, later]
      #expect(utimensat(AT_FDCWD, "\(toy.path)/.plumb/\(name)", &times, 0) == 0)
    }
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardError.hasPrefix("nothing to run"), "\(toy.standardError)")
    #expect(try toy.names("objects") == Self.plain.get())
  }

  @Test(arguments: [">&-", "2>&-", ">&- 2>&- <&-"])
  func `closed descriptors cost no result`(_ closed: String) throws {
    let toy = try ToyRunner(nodes: Self.plan)
    let line = "cd '\(toy.path)' && exec '\(try ToyRunner.executable())' run plan.json \(closed)"
    let run = try ChildProcess.start(
      "/bin/sh", arguments: ["-c", line],
      environment: ChildProcess.chosenEnvironment(["PATH", "LD_LIBRARY_PATH"]), descriptors: [nil, nil, nil])
    let ending = run.ending(waiting: true)
    // Where the metrics were to go is the machine's fault.
    #expect([.exited(0), .exited(6)].contains(ending), "\(String(describing: ending))")
    #expect(try toy.names("records").count == 5)
    #expect(try toy.names("objects") == Self.plain.get())
  }
}

// Killed in the middle of sampling, scoring, training; stopped; a full disk: the next run ends with the same bytes.

import Glibc
import Runner
import System
import Testing

@Suite(.serialized) struct InterruptionEndToEndTests {
  /// Computed once: a run that nobody disturbed, with another batch and without checkpoints.
  private static let undisturbed = Result { () throws -> (weights: Digest, objects: [String]) in
    let project = try LawProject(.fast)
    #expect(try project.run() == .exited(0), "\(project.standardError)")
    return (try project.weights(), try project.objects())
  }

  /// Goes on with another batch than before, and where wanted in shards.
  private func expectRecovery(_ project: LawProject, of node: String, shards: Int = 1) throws {
    var variant = LawProject.Variant.fast
    if shards > 1 { variant.extra[String(node.drop { $0 != "." }.dropFirst())] = "shards: \(shards)" }
    try project.set(variant)
    #expect(try project.run() == .exited(0), "\(project.standardError)")
    let expected = try Self.undisturbed.get()
    #expect(try project.weights() == expected.weights)
    #expect(try project.objects() == expected.objects)
    #expect(try File.names(in: "\(project.path)/store/tmp").isEmpty)
    let log = project.log(node)
    #expect(
      log.contains(node.hasSuffix("train") ? "continues at step " : "items were already finished"), "\(log)")
  }

  @Test(arguments: [
    ("quark@1.sample", 1), ("quark@2.sample", 4), ("quark@1.score", 3), ("quark@2.score", 1),
    ("quark@2.train", 1),
  ])
  func `a run killed with its worker goes on to the same bytes`(node: String, shards: Int) throws {
    let project = try LawProject(.slow)
    let run = try project.start()
    let key = try project.waitForMiddle(of: node, while: run, results: 3)
    let workers = children(of: run)
    #expect(!workers.isEmpty)
    for process in [run.processID] + workers { kill(process, SIGKILL) }
    #expect(run.ending(waiting: true) == .signalled(SIGKILL))
    // An orphan lives on for others until the system has reaped it, and what it was writing with it.
    for worker in workers {
      for _ in 0..<1000 where kill(worker, 0) == 0 { usleep(10_000) }
    }
    if node.hasSuffix("train") {
      #expect(project.checkpoint(key) != nil)
    } else {
      #expect((3..<36).contains(project.journaled(key)), "\(project.journaled(key)) of 36 were finished")
    }
    try expectRecovery(project, of: node, shards: shards)
  }

  @Test(arguments: ["quark@1.sample", "quark@2.score", "quark@1.train"])
  func `Ctrl-C stops cleanly, and the next run goes on to the same bytes`(node: String) throws {
    let project = try LawProject(.slow)
    let run = try project.start()
    _ = try project.waitForMiddle(of: node, while: run, results: 3)
    // Held still, so that it is in its middle when it hears of the stop.
    let workers = children(of: run)
    for worker in workers { kill(worker, SIGSTOP) }
    kill(run.processID, SIGINT)
    try project.wait(for: "the stop", while: run) { !project.events("stopping").isEmpty }
    for worker in workers {
      // Its first thread, which computes: the one that hears signals goes before it, however few processors there are.
      setpriority(Int32(PRIO_PROCESS.rawValue), id_t(worker), 19)
      kill(worker, SIGCONT)
    }
    #expect(run.ending(waiting: true) == .exited(130), "\(project.standardError)")
    #expect(
      project.standardError.contains("run the same command again to resume"), "\(project.standardError)")
    #expect(!project.executed.contains(node))
    try expectRecovery(project, of: node)
  }

  @Test func `a killed worker is a failed stage, its log's tail is shown, and the next run goes on`() throws {
    let project = try LawProject(.slow)
    let run = try project.start()
    _ = try project.waitForMiddle(of: "quark@1.score", while: run)
    let worker = try #require(children(of: run).last)
    kill(worker, SIGKILL)
    #expect(run.ending(waiting: true) == .exited(1))
    let said = project.standardError
    #expect(said.contains("failed  quark@1.score: its worker was killed by SIGKILL"), "\(said)")
    #expect(said.contains("last lines of its log:") && said.contains("| kernels: "), "\(said)")
    try expectRecovery(project, of: "quark@1.score")
  }

  /// Root may mount, in a namespace of its own; nobody else.
  private static let mayMount: Bool = {
    let result = try? ChildProcess.run(
      "/bin/sh", arguments: ["-c", "unshare -m mount -t tmpfs -o size=64k tmpfs /mnt"],
      environment: ChildProcess.chosenEnvironment(["PATH", "LD_LIBRARY_PATH"]))
    return result?.ending == .exited(0)
  }()

  /// The store on a file system of its own, first too small and then grown.
  @Test(
    .enabled(if: mayMount, "needs a small file system, which only root can mount"),
    arguments: [400, 1400, 2600])
  func `a full disk leaves nothing half-named, and the next run works`(kibibytes: Int) throws {
    let variant = LawProject.Variant(extra: ["train": "checkpoint: {seconds: 0.001}"])
    let project = try LawProject(variant)
    let script = """
      mkdir -p store copy && mount -t tmpfs -o size=\(kibibytes)k tmpfs store || exit 77
      '\(try LawProject.executable())' run law.yaml >out1 2>err1; echo $? >code1
      cp -a store/. copy/ && rm -rf runs
      mount -o remount,size=200m store || exit 78
      '\(try LawProject.executable())' run law.yaml >out 2>err; echo $? >code2
      rm -rf keep && mkdir keep && cp -a store/. keep/ && umount store && rmdir store && mv keep store
      """
    try project.write(script, to: "script")
    let shell = try ChildProcess.start(
      "/bin/sh", arguments: ["-c", "cd '\(project.path)' && exec unshare -m sh script >log 2>&1"],
      environment: project.environment, descriptors: [nil, nil, nil])
    #expect(shell.ending(waiting: true) == .exited(0), "\(project.text("log"))")
    #expect(project.text("code1") == "6\n", "\(project.text("err1"))")
    #expect(project.text("err1").contains("no space left"), "\(project.text("err1"))")
    // Whatever has an object's name holds what the name says.
    for name in try Manifest.files(below: "\(project.path)/copy/objects", followingLinks: false) {
      let digest = try Digest.ofFile("\(project.path)/copy/objects/\(name)").digest
      #expect(digest.hex == name.replacing("/", with: ""), "\(name)")
    }
    #expect(project.text("code2") == "0\n", "\(project.text("err"))")
    let plain = try LawProject()
    #expect(try plain.run() == .exited(0))
    #expect(try project.weights() == plain.weights())
    #expect(try project.objects() == plain.objects())
  }
}

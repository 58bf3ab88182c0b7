import Glibc
import JSON
import Runner
import System
import Testing

/// Which nodes run at once, which go on after a failure, which never start.
@Suite struct SchedulerTests {
  private func node(_ address: String, _ how: String, _ more: String = "") -> String {
    let salt = address.utf8.reduce(0) { ($0 + Int($1)) % 101 }
    return
      "{\"address\": \"\(address)\", \"stage\": \"misbehave\", \"options\": {\"how\": \"\(how)\", \"salt\": \(salt)}\(more)}"
  }

  @Test func `independent stages run at the same time, and with one job they do not`() throws {
    let toy = try ToyRunner(nodes: [node("a", "meet"), node("b", "meet")].joined(separator: ","))
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    let alone = try ToyRunner(nodes: [node("a", "alone"), node("b", "alone")].joined(separator: ","))
    #expect(try alone.run("run", "--jobs 1") == .exited(0), "\(alone.standardError)")
  }

  @Test(arguments: ["cpus", "memory", "threads"])
  func `stages that ask for more than half of the machine run one after the other`(what: String) throws {
    let machine = Machine.current()
    let amount = what == "memory" ? machine.memoryBytes / 2 + 1 : machine.processors / 2 + 1
    let toy = try ToyRunner(
      nodes: ["a", "b", "c"].map { node($0, "alone", ", \"\(what)\": \(amount)") }.joined(separator: ","))
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
  }

  @Test func `a stage that asks for more than the machine has is exit 6 before anything runs`() throws {
    let toy = try ToyRunner(
      nodes: [
        node("small", "fine"), node("large", "fine", ", \"cpus\": 4000, \"memory\": 4611686018427387904"),
        node("gpu", "fine", ", \"gpus\": 60"),
      ].joined(separator: ","))
    #expect(try toy.run() == .exited(6))
    #expect(toy.standardError.contains("`large` asks for more than this machine has: 4000 cpus of "))
    #expect(toy.standardError.contains("`gpu` asks for more than this machine has: 60 gpus of "))
    #expect(try toy.names("records").isEmpty)
    // What is finished asks for nothing.
    #expect(try toy.run("run", "--only small") == .exited(0), "\(toy.standardError)")
  }

  private var failing: String {
    [
      node("bad", "throw"), node("after", "fine", ", \"inputs\": {\"file\": \"bad:file\"}"),
      node("last", "fine", ", \"inputs\": {\"file\": \"after:file\"}"), node("good", "fine"),
      node("better", "fine", ", \"inputs\": {\"file\": \"good:file\"}"),
    ].joined(separator: ",")
  }

  @Test func `a run that keeps going runs what does not need the failed stage, and names what it did not`()
    throws
  {
    let toy = try ToyRunner(nodes: failing)
    #expect(try toy.run("run", "--keep-going --jobs 1") == .exited(1))
    let said = toy.standardError
    #expect(said.contains("failed  bad: it went wrong"))
    #expect(said.contains("not run after, which needs bad\nnot run last, which needs bad\n"), "\(said)")
    #expect(said.contains("failed: 2 stages run, 1 failed, 2 not run, "), "\(said)")
    #expect(said.contains("to reproduce: ToyPlumb spin plan.json bad\n"), "\(said)")
    #expect(try toy.names("records").count == 2)
  }

  @Test func `a run that fails fast starts nothing more`() throws {
    let toy = try ToyRunner(nodes: failing)
    #expect(try toy.run("run", "--jobs 1") == .exited(1))
    #expect(toy.standardError.contains("failed: 0 stages run, 1 failed, 4 not run, "), "\(toy.standardError)")
  }

  @Test func `an attempt after a kill has twice the memory to itself`() throws {
    let toy = try ToyRunner(nodes: node("big", "killed-once", ", \"retries\": 1, \"memory\": 1048576"))
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    // Killed by hand, as the kernel's own count shows.
    #expect(
      toy.standardError.contains("killed by SIGKILL from outside")
        || toy.standardError.contains("with 2 MiB of memory reserved"), "\(toy.standardError)")
  }

  @Test func `a process left behind is ended with its stage, and said`() throws {
    let toy = try ToyRunner(nodes: node("parent", "leave-child"))
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    #expect(toy.standardError.contains("warning: `parent` left processes running when it ended"))
    let child = try #require(pid_t(toy.folder.text("pid")))
    // On a busy machine the kernel needs a moment to carry out the kill.
    try toy.wait(for: "the end of \(child)") {
      let state = String(decoding: (try? File.readKernelFile("/proc/\(child)/stat")) ?? [], as: UTF8.self)
      return state.isEmpty || state.contains(") Z ")
    }
  }
}

/// What is set aside for one attempt.
@Suite struct MachineTests {
  private let machine = Machine(processors: 4, memoryBytes: 8 << 30, gpus: ["0", "1"])

  private func node(_ resources: Resources) -> PlanNode {
    var settings = ExecutionSettings()
    settings.resources = resources
    return PlanNode(
      index: 0, address: "a", stage: "s", options: [:], files: [], inputs: [], seed: 0, numericMode: "bf16",
      execution: settings, recipeKey: "")
  }

  @Test func `what a node asks for beyond the machine is named with both numbers`() {
    #expect(machine.lack(of: node(Resources(cpus: 4, memoryBytes: 8 << 30, gpus: 2))) == nil)
    #expect(
      machine.lack(of: node(Resources(cpus: 5, memoryBytes: 9 << 30, gpus: 3)))
        == "`a` asks for more than this machine has: 5 cpus of 4, 9 GiB of memory of 8 GiB, 3 gpus of 2")
  }

  @Test func `this machine has at least one processor and some memory`() {
    #expect(Machine.current().processors >= 1)
    #expect(Machine.current().memoryBytes > 1 << 20)
  }
}

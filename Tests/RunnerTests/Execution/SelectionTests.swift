import JSON
import Runner
import System
import Testing

/// `--only`, `--from`, `--until`, `--force`.
@Suite struct SelectionTests {
  private let plan: Plan = {
    var nodes: [PlanNode] = []
    func add(_ address: String, _ needs: [Int]) {
      nodes.append(
        PlanNode(
          index: nodes.count, address: address, stage: "s", options: [:], files: [],
          inputs: needs.map { PlanInput(port: "p\($0)", type: .rows, source: .node($0, output: "rows")) },
          seed: 0, numericMode: "bf16", execution: ExecutionSettings(), recipeKey: ""))
    }
    add("data", [])  // 0
    add("loop@1.draw", [0])  // 1
    add("loop@1.train", [1])  // 2
    add("loop@2.draw", [0])  // 3
    add("loop@2.train", [2, 3])  // 4
    add("other", [])  // 5
    add("judge", [4, 5])  // 6
    add("try@n=8,again=no.count", [])  // 7
    add("try@n=16,again=no.count", [])  // 8
    add("try@n=16,again=yes.count", [])  // 9
    return Plan(experimentName: "toy", nodes: nodes, models: [], metrics: [])
  }()

  @Test(arguments: [
    ("data", [0]), ("loop", [1, 2, 3, 4]), ("loop@2", [3, 4]), ("loop@2.*", [3, 4]),
    ("loop@*.train", [2, 4]),
    ("*", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), ("loop@last.train", [4]), ("*train", [2, 4]),
    ("loop.train", [2, 4]), ("loop@all.draw", [1, 3]), ("try", [7, 8, 9]), ("try.count", [7, 8, 9]),
    ("try@n=16", [8, 9]), ("try@again=no.count", [7, 8]), ("try@again=no,n=16.count", [8]),
  ])
  func `a pattern is an address, leaves some of it open, or has stars`(pattern: String, expected: [Int])
    throws
  {
    #expect(try plan.nodes(matching: pattern).sorted() == expected)
  }

  @Test func `an unknown address is exit 2 and names what is near`() {
    #expect {
      try plan.nodes(matching: "loop@2.trian")
    } throws: { error in
      "\(error)" == "`toy` has no stage at `loop@2.trian`; did you mean `loop@2.train`?"
        && ExitCode(for: error) == .commandLine
    }
  }

  @Test func `from goes down, until goes up, both narrow each other`() throws {
    #expect(try Selection(until: ["loop@1"], in: plan).nodes == [0, 1, 2])
    // What depends on it, and what that needs.
    #expect(try Selection(from: ["loop@2.draw"], in: plan).nodes == [0, 1, 2, 3, 4, 5, 6])
    #expect(try Selection(from: ["loop@1.draw"], until: ["loop@1"], in: plan).nodes == [0, 1, 2])
    #expect(try Selection(only: ["loop@2.train"], in: plan).nodes == [4])
    #expect(try Selection(in: plan).nodes == nil)
    #expect(throws: RunError.self) { try Selection(only: ["data"], force: ["judge"], in: plan) }
  }

  @Test func `only runs those, when what they need is finished`() throws {
    let toy = try ToyRunner(nodes: mixPlan)
    #expect(try toy.run("run", "--only mix") == .exited(11))
    #expect(
      toy.standardError.contains(
        "`mix` needs `rows`, which is not finished and not selected; run with `--until mix` first"),
      "\(toy.standardError)")
    #expect(try toy.run("run", "--until mix") == .exited(0))
    #expect(toy.standardError.contains("done: 2 stages run, "), "\(toy.standardError)")
    #expect(try toy.run("run", "--only sum") == .exited(0))
    #expect(try toy.events("node-started").map { $0["node"]?.stringValue } == ["sum"])
    #expect(try toy.run("run", "--only sum") == .exited(0))
    #expect(toy.standardError.contains("nothing to run: all 1 stage cached"), "\(toy.standardError)")
  }

  @Test func `a forced stage runs again, and what gives other bytes under one key is said`() throws {
    let toy = try ToyRunner(
      nodes: mixPlan
        + ", {\"address\": \"time\", \"stage\": \"misbehave\", \"options\": {\"how\": \"clock\"}}")
    #expect(try toy.run() == .exited(0))
    #expect(try toy.run("run", "--force rows") == .exited(0))
    // The same bytes: nothing after it runs.
    #expect(try toy.events("node-started").map { $0["node"]?.stringValue } == ["rows"])
    #expect(toy.standardError.contains("start   rows    forced"), "\(toy.standardError)")
    #expect(!toy.standardError.contains("non-deterministic"))
    #expect(try toy.run("run", "--force time") == .exited(0))
    #expect(
      toy.standardError.contains(
        "warning: non-deterministic stage: `time` computed a different `file` under the same key: "),
      "\(toy.standardError)")
  }
}

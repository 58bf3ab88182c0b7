// `--where` of `plumb runs`.

import JSON
import Runner
import Testing

@Suite struct RunConditionTests {
  private func run(_ parameters: JSON, _ metrics: JSON, exit: Int = 0) throws -> RunSummary {
    try #require(
      RunSummary(
        json: [
          "path": "/r/x/1", "id": "1", "experiment": "x", "command": "", "host": "", "process": 1,
          "started": "", "last_event": "", "exit": .int(Int64(exit)), "seconds": 1, "nodes": 1,
          "executed": 1, "cached": 0, "parameters": parameters, "metrics": metrics,
        ]))
  }

  @Test(arguments: [
    ("lr=1e-4", true), ("lr=0.0001", true), ("lr!=1e-4", false), ("after>0.5", true), ("after>=0.7", true),
    ("after<0.7", false), ("each@n=8>6", true), ("each@n=8=7", true), ("each@n=8<=6", false),
    ("kind=sft", true), ("kind!=sft", false), ("kind<z", false), ("state=done", true), ("curve=0.7", true),
  ]) func `a run is compared`(_ text: String, _ holds: Bool) throws {
    let run = try run(
      ["lr": 1e-4, "kind": "sft"], ["after": 0.7, "each@n=8": 7, "curve": [0.1, 0.7]])
    #expect(try RunCondition(text, among: [run]).holds(for: run) == holds)
  }

  @Test func `what a run lacks meets nothing, a name that none has is a mistake`() throws {
    let (one, two) = (try run(["lr": 1], [:]), try run(["rate": 1], [:], exit: 1))
    let condition = try RunCondition("lr!=2", among: [one, two])
    #expect(condition.holds(for: one) && !condition.holds(for: two))
    #expect(try RunCondition("state=failed", among: [one, two]).holds(for: two))
    #expect(throws: (any Error).self) { try RunCondition("lrr=1", among: [one]) }
    #expect(throws: (any Error).self) { try RunCondition("lr", among: [one]) }
  }
}

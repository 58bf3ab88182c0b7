// Spaces: conditions, tied parameters, and what is refused.

import JSON
import Search
import Testing

struct SpaceTests {
  private func random(_ space: Space, _ count: Int) throws -> [Trial] {
    var sequence = try TrialSequence(space, .random, seed: 5)
    return try sequence.run(count) { _ in .failed }
  }

  @Test func `a parameter exists under its condition alone, and nested ones too`() throws {
    for trial in try random(mixedSpace(), 200) {
      let isSGD = trial.values["optimizer"] == "sgd"
      #expect((trial.values["momentum"] != nil) == isSGD && (trial.values["nesterov"] != nil) == isSGD)
      #expect((trial.values["delay"] != nil) == (trial.values["nesterov"] == true))
    }
  }

  @Test func `tied parameters have the values of one row`() throws {
    let rows = Set(
      try random(mixedSpace(), 100).map {
        "\($0.values["model"]?.text() ?? "") \($0.values["memory"]?.text() ?? "")"
      })
    #expect(rows == ["\"small\" 1", "\"large\" 4"])
  }

  @Test func `a condition may name a tied parameter, an integer or several values`() throws {
    let space = try Space([
      Parameter(tied: [
        JSONObject([("a", 1), ("b", "x")]), JSONObject([("a", 2), ("b", "y")]),
        JSONObject([("a", 3), ("b", "x")]),
      ]),
      Parameter("layers", .integers(1, 4)),
      Parameter("of_x", .uniform(0, 1), where: .init("b", among: ["x"])),
      Parameter("of_layers", .uniform(0, 1), where: .init("layers", among: [2, 4])),
    ])
    for trial in try random(space, 100) {
      #expect((trial.values["of_x"] != nil) == (trial.values["b"] == "x"))
      #expect((trial.values["of_layers"] != nil) == [2, 4].contains(trial.values["layers"]))
    }
  }

  @Test func `values stand in the order declared`() throws {
    let trial = try #require(try random(mixedSpace(), 50).first { $0.values["delay"] != nil })
    #expect(
      trial.values.keys == [
        "optimizer", "rate", "momentum", "nesterov", "delay", "batch", "length", "dropout", "model", "memory",
      ])
  }

  @Test func `another parameter changes no draw of the others`() throws {
    let one = Parameter("rate", .logUniform(1e-5, 1e-1))
    let two = Parameter("share", .uniform(0, 1))
    let alone = try random(Space([one]), 20).map { $0.values["rate"] }
    #expect(try random(Space([two, one]), 20).map { $0.values["rate"] } == alone)
  }

  @Test func `what is no space is refused by name`() {
    func error(_ parameters: [Parameter], _ constraints: [Constraint] = []) -> SearchError? {
      searchError { _ = try Space(parameters, constraints: constraints) }
    }
    let a = Parameter("a", .values([1, 2]))
    #expect(error([a, a]) == .declaredTwice("a"))
    #expect(error([a, Parameter(tied: [JSONObject([("b", 1), ("a", 1)])])]) == .declaredTwice("a"))
    #expect(error([Parameter("", .values([1]))]) == .badName(""))
    #expect(error([Parameter("a\nb", .values([1]))]) == .badName("a\nb"))
    #expect(error([Parameter(tied: [])]) == .noTiedRows)
    #expect(error([Parameter(tied: [JSONObject()])]) == .noTiedRows)
    #expect(
      error([a, Parameter("b", .values([1]), where: .init("a", among: []))])
        == .noConditionValues("b", parent: "a"))
    #expect(
      error([Parameter(tied: [JSONObject([("a", 1)]), JSONObject([("b", 1)])])])
        == .tiedRowDiffers(row: 2, names: ["a"]))
    #expect(
      error([Parameter("b", .values([1]), where: .init("a", among: [1])), a]) == .unknownParent("a", of: "b"))
    #expect(
      error([a, Parameter("b", .values([1]), where: .init("a", among: [3]))])
        == .neverExists("b", parent: "a", value: 3))
    #expect(
      error([Parameter("x", .uniform(0, 1)), Parameter("b", .values([1]), where: .init("x", among: [0.5]))])
        == .parentIsContinuous("x", of: "b"))
    let texts = Parameter("t", .values(["x", 1]))
    #expect(
      error([a, texts], [.comparison(.init(times: ["a"]), .less, .init(times: ["t"]))])
        == .notNumeric("t", constraint: "a < t"))
    #expect(
      error([a], [.comparison(.init(times: ["a"]), .less, .init(2, times: ["c"]))])
        == .unknownInConstraint("c", constraint: "a < 2 * c"))
  }
}

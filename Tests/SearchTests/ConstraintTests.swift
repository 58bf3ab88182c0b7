// Constraints: how they are read, that every suggestion meets them, and what there is when none does.

import JSON
import Search
import Testing

struct ConstraintTests {
  private static let methods: [SearchMethod] = [.random, .latinHypercube(trials: 60), .tpe(TPE()), .grid]

  private func pair(_ constraints: [Constraint]) throws -> Space {
    try Space(
      [Parameter("a", .integers(1, 16)), Parameter("b", .integers(1, 16))], constraints: constraints)
  }

  @Test(arguments: methods.indices) func `every suggestion meets the constraints`(_ index: Int) throws {
    let space = try pair([
      Constraint(reading: "a < b"), Constraint(reading: "a * b <= 64"), Constraint(reading: "2*a != b"),
      .condition(name: "not both even") { values in
        ((values["a"]?.intValue ?? 0) % 2, (values["b"]?.intValue ?? 0) % 2) != (0, 0)
      },
    ])
    var sequence = try TrialSequence(space, Self.methods[index], seed: 1, lag: 1)
    let trials = try sequence.run(60) { .value($0.values["a"]?.doubleValue ?? .nan) }
    #expect(trials.count > 30)
    for trial in trials {
      let (a, b) = (try #require(trial.values["a"]?.intValue), try #require(trial.values["b"]?.intValue))
      #expect(a < b && a * b <= 64 && 2 * a != b && (a % 2, b % 2) != (0, 0))
    }
  }

  @Test func `a constraint between parameters of two groups is met`() throws {
    let space = try Space(
      [
        Parameter("kind", .values(["x", "y"])), Parameter("a", .uniform(0, 1)),
        Parameter("b", .uniform(0, 1), where: .init("kind", among: ["x"])),
      ], constraints: [Constraint(reading: "b < a")])
    var sequence = try TrialSequence(space, .tpe(TPE()), seed: 2, lag: 1)
    let trials = try sequence.run(60) { .value($0.values["a"]?.doubleValue ?? .nan) }
    #expect(trials.count { $0.values["b"] != nil } > 10)
    for trial in trials {
      guard let b = trial.values["b"]?.doubleValue else { continue }
      #expect(b < trial.values["a"]?.doubleValue ?? .nan)
    }
  }

  @Test func `constraints that nothing meets say how often it was tried`() throws {
    let space = try pair([Constraint(reading: "a > 16")])
    for method in Self.methods.prefix(3) {
      var sequence = try TrialSequence(space, method, seed: 1, lag: 1)
      #expect(searchError { _ = try sequence.next() } == .noneMeetsConstraints(trial: 0, tried: 1000))
      #expect(sequence.trials.isEmpty)
    }
    #expect(searchError { _ = try TrialSequence(space, .grid, seed: 1) } == .emptyGrid)
  }

  @Test func `a comparison with a parameter that does not exist is met`() throws {
    let space = try Space(
      [Parameter("a", .values([1, 2])), Parameter("b", .values([5]), where: .init("a", among: [1]))],
      constraints: [Constraint(reading: "b < 3")])
    var sequence = try TrialSequence(space, .grid, seed: 0)
    #expect(try sequence.run(9) { _ in .failed }.map { JSON.object($0.values).text() } == ["{\"a\":2}"])
  }

  @Test func `texts are read as comparisons`() throws {
    let texts = [
      "a<b": "a < b", " 2 * a*3 >= b * c ": "6 * a >= b * c", "train.lr == 0.1": "train.lr == 0.1",
    ]
    for (text, meaning) in texts { #expect(try Constraint(reading: text).description == meaning) }
    for text in ["a", "a < ", "a << b", "a < b < c", "a * < b", "a = b", "", "a b < c", "a < inf"] {
      #expect(searchError { _ = try Constraint(reading: text) } == .unreadableConstraint(text))
    }
  }
}

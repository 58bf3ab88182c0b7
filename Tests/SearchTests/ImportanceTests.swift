// Importances where the answer is known.

import JSON
import Search
import Testing

struct ImportanceTests {
  private func shares(
    _ space: Space, _ count: Int, seed: Int = 1, _ metric: (JSONObject) -> Double
  ) throws -> [Importance] {
    var sequence = try TrialSequence(space, .random, seed: seed)
    let trials = try sequence.run(count) { _ in .failed }.map { ($0.values, metric($0.values)) }
    return Importance.of(space, trials: trials, seed: seed)
  }

  private func number(_ values: JSONObject, _ name: String) -> Double { values[name]?.doubleValue ?? .nan }

  @Test func `a sum is shared as its variances are`() throws {
    let space = try Space([
      Parameter("a", .uniform(0, 1)), Parameter("b", .uniform(-3, 5)), Parameter("c", .uniform(0, 1)),
    ])
    // The variances are as 1 to 4 to 0: b is eight times as wide.
    let found = try shares(space, 300) { number($0, "a") + number($0, "b") / 4 }
    let each = try found.map { try #require($0.share) }
    #expect(abs(each[0] - 0.2) < 0.06 && abs(each[1] - 0.8) < 0.06 && each[2] < 0.02)
    #expect(found.map(\.trials) == [300, 300, 300] && found.map(\.parameters) == [["a"], ["b"], ["c"]])
  }

  @Test func `a product of centered numbers is explained by neither alone`() throws {
    let space = try Space([Parameter("a", .uniform(-1, 1)), Parameter("b", .uniform(-1, 1))])
    let found = try shares(space, 300) { number($0, "a") * number($0, "b") }
    for importance in found { #expect(try #require(importance.share) < 0.2) }
  }

  @Test func `categories, logarithmic numbers and integers are judged on their own scale`() throws {
    let space = try Space([
      Parameter("kind", .values(["x", "y", "z"])), Parameter("rate", .logUniform(1e-6, 1)),
      Parameter("width", .integers(1, 4)), Parameter("noise", .values([1, 2, 3, 4, 5, 6])),
    ])
    // Variances: of the kind 2/3 (x is 0, y 1, z 2), of the rate 1/12 * 4, of the width 0.
    let found = try shares(space, 400) { values in
      let kind = ["x": 0.0, "y": 2, "z": 1][values["kind"]?.stringValue ?? ""] ?? .nan
      return kind + 2 * ElementaryFunctions.logarithm(number(values, "rate")) / 13.815510557964274
    }
    let each = try found.map { try #require($0.share) }
    #expect(abs(each[0] - 2.0 / 3) < 0.06 && abs(each[1] - 1.0 / 3) < 0.06)
    #expect(each[2] < 0.02 && each[3] < 0.02)
  }

  @Test func `a conditional parameter is judged where it exists`() throws {
    let space = try Space([
      Parameter("kind", .values(["x", "y", "z"])), Parameter("a", .uniform(0, 1)),
      Parameter("b", .uniform(0, 1), where: .init("kind", among: ["x", "y"])),
    ])
    let found = try shares(space, 400) { values in
      let isZ = values["kind"] == "z"
      return isZ ? 5 : (values["kind"] == "x" ? 0.0 : 0.5) + (values["b"]?.doubleValue ?? 0)
    }
    #expect(found[2].trials < 300 && found[0].trials == 400)
    // Among x and y: 1/16 of the kind, 1/12 of b.
    #expect(abs(try #require(found[2].share) - 4.0 / 7) < 0.06)
    #expect(try #require(found[0].share) > 0.9 && #require(found[1].share) < 0.02)
  }

  @Test func `the same trials have the same importances, and few or equal ones have none`() throws {
    let space = try Space([Parameter("a", .uniform(0, 1))])
    #expect(try shares(space, 30) { number($0, "a") } == (try shares(space, 30) { number($0, "a") }))
    for count in [0, 1] {
      let found = try shares(space, count) { number($0, "a") }
      #expect(
        found.count == 1 && found[0].share == nil && found[0].deviation == nil && found[0].trials == count)
    }
    #expect(try shares(space, 20) { _ in 3 }[0].share == nil)
    let some = try shares(space, 20) { number($0, "a") < 0.5 ? .nan : number($0, "a") }
    #expect(some[0].trials < 20 && some[0].trials > 2)
  }
}

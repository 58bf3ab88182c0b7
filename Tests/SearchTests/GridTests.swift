// Grids: their order, and what takes no part.

import JSON
import Search
import Testing

struct GridTests {
  private func texts(_ parameters: [Parameter]) throws -> [String] {
    var sequence = try TrialSequence(Space(parameters), .grid, seed: 0)
    let trials = try sequence.run(1000) { _ in .failed }
    #expect(sequence.count == trials.count)
    #expect(try sequence.next() == .end)
    return trials.map { $0.values.members.map { $0.value.text() }.joined(separator: " ") }
  }

  @Test func `the last parameter changes fastest`() throws {
    #expect(
      try texts([Parameter("a", .values([2, 1])), Parameter("b", .integers(1, 3))])
        == ["2 1", "2 2", "2 3", "1 1", "1 2", "1 3"])
  }

  @Test func `parameters that do not exist take no part, and equal values count once`() throws {
    #expect(
      try texts([
        Parameter("a", .values([1, 2, 1, 3])),
        Parameter("b", .uniform(0, 0.2, step: 0.1), where: .init("a", among: [1])),
        Parameter("c", .values([true, false]), where: .init("b", among: [0.1])),
        Parameter("d", .values(["x"])),
      ]) == ["1 0.0 \"x\"", "1 0.1 true \"x\"", "1 0.1 false \"x\"", "1 0.2 \"x\"", "2 \"x\"", "3 \"x\""])
  }

  @Test func `no parameters have one combination`() throws {
    #expect(try texts([]) == [""])
  }

  @Test func `what cannot be listed is refused`() {
    func error(_ parameters: [Parameter]) -> SearchError? {
      searchError { _ = try TrialSequence(Space(parameters), .grid, seed: 0) }
    }
    #expect(error([Parameter("rate", .uniform(0, 1))]) == .gridOfContinuous("rate"))
    #expect(
      error((1...3).map { Parameter("p\($0)", .integers(1, 1000)) }) == .gridTooLarge(most: 1_000_000))
  }
}

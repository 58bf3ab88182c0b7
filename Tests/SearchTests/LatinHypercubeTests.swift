// Latin hypercubes: one trial in each part of each axis.

import JSON
import Search
import Testing

struct LatinHypercubeTests {
  @Test(arguments: [1, 2, 7, 32]) func `each part of each axis has one trial`(_ count: Int) throws {
    let space = try Space([
      Parameter("x", .uniform(0, 1)), Parameter("y", .logUniform(1e-4, 1)),
      Parameter("z", .integers(1, count + 1)),
    ])
    var sequence = try TrialSequence(space, .latinHypercube(trials: count), seed: 9)
    let trials = try sequence.run(1000) { _ in .failed }
    #expect(trials.count == count && sequence.count == count)
    func parts(_ share: (JSONObject) -> Double) -> [Int] {
      trials.map { Int((share($0.values) * Double(count)).rounded(.down)) }.sorted()
    }
    #expect(parts { $0["x"]?.doubleValue ?? -1 } == Array(0..<count))
    #expect(
      parts { 1 + ElementaryFunctions.logarithm($0["y"]?.doubleValue ?? 0) / 9.210340371976182 }
        == Array(0..<count))
  }

  @Test func `axes are not in step with each other`() throws {
    let space = try Space([Parameter("x", .uniform(0, 1)), Parameter("y", .uniform(0, 1))])
    var sequence = try TrialSequence(space, .latinHypercube(trials: 200), seed: 1)
    var sum = 0.0
    for trial in try sequence.run(200, { _ in .failed }) {
      sum += ((trial.values["x"]?.doubleValue ?? 0) - 0.5) * ((trial.values["y"]?.doubleValue ?? 0) - 0.5)
    }
    // The correlation has a standard deviation of 0.07.
    #expect(abs(sum / 200 * 12) < 0.28)
  }

  @Test func `a design of no trials is refused`() throws {
    let space = try Space([Parameter("x", .uniform(0, 1))])
    #expect(searchError { _ = try TrialSequence(space, .latinHypercube(trials: 0), seed: 1) } == .noTrials)
  }
}

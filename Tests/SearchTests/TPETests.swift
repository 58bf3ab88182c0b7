// TPE: that it finds what is good, keeps apart from what runs and fails, and takes conditions, goals and early ends into account.

import JSON
import Search
import Testing

struct TPETests {
  private func best(_ method: SearchMethod, lag: Int, seeds: Int = 3) throws -> Double {
    let best = try (0..<seeds).map { seed in
      var sequence = try TrialSequence(mixedSpace(), method, seed: seed, lag: lag)
      return try sequence.run(60) { .value(mixedLoss($0.values)) }.map { mixedLoss($0.values) }.min() ?? .nan
    }
    return best.sorted()[seeds / 2]
  }

  @Test func `it finds better trials than random search`() throws {
    let random = try best(.random, lag: 1)
    #expect(try best(.tpe(TPE()), lag: 1) < random - 0.1)
    #expect(try best(.tpe(TPE()), lag: 4) < random - 0.1)
  }

  @Test func `to maximize a metric is to minimize its negative`() throws {
    var (down, up) = (
      try TrialSequence(mixedSpace(), .tpe(TPE()), seed: 1, lag: 1),
      try TrialSequence(mixedSpace(), .tpe(TPE()), seed: 1, goal: .maximize, lag: 1)
    )
    let first = try down.run(40) { .value(mixedLoss($0.values)) }
    #expect(try up.run(40) { .value(-mixedLoss($0.values)) } == first)
  }

  @Test func `the first trials are those of random search`() throws {
    var (random, tpe) = (
      try TrialSequence(mixedSpace(), .random, seed: 4),
      try TrialSequence(mixedSpace(), .tpe(TPE(startupTrials: 6)), seed: 4, lag: 2)
    )
    let (first, second) = (
      try random.run(10) { .value(mixedLoss($0.values)) }, try tpe.run(10) { .value(mixedLoss($0.values)) }
    )
    // Trial 7 is the first that knows six outcomes.
    #expect(first.prefix(7) == second.prefix(7))
    #expect(first[7] != second[7])
  }

  @Test func `it keeps away from where trials fail`() throws {
    let space = try Space([Parameter("x", .uniform(0, 1))])
    var sequence = try TrialSequence(space, .tpe(TPE()), seed: 1, lag: 1)
    // Better the nearer to 0.5, above which everything fails.
    let trials = try sequence.run(60) {
      let x = $0.values["x"]?.doubleValue ?? .nan
      return x > 0.5 ? .failed : .value(0.5 - x)
    }
    #expect(trials.suffix(40).count { ($0.values["x"]?.doubleValue ?? 1) <= 0.5 } > 20)
    // A metric that is not finite is a failure.
    var other = try TrialSequence(space, .tpe(TPE()), seed: 1, lag: 1)
    #expect(
      trials
        == (try other.run(60) {
          let x = $0.values["x"]?.doubleValue ?? .nan
          return x > 0.5 ? .value($0.number % 2 == 0 ? .nan : -.infinity) : .value(0.5 - x)
        }))
  }

  @Test func `where all trials fail it still suggests`() throws {
    var sequence = try TrialSequence(mixedSpace(), .tpe(TPE()), seed: 1, lag: 1)
    #expect(try sequence.run(30) { _ in .failed }.count == 30)
  }

  @Test func `trials without an outcome count as bad`() throws {
    let space = try Space([Parameter("x", .uniform(0, 1))])
    // With a long lag the outcomes stay the same while trials are suggested.
    var sequence = try TrialSequence(space, .tpe(TPE()), seed: 1, lag: 30)
    let trials = try sequence.run(70) { .value(abs(($0.values["x"]?.doubleValue ?? .nan) - 0.3)) }
    let numbers = trials[40..<70].compactMap { $0.values["x"]?.doubleValue }.sorted()
    // As far apart as thirty numbers between 0 and 0.6 can be expected to be: at random they leave gaps of 0.08.
    let gaps = zip(numbers.dropFirst(), numbers).map { $0 - $1 }
    #expect(gaps.max() ?? 1 < 0.05 && (numbers.last ?? 0) - (numbers.first ?? 0) > 0.4)
  }

  @Test func `a trial that was ended ranks behind those that were finished, the longest first`() throws {
    func order(_ outcomes: [Outcome]) throws -> [Trial] {
      let space = try Space([Parameter("x", .uniform(0, 1))])
      var sequence = try TrialSequence(space, .tpe(TPE(startupTrials: 4)), seed: 3, lag: 1)
      return try sequence.run(5) { $0.number < 4 ? outcomes[$0.number] : .failed }
    }
    // Of four outcomes one is good: the last trial shows which.
    let first = try order([.value(1), .value(2), .value(2), .value(2)])
    #expect(first == (try order([.value(9), .ended(iterations: 5, value: 0), .failed, .failed])))
    #expect(
      first
        == (try order([
          .ended(iterations: 6, value: 9), .ended(iterations: 5, value: 0), .failed, .value(.nan),
        ])))
    #expect(first != (try order([.value(2), .value(1), .value(2), .value(2)])))
  }
}

// What a trial depends on: the search, its number, and outcomes a lag before it, and nothing else.

import JSON
import Search
import Testing

struct TrialSequenceTests {
  private static let methods: [SearchMethod] = [
    .random, .latinHypercube(trials: 40), .tpe(TPE()), .list((0..<40).map { JSONObject([("a", .int($0))]) }),
  ]

  private func loss(_ trial: Trial) -> Outcome {
    trial.number % 7 == 3 ? .failed : .value(mixedLoss(trial.values))
  }

  private func trials(_ method: SearchMethod, seed: Int = 1, lag: Int = 4, count: Int = 40) throws -> [Trial]
  {
    var sequence = try TrialSequence(mixedSpace(), method, seed: seed, lag: lag)
    return try sequence.run(count, loss)
  }

  @Test(arguments: methods.indices)
  func `a search has the same trials each time, and more trials keep the earlier ones`(
    _ index: Int
  ) throws {
    let method = Self.methods[index]
    let all = try trials(method)
    #expect(all.count == 40)
    #expect(all == (try trials(method)))
    #expect(Array(all.prefix(25)) == (try trials(method, count: 25)))
    if index < 3 { #expect(all != (try trials(method, seed: 2))) }
  }

  @Test(arguments: [1, 2, 4, 7])
  func `outcomes that come at once, early, late or from several workers change nothing`(
    _ lag: Int
  ) throws {
    let all = try trials(.tpe(TPE()), lag: lag)
    // All outcomes are there before the first trial, as after an interruption.
    var resumed = try TrialSequence(mixedSpace(), .tpe(TPE()), seed: 1, lag: lag)
    for trial in all.reversed() { resumed.record(loss(trial), of: trial.number) }
    #expect(all == (try resumed.run(40) { _ in .failed }))
    // Workers that take what there is and end in another order.
    var sequence = try TrialSequence(mixedSpace(), .tpe(TPE()), seed: 1, lag: lag)
    var running: [Trial] = []
    while sequence.trials.count < 40 {
      if running.count < 5, case .trial(let trial) = try sequence.next() {
        running.append(trial)
      } else {
        let ended = running.remove(at: sequence.trials.count % running.count)
        sequence.record(loss(ended), of: ended.number)
      }
    }
    #expect(all == sequence.trials)
  }

  @Test func `a retry changes no suggestion`() throws {
    let all = try trials(.tpe(TPE()))
    var sequence = try TrialSequence(mixedSpace(), .tpe(TPE()), seed: 1)
    while sequence.trials.count < 40, case .trial(let trial) = try sequence.next() {
      sequence.record(loss(trial), of: trial.number)
      sequence.record(.value(-1000), of: trial.number)
    }
    #expect(all == sequence.trials)
  }

  @Test(arguments: [1, 4]) func `trial k reads the outcome of k - lag and none after it`(_ lag: Int) throws {
    let all = try trials(.tpe(TPE()), lag: lag)
    func changed(_ number: Int) throws -> Int? {
      var sequence = try TrialSequence(mixedSpace(), .tpe(TPE()), seed: 1, lag: lag)
      let other = try sequence.run(40) { $0.number == number ? .value(-1000) : loss($0) }
      return all.indices.first { all[$0] != other[$0] }
    }
    // Failed trials, which as the best of all are among the good ones as soon as they are read.
    for number in [17, 24, 31] { #expect(try changed(number) == number + lag) }
  }

  @Test func `the next trial waits for the first outcome that is missing`() throws {
    var sequence = try TrialSequence(mixedSpace(), .tpe(TPE(startupTrials: 3)), seed: 1, lag: 2)
    // Trial 4 is the first that knows three outcomes.
    for _ in 0..<4 { _ = try sequence.next() }
    #expect(sequence.trials.count == 4)
    #expect(try sequence.next() == .waits(for: 0))
    sequence.record(.value(1), of: 0)
    sequence.record(.value(1), of: 2)
    #expect(try sequence.next() == .waits(for: 1))
    sequence.record(.failed, of: 1)
    #expect(try sequence.next() != .waits(for: 3))
    #expect(sequence.trials.count == 5)
    #expect(try sequence.next() == .waits(for: 3))
  }

  @Test func `a list has its trials and no others`() throws {
    let rows = [JSONObject([("a", 1)]), JSONObject([("b", "x")]), JSONObject([("a", 1)])]
    var sequence = try TrialSequence(Space([]), .list(rows), seed: 0)
    let found = try sequence.run(10) { _ in .failed }
    #expect(found.map { JSON.object($0.values) } == rows.map { .object($0) })
    #expect(found.map(\.number) == [0, 1, 2])
    #expect(searchError { _ = try TrialSequence(Space([]), .list([]), seed: 0) } == .emptyList)
  }
}

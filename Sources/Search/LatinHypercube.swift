// A Latin hypercube: on each axis, each of as many equal parts as there are trials has one trial.

/// The parts of parameter `name` are given to the trials by a permutation: trials in the order of their numbers
/// `UnitNumber.at(seed, trial, "permutation\tname", 0)`. In its part the place of a trial is its number under `name`.
///
/// The number of trials belongs to the design: another number gives other trials, also for those that both have. A parameter that exists only
/// under a condition has its part whether it exists or not, so that the trials in which it does exist need not have one in each part. A trial
/// that does not meet the constraints is drawn again at random, outside of the parts.
///
/// Source: McKay, Beckman and Conover, Technometrics 21 (1979).
struct LatinHypercube: Sendable {
  private let trials: Int
  /// For each parameter, the part of each trial.
  private let parts: [[Int]]

  init(trials: Int, of space: Space, seed: Int) throws(SearchError) {
    guard trials > 0 else { throw .noTrials }
    self.trials = trials
    parts = space.parameters.map { parameter in
      let numbers = (0..<trials).map {
        UnitNumber.at(seed: seed, trial: $0, name: "permutation\t\(parameter.drawName)", element: 0)
      }
      let order = numbers.indices.sorted { (numbers[$0], $0) < (numbers[$1], $1) }
      var parts = [Int](repeating: 0, count: trials)
      for (part, trial) in order.enumerated() { parts[trial] = part }
      return parts
    }
  }

  /// - Precondition: `trial` is under the number of trials.
  func point(trial: Int, of space: Space, seed: Int) throws(SearchError) -> Point {
    try space.draw(trial: trial) { index, element in
      let number = UnitNumber.at(
        seed: seed, trial: trial, name: space.parameters[index].drawName, element: element)
      guard element == 0 else { return number }
      return min((Double(parts[index][trial]) + number) / Double(trials), 1.0.nextDown)
    }
  }
}

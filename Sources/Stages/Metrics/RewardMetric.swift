// `reward`: the mean reward of the generations, and how far rewards are spread.

import JSON
import Runner

/// Over all generations that have a reward; the others are counted as left out. The deviation is the population's.
/// Source: METHODS 1.13.
struct RewardMetric: Metric {
  static let name = "reward"
  static let summary = "the mean of `rewards` and its standard deviation"
  static let numbers = ["reward", "reward_deviation"]
  static let columns = [(name: "rewards", source: "`score` gives it")]

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let rewards = try generations.rows.flatMap { try rewardList(of: $0, generations.table) }
    let known = rewards.compactMap { $0 }
    guard !known.isEmpty else { throw InputError("\(generations.path): no generation has a reward") }
    context.leaveOut(rewards.count - known.count, "generations without reward")
    let (mean, deviation) = meanAndDeviation(known)
    return [.double(mean), .double(deviation)]
  }
}

/// Of the population. Divided by the largest one's power of two on the way, which changes no digit, so that no square overflows or
/// vanishes.
func meanAndDeviation(_ numbers: [Double]) -> (mean: Double, deviation: Double) {
  let largest = numbers.reduce(0) { max($0, $1.magnitude) }
  let scale = largest.isNormal ? largest.binade : 1
  let scaled = numbers.map { $0 / scale }
  let count = Double(numbers.count)
  let mean = scaled.reduce(0, +) / count
  let squares = scaled.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (mean * scale, (squares / count).squareRoot() * scale)
}

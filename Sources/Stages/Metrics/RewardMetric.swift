// `reward`: the mean reward of the generations, and how far rewards are spread.

import Experiments
import JSON

/// Over all generations that have a reward; the others are counted as left out. The deviation is the population's.
/// Source: METHODS 1.13.
struct RewardMetric: Metric {
  static let name = "reward"
  static let summary = "the mean of `rewards` (`reward`) and their standard deviation (`reward_deviation`)"
  let columns = [(name: "rewards", source: "`score` gives it")]

  init(_ options: StageOptions) {}

  func numbers(for options: JSON) -> [String] {
    MeanNumbers.names("reward", options) + ["reward_deviation"]
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let rewards = try generations.rows.map { try rewardList(of: $0, generations.table) }
    let known = rewards.map { $0.compactMap { $0 } }
    guard let mean = ClusteredMean(known) else {
      throw InputError("\(generations.path): no generation has a reward")
    }
    context.leaveOut(generations.samples.count - mean.count, "generations without reward")
    return try MeanNumbers.values(of: mean, context) + [
      .double(meanAndDeviation(known.flatMap { $0 }).deviation)
    ]
  }
}

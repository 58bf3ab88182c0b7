// What trackers are told of a stage's metrics: numbers by iteration, series by step.

import JSON
import Runner
import System

struct TrackedNumber: Sendable {
  /// `quark.train/loss`: the stage without its iteration, and the metric.
  let name: String
  let step: Int
  let value: Double
}

struct TrackedNumbers {
  /// Steps of the earlier iterations of a training, by its address without iterations.
  private var steps: [UTF8Key: Int] = [:]

  init() {}

  /// A number stands at its iteration, 0 where there is none; a series at its steps, which go on from iteration to iteration, so that stages
  /// are to come in their order.
  mutating func take(_ metrics: JSON, of address: String) -> [TrackedNumber] {
    let family = PlanAddress.withoutIterations(address)
    let iteration = PlanAddress.iteration(address) ?? 0
    let first = steps[UTF8Key(family)] ?? 0
    var numbers: [TrackedNumber] = []
    var longest = 0
    for (name, value) in metrics.objectValue?.members ?? [] {
      let name = "\(family)/\(name)"
      if let number = value.doubleValue {
        numbers.append(TrackedNumber(name: name, step: iteration, value: number))
      }
      let series = value.arrayValue ?? []
      longest = max(longest, series.count)
      for (step, element) in series.enumerated() {
        guard let number = element.doubleValue else { continue }
        numbers.append(TrackedNumber(name: name, step: first + step + 1, value: number))
      }
    }
    steps[UTF8Key(family)] = first + longest
    return numbers
  }
}

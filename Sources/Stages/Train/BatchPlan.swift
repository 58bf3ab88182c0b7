// Which examples make up each step of a training.

import Models

struct BatchPlan {
  let stepCount: Int
  private let batchSize: Int
  private let stepsPerEpoch: Int
  private let orders: [[Int]]

  init(ids: [String], batchSize: Int, epochs: Int, dropLast: Bool, seed: UInt64) {
    self.batchSize = batchSize
    stepsPerEpoch = dropLast ? ids.count / batchSize : (ids.count + batchSize - 1) / batchSize
    stepCount = stepsPerEpoch * epochs
    orders = (0..<epochs).map { shuffledOrder(ids, seed: seed, epoch: $0) }
  }

  /// Places of the examples of step 0 ..< stepCount.
  func batch(_ step: Int) -> ArraySlice<Int> {
    let order = orders[step / stepsPerEpoch]
    let first = step % stepsPerEpoch * batchSize
    return order[first..<min(first + batchSize, order.count)]
  }
}

// Which examples make up each step of a training.

import Models

/// Epochs of the examples without end, each in an order of its own; a batch never holds examples of two.
package struct BatchPlan {
  package let stepsPerEpoch: Int
  /// Steps that were taken before the first of this plan.
  package let firstStep: Int
  private let ids: [String]
  private let batchSize: Int
  package let seed: UInt64
  private var order: (epoch: Int, places: [Int])?

  package init(ids: [String], batchSize: Int, dropLast: Bool, seed: UInt64, firstStep: Int = 0) {
    self.ids = ids
    self.batchSize = batchSize
    self.seed = seed
    self.firstStep = firstStep
    stepsPerEpoch = dropLast ? ids.count / batchSize : (ids.count + batchSize - 1) / batchSize
  }

  /// Places of the examples of a step, counted from 0 where the plan begins.
  /// - Precondition: there are steps in an epoch.
  package mutating func batch(_ step: Int) -> ArraySlice<Int> {
    precondition(stepsPerEpoch > 0, "\(ids.count) examples make no batch of \(batchSize)")
    let (epoch, place) = (firstStep + step).quotientAndRemainder(dividingBy: stepsPerEpoch)
    let places = places(ofEpoch: epoch)
    let first = place * batchSize
    return places[first..<min(first + batchSize, places.count)]
  }

  private mutating func places(ofEpoch epoch: Int) -> [Int] {
    if let order, order.epoch == epoch { return order.places }
    let places = shuffledOrder(ids, seed: seed, epoch: epoch)
    order = (epoch, places)
    return places
  }
}

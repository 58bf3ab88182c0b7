// Steps and warm-up of a training as the originals count them, and the examples of each step.

import Models
import Stages
import Testing

struct BatchPlanTests {
  private func plan(_ count: Int, batchSize: Int, dropLast: Bool = false) -> BatchPlan {
    BatchPlan(
      ids: (0..<count).map { "row\($0 / 8)#\($0 % 8)" }, batchSize: batchSize, dropLast: dropLast, seed: 7)
  }

  /// METHODS 1.11: prompts * samples * 2 epochs over batches of two cards, and 0.05 of it, which is 128, 102.4 and 25.6.
  @Test(arguments: [
    (prompts: 2048, samples: 10, batch: 16, steps: 2560, warmUp: 128),
    (2048, 8, 16, 2048, 103), (2048, 8, 64, 512, 26),
  ])
  func `steps and warm-up are counted as the originals count them, a part of a step as a whole one`(
    counts: (prompts: Int, samples: Int, batch: Int, steps: Int, warmUp: Int)
  ) {
    let steps = plan(counts.prompts * counts.samples, batchSize: counts.batch).stepsPerEpoch * 2
    #expect(steps == counts.steps)
    let schedule = LearningRateSchedule(
      peak: 2e-5, steps: steps, warmUpLength: .share(0.05), warmUp: .logarithmic, decay: .linear)
    #expect(schedule.warmUpSteps == counts.warmUp)
  }

  @Test func `every epoch has each example once, in another order, and no batch reaches into the next`() {
    var plan = plan(22, batchSize: 4)
    #expect(plan.stepsPerEpoch == 6)
    let epochs = (0..<3).map { epoch in (0..<6).map { Array(plan.batch(6 * epoch + $0)) } }
    for epoch in epochs {
      #expect(epoch.map(\.count) == [4, 4, 4, 4, 4, 2])
      #expect(epoch.flatMap { $0 }.sorted() == Array(0..<22))
    }
    #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2])
    // Asked for in any order.
    #expect(Array(plan.batch(2)) == epochs[0][2] && Array(plan.batch(17)) == epochs[2][5])
  }

  @Test func `a plan that begins later goes on in the same epochs`() {
    var whole = plan(22, batchSize: 4)
    var later = BatchPlan(
      ids: (0..<22).map { "row\($0 / 8)#\($0 % 8)" }, batchSize: 4, dropLast: false, seed: 7, firstStep: 4)
    #expect((0..<14).allSatisfy { later.batch($0) == whole.batch($0 + 4) })
  }

  @Test func `with drop_last an epoch ends with its last full batch`() {
    var plan = plan(22, batchSize: 4, dropLast: true)
    #expect(plan.stepsPerEpoch == 5)
    #expect((0..<10).allSatisfy { plan.batch($0).count == 4 })
    #expect(self.plan(3, batchSize: 4, dropLast: true).stepsPerEpoch == 0)
  }
}

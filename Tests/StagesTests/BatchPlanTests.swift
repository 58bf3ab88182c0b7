// The examples of each step of a training.

import Models
import Stages
import Testing

struct BatchPlanTests {
  private func plan(_ count: Int, batchSize: Int, dropLast: Bool = false) -> BatchPlan {
    BatchPlan(
      ids: (0..<count).map { "row\($0 / 8)#\($0 % 8)" }, batchSize: batchSize, dropLast: dropLast, seed: 7)
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

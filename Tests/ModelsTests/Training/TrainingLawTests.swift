// Gradients and weights have the same bits whatever the token budget, the threads and the instruction set.

import Models
import Testing

extension KernelPathTests {
  @Suite struct TrainingLawTests {
    @Test(arguments: ["tied", "untied"], NumericMode.both)
    func `gradients do not depend on token budget, threads or instruction set`(model: String, mode: NumericMode)
      throws
    {
      var bench = TrainingBench(model: model, mode: mode, tokenBudget: 10_000)
      let (loss, gradients) = try bench.trainer().gradient(TrainingBench.examples)
      #expect(loss.isFinite)
      #expect(gradients.names.allSatisfy { name in gradients[name].elements.contains { $0 != 0 } })
      try KernelPathTests.onEveryWay { way in
        for budget in way.threads == 2 ? [1, 40, 200, 10_000] : [40] {
          bench.tokenBudget = budget
          let trainer = try bench.trainer()
          way.take()
          let found = trainer.gradient(TrainingBench.examples)
          #expect(found.loss.bitPattern == loss.bitPattern, "\(way), budget \(budget)")
          #expect(differences(found.gradients, gradients) == [], "\(way), budget \(budget)")
        }
      }
    }

    @Test(arguments: NumericMode.both)
    func `trained weights do not depend on token budget, threads or instruction set`(mode: NumericMode) throws {
      for direction in [ConditionalObjective.KLDirection.referencePolicy, .policyReference] {
        var bench = TrainingBench(mode: mode, tokenBudget: 10_000)
        bench.objective.klDirection = direction
        let expected = try bench.trainer()
        let losses = try TrainingBench.train(expected, to: 4)
        #expect(Set(losses).count == 4)
        try KernelPathTests.onEveryWay { way in
          bench.tokenBudget = [1, 40, 10_000][Int(way.threads) - 1]
          let trainer = try bench.trainer()
          way.take()
          #expect(try TrainingBench.train(trainer, to: 4) == losses, "\(way)")
          #expect(differences(trainer.parameters, expected.parameters) == [], "\(way)")
        }
      }
    }
  }
}

// Adaptive coefficients: the rule of the originals, and a training whose loss follows them.

import JSON
import Models
import Testing

struct AdaptiveObjectiveTests {
  /// METHODS 1.14 with the originals' 0.05, target 3 and horizon 2,500, and batches of 128: the factor is at most 1.01024.
  @Test func `a coefficient moves by the clipped relative error`() {
    func next(_ current: Double, rises: Bool) -> Double {
      CoefficientController("x", initial: 0.05, term: 0, target: 3, horizon: 2500, rises: rises)
        .next(after: 0.05, current: current, examples: 128)
    }
    for (current, factor) in [
      (6.0, 1.01024), (3.6, 1.01024), (3.3, 1.00512), (3, 1), (2.7, 0.99488), (0, 0.98976), (1e9, 1.01024),
    ] {
      #expect(abs(next(current, rises: true) - 0.05 * factor) < 1e-12, "\(current)")
      #expect(abs(next(current, rises: false) - 0.05 * (2 - factor)) < 1e-12, "\(current)")
    }
  }

  @Test func `the loss of each step is made with the coefficients that the steps before left`() throws {
    let trainer = try TrainingBench(objective: TrainingBench.adaptive, warmUpRatio: 0).trainer()
    let controllers = TrainingBench.adaptive.controllers
    #expect(controllers.map(\.name) == ["kl_coefficient", "entropy_coefficient"])
    var expected = [0.3, 0.2]
    for index in 0..<4 {
      let batch = TrainingBench.batch(index)
      let step = try trainer.train(batch)
      #expect(step.coefficients == expected)
      let (kl, entropy) = (step.coefficients[0], step.coefficients[1])
      #expect(abs(step.loss - (step.terms[0] + kl * step.terms[1] - entropy * step.terms[2])) < 1e-12)
      // Sums of a whole output, as the mean over the batch.
      let outputs = Double(step.targetCount) / Double(batch.count)
      expected = zip(controllers, expected).map { controller, value in
        controller.next(after: value, current: step.terms[controller.term] * outputs, examples: batch.count)
      }
    }
    #expect(expected != [0.3, 0.2] && trainer.series.json["kl_coefficient"]?.arrayValue?.count == 4)
    // A plain objective's first step is the same, and its later ones are not.
    let plain = try TrainingBench(warmUpRatio: 0).trainer()
    let losses = try TrainingBench.train(plain, to: 4)
    let found = (trainer.series.json["loss"]?.arrayValue ?? []).compactMap(\.doubleValue)
    #expect(found[0].bitPattern == losses[0] && found[1].bitPattern != losses[1])
  }
}

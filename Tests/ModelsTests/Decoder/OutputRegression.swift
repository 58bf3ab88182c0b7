// An objective for tests of heads.

import Models

/// Half the squared distance of all outputs from 1: a loss that any head has.
struct OutputRegression: Objective {
  var terms: [String] { ["squares"] }
  var reference: ReferenceUse? { nil }
  func sequences(of example: TrainingExample, conditioned: Bool) -> [TargetSequence] {
    [example.nextTokenTargets(conditioned: conditioned)]
  }
  func targetCount(of example: TrainingExample) -> Int { example.output.count }
  func total(_ terms: [Double]) -> Double { terms[0] }
  func loss(_ chunk: LossChunk, on backend: any Backend) -> [[Float]] {
    let errors = chunk.outputs.read().map { $0 - 1 }
    chunk.outputs.write(errors.map { chunk.scale * $0 })
    return [errors.map { $0 * $0 / 2 }]
  }
}

// Supervised fine-tuning: the negative log-likelihood of the outputs.

/// L = M(lm), lm = -log p(token), M the mean over all target tokens of the batch.
package struct SupervisedFineTuning: Objective {
  package init() {}

  package var terms: [String] { ["lm"] }

  package var reference: ReferenceUse? { nil }

  package func sequences(of example: TrainingExample, conditioned: Bool) -> [TargetSequence] {
    [example.nextTokenTargets(conditioned: conditioned)]
  }

  package func targetCount(of example: TrainingExample) -> Int { example.targetCount }

  package func loss(_ chunk: LossChunk, on backend: any Backend) -> [[Float]] {
    [backend.crossEntropy(chunk.outputs, labels: chunk.labels, scale: chunk.scale)]
  }

  package func total(_ terms: [Double]) -> Double { terms[0] }
}

// The conditional objective: what a policy trained on feedback-conditioned rows minimises.

/// L = M(lm + kl * KL - entropy * H), M the mean over all target tokens of the batch.
/// Source: Lu et al., Quark (2022), eq. 2; ALT (2024). lm = -log p(token), H the entropy of the policy's
/// distribution, KL between policy and reference at each target token: KL(reference || policy) in ALT, KL(policy || reference) in
/// Quark.
package struct ConditionalObjective: Objective {
  package var kl: Double
  package var entropy: Double
  package var klDirection: KLDirection
  /// Whether the reference reads the conditioning.
  package var referenceConditioned: Bool

  package init(
    kl: Double, entropy: Double, klDirection: KLDirection = .referencePolicy,
    referenceConditioned: Bool = false
  ) {
    self.kl = kl
    self.entropy = entropy
    self.klDirection = klDirection
    self.referenceConditioned = referenceConditioned
  }

  package var terms: [String] { ["lm", "kl", "entropy"] }

  package var reference: ReferenceUse? { kl == 0 ? nil : ReferenceUse(conditioned: referenceConditioned) }

  package func sequences(of example: TrainingExample, conditioned: Bool) -> [TargetSequence] {
    [example.nextTokenTargets(conditioned: conditioned)]
  }

  package func targetCount(of example: TrainingExample) -> Int { example.targetCount }

  package func loss(_ chunk: LossChunk, on backend: any Backend) -> [[Float]] {
    let rows = backend.conditionalLoss(
      chunk.outputs, reference: chunk.reference, labels: chunk.labels,
      loss: ConditionalLoss(
        kl: Float(kl), entropy: Float(entropy), direction: klDirection, klColumns: chunk.sharedColumns),
      scale: chunk.scale)
    return [rows.languageModel, rows.kl, rows.entropy]
  }

  package func total(_ terms: [Double]) -> Double { terms[0] + kl * terms[1] - entropy * terms[2] }
}

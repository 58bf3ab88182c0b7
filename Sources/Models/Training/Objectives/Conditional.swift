// The conditional objective: what a policy trained on feedback-conditioned rows minimises.

/// L = M(lm + kl * KL - entropy * H), M the mean over all target tokens of the batch.
/// Source: Lu et al., Quark (2022), eq. 2; ALT (2024). lm = -log p(token), H the entropy of the policy's
/// distribution, KL between policy and reference at each target token: KL(reference || policy) in ALT, KL(policy || reference) in
/// Quark.
package struct ConditionalObjective: AdaptiveObjective {
  package var kl: Double
  package var entropy: Double
  package var klDirection: KLDirection
  /// Whether the reference reads the conditioning.
  package var referenceConditioned: Bool
  /// Where coefficients change: what each of them follows.
  package var adaptation: Adaptation?

  package struct Adaptation: Sendable {
    /// Nats of a whole output; nil where the coefficient stays.
    package let klTarget: Double?
    package let entropyTarget: Double?
    /// In examples.
    package let horizon: Double

    package init(klTarget: Double?, entropyTarget: Double?, horizon: Double) {
      self.klTarget = klTarget
      self.entropyTarget = entropyTarget
      self.horizon = horizon
    }
  }

  package init(
    kl: Double, entropy: Double, klDirection: KLDirection = .referencePolicy,
    referenceConditioned: Bool = false, adaptation: Adaptation? = nil
  ) {
    self.kl = kl
    self.entropy = entropy
    self.klDirection = klDirection
    self.referenceConditioned = referenceConditioned
    self.adaptation = adaptation
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

  package var controllers: [CoefficientController] {
    guard let adaptation else { return [] }
    let (klTarget, entropyTarget) = (adaptation.klTarget, adaptation.entropyTarget)
    return [
      klTarget.map {
        CoefficientController(
          "kl_coefficient", initial: kl, term: 1, target: $0, horizon: adaptation.horizon, rises: true)
      },
      entropyTarget.map {
        CoefficientController(
          "entropy_coefficient", initial: entropy, term: 2, target: $0, horizon: adaptation.horizon,
          rises: false)
      },
    ].compactMap { $0 }
  }

  package func with(coefficients: [Double]) -> any Objective {
    var result = self
    for (controller, value) in zip(controllers, coefficients) {
      if controller.term == 1 { result.kl = value } else { result.entropy = value }
    }
    return result
  }

  package func total(_ terms: [Double]) -> Double { terms[0] + kl * terms[1] - entropy * terms[2] }
}

// The conditional objective: what a policy trained on feedback-conditioned rows minimises.

import CKernels

/// L = M(lm + kl * KL - entropy * H), M the mean over all target tokens of the batch.
/// Source: Lu et al., Quark (2022), eq. 2; ALT (2024). lm = -log p(token), H the entropy of the policy's
/// distribution, KL between policy and reference at each target token.
package struct ConditionalObjective: Sendable {
  package enum KLDirection: String, Sendable {
    /// KL(reference || policy), as ALT computes it.
    case referencePolicy = "reference_policy"
    /// KL(policy || reference), as Quark computes it.
    case policyReference = "policy_reference"

    var kernelValue: pk_kl {
      self == .referencePolicy ? PK_KL_REFERENCE_POLICY : PK_KL_POLICY_REFERENCE
    }
  }

  package var kl: Double
  package var entropy: Double
  package var klDirection: KLDirection

  package init(kl: Double, entropy: Double, klDirection: KLDirection) {
    self.kl = kl
    self.entropy = entropy
    self.klDirection = klDirection
  }
}

/// The unscaled terms of the objective for each target token.
package struct LossRows: Sendable {
  package var languageModel: [Float]
  package var kl: [Float]
  package var entropy: [Float]
  init(count: Int) {
    languageModel = [Float](repeating: 0, count: count)
    kl = languageModel
    entropy = languageModel
  }
}

// What the loss kernels of a backend take and give.

package enum KLDirection: String, CaseIterable, Sendable {
  /// KL(reference || policy)
  case referencePolicy = "reference_policy"
  /// KL(policy || reference)
  case policyReference = "policy_reference"
}

/// The loss of a row: lm + kl * KL - entropy * H.
package struct ConditionalLoss: Sendable {
  var kl: Float
  var entropy: Float
  var direction: KLDirection
  /// The first columns of policy and reference, renormalised, which KL compares.
  var klColumns: Int
}

/// The unweighted terms of each row.
package struct ConditionalLossRows: Sendable {
  package var languageModel: [Float]
  package var kl: [Float]
  package var entropy: [Float]

  init(count: Int) {
    languageModel = [Float](repeating: 0, count: count)
    kl = languageModel
    entropy = languageModel
  }
}

// One row to train on, as tokens.

/// The policy reads a context and the output; the loss is over the output.
package struct TrainingExample: Sendable {
  /// Names the example in shuffles.
  package let id: String
  /// What the policy reads before the output: the conditioning and the prompt, as one text.
  package let context: [Int32]
  /// The prompt alone, which a reference may read instead.
  package let unconditioned: [Int32]
  /// With the end token where the text ended.
  package let output: [Int32]

  /// - Precondition: there is an output, and at least one token before it.
  package init(id: String, context: [Int32], unconditioned: [Int32], output: [Int32]) {
    precondition(!output.isEmpty && !context.isEmpty, "nothing to predict, or from")
    self.id = id
    self.context = context
    self.unconditioned = unconditioned
    self.output = output
  }

  /// All of its tokens, with or without the conditioning.
  package func tokens(conditioned: Bool) -> [Int32] { (conditioned ? context : unconditioned) + output }

  package func tokenCount(conditioned: Bool) -> Int {
    (conditioned ? context : unconditioned).count + output.count
  }
}

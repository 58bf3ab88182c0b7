// One row to train on, as tokens.

/// The policy reads a context and the output; the loss is over the output, or over parts of it.
package struct TrainingExample: Sendable {
  /// Names the example in shuffles.
  package let id: String
  /// What the policy reads before the output: the conditioning and the prompt, as one text.
  package let context: [Int32]
  /// The prompt alone, which a reference may read instead.
  package let unconditioned: [Int32]
  /// With the end token where the text ended.
  package let output: [Int32]
  /// Parts of the output, ascending: what lies between them is read, not predicted.
  package let targets: [Range<Int>]

  /// - Parameter targets: all of the output by default.
  /// - Precondition: there is an output, and at least one token before it; a target ends where the output ends.
  package init(
    id: String, context: [Int32], unconditioned: [Int32], output: [Int32], targets: [Range<Int>]? = nil
  ) {
    precondition(!output.isEmpty && !context.isEmpty, "nothing to predict, or from")
    let targets = targets ?? [0..<output.count]
    precondition(
      targets.last?.upperBound == output.count && (targets.first?.lowerBound ?? -1) >= 0
        && zip(targets, targets.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound },
      "\(targets) of \(output.count) tokens")
    self.targets = targets
    self.id = id
    self.context = context
    self.unconditioned = unconditioned
    self.output = output
  }

  /// Tokens that are predicted.
  package var targetCount: Int { targets.reduce(0) { $0 + $1.count } }

  /// All of its tokens, with or without the conditioning.
  package func tokens(conditioned: Bool) -> [Int32] { (conditioned ? context : unconditioned) + output }

  package func tokenCount(conditioned: Bool) -> Int {
    (conditioned ? context : unconditioned).count + output.count
  }
}

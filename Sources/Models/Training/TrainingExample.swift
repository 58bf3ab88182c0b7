// What is trained on, as tokens: an output after its context, or whole texts.

/// The policy reads a context and the output, and the loss is over the output, or over parts of it; or it reads `texts`, each at places of
/// its own.
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
  /// What an objective of whole texts reads; there is then neither context nor output.
  package let texts: [TargetSequence]

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
    texts = []
  }

  /// - Parameter texts: what the objective of the training takes as one: the two of a pair, or one alone.
  /// - Precondition: each is read at one place or more.
  package init(id: String, texts: [TargetSequence]) {
    precondition(!texts.isEmpty && texts.allSatisfy { !$0.rows.isEmpty }, "a text is read nowhere")
    self.id = id
    self.texts = texts
    (context, unconditioned, output, targets) = ([], [], [], [])
  }

  /// Tokens that are predicted.
  package var targetCount: Int { targets.reduce(0) { $0 + $1.count } }

  /// All tokens of context and output, with or without the conditioning.
  package func tokens(conditioned: Bool) -> [Int32] { (conditioned ? context : unconditioned) + output }

  package func tokenCount(conditioned: Bool) -> Int {
    if !texts.isEmpty { return texts.reduce(0) { $0 + $1.tokens.count } }
    return (conditioned ? context : unconditioned).count + output.count
  }
}

// One row to train on, as tokens.

/// The policy reads start, conditioning, prompt and output; the loss is over the output.
package struct TrainingExample: Sendable {
  /// Names the example in shuffles.
  package let id: String
  /// What opens every text of this tokenizer, if anything.
  package let start: [Int32]
  package let conditioning: [Int32]
  package let prompt: [Int32]
  /// With the end token where the text ended.
  package let output: [Int32]

  /// - Precondition: there is an output, and at least one token before it.
  package init(
    id: String, start: [Int32] = [], conditioning: [Int32], prompt: [Int32], output: [Int32]
  ) {
    precondition(
      !output.isEmpty && start.count + conditioning.count + prompt.count > 0,
      "nothing to predict, or from")
    self.id = id
    self.start = start
    self.conditioning = conditioning
    self.prompt = prompt
    self.output = output
  }

  /// All of its tokens, with or without the conditioning.
  package func tokens(conditioned: Bool) -> [Int32] {
    start + (conditioned ? conditioning : []) + prompt + output
  }

  package func tokenCount(conditioned: Bool) -> Int {
    start.count + (conditioned ? conditioning.count : 0) + prompt.count + output.count
  }

  /// What a model is fed: everything but the last token, which is only predicted.
  func inputs(conditioned: Bool) -> [Int32] { Array(tokens(conditioned: conditioned).dropLast()) }

  /// Rows of `inputs` that predict the output's tokens.
  func targetRows(conditioned: Bool) -> Range<Int> {
    let before = tokenCount(conditioned: conditioned) - output.count
    return before - 1..<before - 1 + output.count
  }
}

/// The order of examples in an epoch: a sort by random numbers named by (seed, epoch, id), so that it does not
/// depend on the order they came in.
package func shuffledOrder(_ ids: [String], seed: UInt64, epoch: Int) -> [Int] {
  let random = Philox(seed: seed)
  let keys = ids.map { id -> (UInt64, String) in
    let hash = hash64(id)
    let words = random.block(
      UInt32(truncatingIfNeeded: hash), UInt32(truncatingIfNeeded: hash >> 32),
      UInt32(truncatingIfNeeded: epoch), 1)
    return (UInt64(words.0) << 32 | UInt64(words.1), id)
  }
  return ids.indices.sorted {
    keys[$0].0 != keys[$1].0
      ? keys[$0].0 < keys[$1].0 : keys[$0].1.utf8.lexicographicallyPrecedes(keys[$1].1.utf8)
  }
}

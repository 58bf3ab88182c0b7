// Two texts of which one is preferred, as a pairwise reward model is trained and judged on them: which positions count.

/// Source: METHODS 1.5, training and accuracy of trlx's `GPTRewardModel`. These conventions are not those of scoring, which reads
/// each text at its own last token: here both are read at the same position, so that the shorter one is read in its padding.
/// Deviation: padding is read as any token is; there an attention mask hides all of it but its first token from what follows.
package struct PreferencePair: Sendable {
  /// The ids of both, with padding after the shorter one: [end] each.
  package let chosen: [Int32]
  package let rejected: [Int32]
  /// Without the padding.
  private let lengths: (chosen: Int, rejected: Int)
  /// The first position at which they differ; nil where they do not.
  package let divergence: Int?

  /// One past the last position that counts: the longer one's length.
  package var end: Int { chosen.count }

  /// - Parameters:
  ///   - chosen, rejected: ids; what stands from the first `pad` on is padding. Where the token that ends a text is also the one
  ///     that pads, it is padding too, and texts that differ only after it count as equal.
  package init(chosen: [Int32], rejected: [Int32], pad: Int32) {
    func text(_ ids: [Int32]) -> [Int32] { Array(ids.prefix { $0 != pad }) }
    self.init(chosenText: text(chosen), rejectedText: text(rejected), pad: pad)
  }

  /// - Parameters:
  ///   - chosenText, rejectedText: ids, all of which are text.
  ///   - pad: what stands after the shorter one.
  package init(chosenText: [Int32], rejectedText: [Int32], pad: Int32) {
    let end = max(chosenText.count, rejectedText.count)
    func padded(_ text: [Int32]) -> [Int32] { text + [Int32](repeating: pad, count: end - text.count) }
    (chosen, rejected) = (padded(chosenText), padded(rejectedText))
    lengths = (chosenText.count, rejectedText.count)
    divergence = zip(chosen, rejected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
  }

  /// At which positions a pair is trained.
  package enum Positions: String, CaseIterable, Sendable {
    /// Those from the first difference to the end of the longer one, both texts at the same ones.
    case diverging
    /// Each text's own last one, which is where scoring reads it.
    case last
  }

  /// The chosen and the rejected text as they are trained on; nil where they are equal.
  package func texts(at positions: Positions) -> [TargetSequence]? {
    guard let divergence else { return nil }
    switch positions {
    case .diverging:
      return [chosen, rejected].map { TargetSequence(tokens: $0, rows: Array(divergence..<end)) }
    case .last:
      return zip([chosen, rejected], [lengths.chosen, lengths.rejected]).map { text, length in
        TargetSequence(tokens: Array(text.prefix(length)), rows: [length - 1])
      }
    }
  }

  /// The mean over positions from the first difference to the end of -log sigmoid(chosen - rejected); 0 where the texts are equal.
  /// - Parameters:
  ///   - chosen, rejected: the value at each position, [end].
  package func loss(chosen: [Float], rejected: [Float]) -> Double {
    precondition(chosen.count == end && rejected.count == end, "\(end) positions have values")
    guard let divergence else { return 0 }
    let losses = (divergence..<end).map { Self.loss(of: Double(chosen[$0]) - Double(rejected[$0])) }
    return losses.reduce(0, +) / Double(losses.count)
  }

  /// Both values at the last position that counts.
  package func endScores(chosen: [Float], rejected: [Float]) -> (chosen: Float, rejected: Float) {
    precondition(chosen.count == end && rejected.count == end && end > 0, "\(end) positions have values")
    return (chosen[end - 1], rejected[end - 1])
  }

  /// The sum of the pairs' losses over their number; equal texts count in it.
  package static func batchLoss(_ losses: [Double]) -> Double {
    precondition(!losses.isEmpty, "a batch has a pair")
    return losses.reduce(0, +) / Double(losses.count)
  }

  /// The share of pairs whose chosen text has the higher end score; a tie is none.
  package static func accuracy(_ scores: [(chosen: Float, rejected: Float)]) -> Double {
    precondition(!scores.isEmpty, "an accuracy is of at least one pair")
    return Double(scores.count { $0.chosen > $0.rejected }) / Double(scores.count)
  }

  /// -log sigmoid(x), for any x.
  static func loss(of x: Double) -> Double {
    max(-x, 0) + naturalLogarithm(1 + exponential(-abs(x)))
  }

  /// Its derivative, -sigmoid(-x).
  static func slope(of x: Double) -> Double {
    let small = exponential(-abs(x))
    return -(x >= 0 ? small : 1) / (1 + small)
  }
}

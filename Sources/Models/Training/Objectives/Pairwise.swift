// The pairwise objective: what a reward model minimises on pairs of texts of which one is preferred.

/// L = mean over the pairs of the batch of the pair's mean over its positions of -log sigmoid(chosen - rejected).
///
/// An example's two texts are the chosen and the rejected one, read at as many positions each (`PreferencePair.texts`).
/// Source: METHODS 1.5 for many positions; Bradley and Terry (1952) for one, as in TRL's `RewardTrainer`.
package struct PairwiseObjective: Objective {
  package init() {}

  /// `accuracy` is the share of pairs whose chosen text has the higher value at its last position, a tie being none; `margin` the mean of
  /// the two values' difference there. Neither is minimised.
  package var terms: [String] { ["pairwise", "accuracy", "margin"] }

  package var reference: ReferenceUse? { nil }

  package func sequences(of example: TrainingExample, conditioned: Bool) -> [TargetSequence] {
    example.texts
  }

  package func targetCount(of example: TrainingExample) -> Int { 1 }

  /// Each pair is computed from its own values alone, [R, 1], in double precision.
  package func loss(_ chunk: LossChunk, on backend: any Backend) -> [[Float]] {
    precondition(
      chunk.outputs.columns == 1 && chunk.sequences.count % 2 == 0, "a pair is two texts with a value each")
    let values = chunk.outputs.read()
    var gradient = values
    var (losses, accuracies, margins): ([Float], [Float], [Float]) = ([], [], [])
    for first in stride(from: 0, to: chunk.sequences.count, by: 2) {
      let (chosen, rejected) = (chunk.sequences[first], chunk.sequences[first + 1])
      precondition(chosen.count == rejected.count, "\(chosen.count) and \(rejected.count) positions")
      var loss = 0.0
      for (c, r) in zip(chosen, rejected) {
        let difference = Double(values[c]) - Double(values[r])
        loss += PreferencePair.loss(of: difference)
        let slope = PreferencePair.slope(of: difference) / Double(chosen.count)
        gradient[c] = Float(slope) * chunk.scale
        gradient[r] = -gradient[c]
      }
      losses.append(Float(loss / Double(chosen.count)))
      let margin = values[chosen.upperBound - 1] - values[rejected.upperBound - 1]
      accuracies.append(margin > 0 ? 1 : 0)
      margins.append(margin)
    }
    chunk.outputs.write(gradient)
    return [losses, accuracies, margins]
  }

  package func total(_ terms: [Double]) -> Double { terms[0] }
}

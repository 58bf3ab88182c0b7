// Classification: which of a few labels a text has.

/// L = mean over the texts of the batch of -log p(label), p the softmax of the head's outputs at the text's last token.
/// Source: transformers' `…ForSequenceClassification` with `single_label_classification`.
package struct Classification: Objective {
  package init() {}

  /// `accuracy` is the share of texts whose label has the largest output, a tie being none. It is not minimised.
  package var terms: [String] { ["cross_entropy", "accuracy"] }

  package var reference: ReferenceUse? { nil }

  package func sequences(of example: TrainingExample, conditioned: Bool) -> [TargetSequence] {
    example.texts
  }

  package func targetCount(of example: TrainingExample) -> Int { 1 }

  package func loss(_ chunk: LossChunk, on backend: any Backend) -> [[Float]] {
    let (outputs, count) = (chunk.outputs.read(), chunk.outputs.columns)
    let accuracies = chunk.labels.enumerated().map { row, label -> Float in
      let row = outputs[row * count..<(row + 1) * count]
      let right = row.startIndex + Int(label)
      return row.indices.allSatisfy { $0 == right || row[$0] < row[right] } ? 1 : 0
    }
    return [backend.crossEntropy(chunk.outputs, labels: chunk.labels, scale: chunk.scale), accuracies]
  }

  package func total(_ terms: [Double]) -> Double { terms[0] }
}

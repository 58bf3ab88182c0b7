// What a training minimises.

/// An objective: the mean of named terms that it computes at the outputs of a head. One file in Objectives/ each.
package protocol Objective: Sendable {
  /// The terms' names, in the order of `loss`; series and checkpoints hold their means under them. None of `TrainingSeries.common`.
  var terms: [String] { get }
  /// What a reference gives beside the policy's outputs; nil for none.
  var reference: ReferenceUse? { get }

  /// What a model reads of an example, and where the head is read. A reference has as many targets as the policy.
  func sequences(of example: TrainingExample, conditioned: Bool) -> [TargetSequence]
  /// The example's share of the divisor of all means.
  func targetCount(of example: TrainingExample) -> Int
  /// Overwrites a chunk's outputs by `scale` times the gradient of `total` with respect to them.
  /// - Returns: for each term its unweighted values; their sum over a batch is what counts.
  func loss(_ chunk: LossChunk, on backend: any Backend) -> [[Float]]
  /// The loss from the sums, or the means, of its terms: linear in them.
  func total(_ terms: [Double]) -> Double
}

/// A reference gives its outputs at the policy's targets.
package struct ReferenceUse: Sendable {
  /// Whether it reads the conditioning.
  package let conditioned: Bool
}

/// The model that an objective compares the policy with.
package struct ReferenceModel {
  package let decoder: Decoder
  /// The first outputs that are compared; those that both have when nil.
  let sharedColumns: Int?

  package init(_ decoder: Decoder, sharedColumns: Int? = nil) {
    self.decoder = decoder
    self.sharedColumns = sharedColumns
  }
}

/// Tokens that a model is fed, and those of its rows at which the head is read.
package struct TargetSequence: Sendable {
  package let tokens: [Int32]
  /// Ascending.
  package let rows: [Int]
  /// What each of `rows` predicts: a token, or a label's number. Not read where the head gives a value.
  package let labels: [Int32]

  package init(tokens: [Int32], rows: [Int], labels: [Int32]) {
    precondition(rows.count == labels.count, "\(rows.count) rows have \(labels.count) labels")
    self.tokens = tokens
    self.rows = rows
    self.labels = labels
  }

  /// Of a head that gives a value.
  package init(tokens: [Int32], rows: [Int]) {
    self.init(tokens: tokens, rows: rows, labels: rows.map { _ in 0 })
  }
}

/// Outputs of a head that exist at the same time.
package struct LossChunk {
  /// [R, V], V as the policy's head has outputs.
  package let outputs: Tensor
  /// [R, V of the reference], where the objective uses one.
  package let reference: Tensor?
  /// The first columns of both that are compared.
  package let sharedColumns: Int
  /// [R]
  package let labels: [Int32]
  /// The rows of each sequence, in the order of `Objective.sequences`, example by example. Whole sequences of whole examples, except under
  /// a language head, whose many outputs are cut.
  package let sequences: [Range<Int>]
  /// One over the divisor of the batch.
  package let scale: Float
}

extension TrainingExample {
  /// Next-token prediction: each target token of the output, from all before it. What is only predicted is not fed.
  package func nextTokenTargets(conditioned: Bool) -> TargetSequence {
    let tokens = tokens(conditioned: conditioned)
    let first = tokens.count - output.count - 1
    return TargetSequence(
      tokens: Array(tokens.dropLast()), rows: targets.flatMap { $0.map { first + $0 } },
      labels: targets.flatMap { output[$0] })
  }
}

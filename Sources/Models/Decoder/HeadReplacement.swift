// A new head in the place of a model's own: how a language model becomes a reward model or a classifier.

import JSON

extension Parameters {
  /// The parameters of the same decoder with a new head, whose weights are drawn from a normal with standard deviation 0.02. The tensors of
  /// the head before it leave; a token embedding to which it was tied stays.
  ///
  /// Source: transformers' `_init_weights` of the head of `…ForSequenceClassification`, with the usual `initializer_range`.
  /// Deviation: the value head of METHODS 1.5 starts from PyTorch's uniform numbers within 1 / sqrt(C), which are about as large.
  /// - Precondition: the head has a tensor of its own name, as a value head or a classifier's.
  package func replacingHead(
    of configuration: inout DecoderConfiguration, by head: Head, seed: UInt64
  ) -> Parameters {
    guard let name = head.tensorName else { preconditionFailure("a language head cannot be made anew") }
    configuration.head = head
    configuration.dropCarriedLabels()
    var normal = NormalNumbers(seed: seed)
    let weights = backend.tensor(configuration.outputCount, configuration.hiddenSize)
    weights.write((0..<weights.rows * weights.columns).map { _ in Float(0.02 * normal.next()) })
    return adapted(to: configuration.layout, new: [name: weights])
  }
}

extension DecoderConfiguration {
  /// What a `config.json` said of the labels of a head before.
  fileprivate mutating func dropCarriedLabels() {
    carried = .object(
      JSONObject(
        distinct: (carried.objectValue?.members ?? []).filter {
          !["id2label", "label2id", "num_labels", "problem_type"].contains($0.key)
        }))
  }
}

// Whether a model can be computed in the integers of its file.

extension Checkpoint {
  /// Of a tensor's blocks of integers.
  package func blockFormat(_ tensor: String) -> BlockFormat? { tensors.blockFormat(of: tensor) }

  /// Why the model cannot be computed in a numeric mode; nil where it can. Worded to follow the model's path.
  package func refusal(of mode: NumericMode) -> String? {
    guard mode == .file else { return nil }
    let mistake = "`numeric: file` computes in the integers of a GGUF file, but this"
    guard let model = tensors as? GGUFModel else { return "\(mistake) is no GGUF file" }
    let layout = configuration.layout
    let products = layout.tensors.filter { tensor in
      tensor.shape.count == 2
        && (tensor.layer != nil || tensor.roles == [.head] || tensor.name == layout.headWeights)
    }.map(\.name)
    guard products.allSatisfy({ model.blockFormat(of: $0) == nil }) else { return nil }
    let stored = Set(products.compactMap { try? model.storage(of: $0) }).sorted()
    let readable = BlockFormat.allCases.map(\.rawValue).joined(separator: ", ")
    return "\(mistake) one stores its weights as \(stored.joined(separator: ", ")); integers are \(readable)"
  }
}

// How numbers are stored, and the numeric modes of a model.

/// How numbers are stored.
package enum ElementType: Sendable {
  case float32
  case bfloat16
  /// Integers of packed weights, with their scales between them.
  case int8

  package var byteCount: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    case .int8: 1
    }
  }
}

/// The arithmetic of a model: how products round their operands. Sums are always fp32.
package enum NumericMode: String, CaseIterable, Sendable {
  case bf16
  case fp32
  /// Weights of the blocks' products and of the head as integers of 8 bits, all else as in bf16.
  case int8
  /// Weights that a GGUF file has as blocks of integers in these integers, all else as in bf16.
  case file

  /// The type of activations in products and of the key-value cache.
  package var operandType: ElementType { self == .fp32 ? .float32 : .bfloat16 }
  /// In `file` of the weights that are no blocks of integers.
  package var weightType: ElementType { self == .int8 ? .int8 : operandType }
  /// Whether a model can train in it: rounding to few integers has no gradient.
  package var hasGradients: Bool { operandType == weightType && self != .file }
}

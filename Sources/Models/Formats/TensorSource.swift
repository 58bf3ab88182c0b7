// Where a decoder's weights come from, whatever the file format: named tensors that can be read as fp32.

package protocol TensorSource: Sendable {
  /// In the order of the file.
  var names: [String] { get }
  /// The size of the files that hold the tensors.
  var fileByteCount: Int { get }
  /// - Throws: `FormatError` when there is no such tensor.
  func shape(of name: String) throws -> [Int]
  /// How the tensor is stored: `F32`, `Q4_1`, …
  func storage(of name: String) throws -> String
  /// Fills `output`, whose count must be the product of the tensor's shape, in row-major order.
  func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws
  /// A matrix's outputs by their inputs as blocks of integers, whichever way round the tensor is; nil where it has none.
  func blocks(_ name: String) throws -> BlockMatrix?
}

extension TensorSource {
  package func blocks(_ name: String) throws -> BlockMatrix? { nil }

  /// How a matrix has blocks of integers; nil where it has none.
  package func blockFormat(of name: String) -> BlockFormat? {
    guard let storage = try? storage(of: name), let shape = try? shape(of: name), shape.count == 2 else {
      return nil
    }
    return BlockFormat(rawValue: storage)
  }

  /// The whole tensor as an array.
  package func floats(_ name: String) throws -> [Float] {
    let count = try shape(of: name).reduce(1, *)
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      try readFloats(name, into: UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
  }

  /// How many numbers of each tensor are NaN or infinite; tensors without any, and of types that are not read, are left out. Reads
  /// every weight.
  package func nonFiniteCounts() throws -> [(name: String, count: Int)] {
    try names.compactMap { name in
      guard elementEncoding(named: try storage(of: name)) != nil else { return nil }
      let count = countNonFinite(try floats(name))
      return count == 0 ? nil : (name, count)
    }
  }
}

func countNonFinite(_ numbers: some Sequence<Float>) -> Int {
  numbers.reduce(0) { $1.isFinite ? $0 : $0 + 1 }
}

/// The product of non-negative factors, or nil when it leaves `Int`.
func checkedProduct(_ factors: [Int]) -> Int? {
  var product = 1
  // A zero makes the product zero, but not before every partial product of the others was seen to fit.
  for factor in factors where factor != 0 {
    let (result, overflow) = product.multipliedReportingOverflow(by: factor)
    guard !overflow, factor > 0 else { return nil }
    product = result
  }
  return factors.contains(0) ? 0 : product
}

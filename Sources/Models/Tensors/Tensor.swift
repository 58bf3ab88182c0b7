// Tensors: two-dimensional, row-major views of a device buffer.

/// A view [rows, columns] of a buffer. Copies share the memory.
package struct Tensor: Sendable {
  package let buffer: any DeviceBuffer
  package let byteOffset: Int
  package let rows: Int
  package let columns: Int
  package let type: ElementType

  package init(
    in buffer: any DeviceBuffer, byteOffset: Int = 0, rows: Int, columns: Int, type: ElementType
  ) {
    self.buffer = buffer
    self.byteOffset = byteOffset
    self.rows = rows
    self.columns = columns
    self.type = type
    precondition(
      byteOffset >= 0 && byteRange.upperBound <= buffer.byteCount,
      "[\(rows), \(columns)] of \(type) from byte \(byteOffset) of \(buffer.byteCount)")
  }

  package var count: Int { rows * columns }
  package var byteCount: Int { count * type.byteCount }
  private var byteRange: Range<Int> { byteOffset..<byteOffset + byteCount }

  /// Rows in `range`, the same memory.
  package func slice(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tensor(
      in: buffer, byteOffset: byteOffset + range.lowerBound * columns * type.byteCount,
      rows: range.count, columns: columns, type: type)
  }
}

/// Transfers between device and host; the tensor must be float32.
extension Tensor {
  /// Hands the elements to `body`. See `DeviceBuffer.withHostRead`.
  package func withHostRead<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows
    -> Result
  {
    requireFloats()
    return try buffer.withHostRead(byteRange) { try body($0.assumingMemoryBound(to: Float.self)) }
  }

  /// Takes all elements from `body`. See `DeviceBuffer.withHostWrite`.
  package func withHostWrite<Result>(_ body: (UnsafeMutableBufferPointer<Float>) throws -> Result) rethrows
    -> Result
  {
    requireFloats()
    return try buffer.withHostWrite(byteRange) { try body($0.assumingMemoryBound(to: Float.self)) }
  }

  /// A copy of the elements.
  package func read() -> [Float] { withHostRead { Array($0) } }

  package func write(_ values: [Float]) {
    precondition(values.count == count, "\(values.count) numbers into [\(rows), \(columns)]")
    withHostWrite { _ = $0.update(fromContentsOf: values) }
  }

  private func requireFloats() {
    precondition(type == .float32, "a float32 tensor is wanted, this is \(type)")
  }
}

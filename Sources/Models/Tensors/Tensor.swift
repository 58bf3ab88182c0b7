// Tensors: two-dimensional, row-major views of a device buffer.

/// A view [rows, columns] of a buffer, its rows `rowStride` elements apart. Copies share the memory.
package struct Tensor: Sendable {
  package let buffer: any DeviceBuffer
  package let byteOffset: Int
  package let rows: Int
  package let columns: Int
  /// More than `columns` in a view of some columns, which only weights of products and their gradients are.
  package let rowStride: Int
  package let type: ElementType

  package init(
    in buffer: any DeviceBuffer, byteOffset: Int = 0, rows: Int, columns: Int, rowStride: Int? = nil,
    type: ElementType
  ) {
    self.buffer = buffer
    self.byteOffset = byteOffset
    self.rows = rows
    self.columns = columns
    self.rowStride = rowStride ?? columns
    self.type = type
    precondition(
      byteOffset >= 0
        && byteOffset + (max(rows - 1, 0) * self.rowStride + (rows > 0 ? columns : 0)) * type.byteCount
          <= buffer.byteCount,
      "[\(rows), \(columns)] of \(type) from byte \(byteOffset) of \(buffer.byteCount)")
  }

  package var count: Int { rows * columns }
  package var byteCount: Int { count * type.byteCount }
  private var byteRange: Range<Int> {
    requireContiguous()
    return byteOffset..<byteOffset + byteCount
  }

  /// Whether the rows lie side by side.
  package var isContiguous: Bool { rows <= 1 || rowStride == columns }

  package func requireContiguous() {
    precondition(isContiguous, "rows of \(columns) lie \(rowStride) apart")
  }

  /// Rows in `range`, the same memory.
  package func slice(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tensor(
      in: buffer, byteOffset: byteOffset + range.lowerBound * rowStride * type.byteCount,
      rows: range.count, columns: columns, rowStride: rowStride, type: type)
  }

  /// Columns in `range` of every row, the same memory.
  package func columns(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return Tensor(
      in: buffer, byteOffset: byteOffset + range.lowerBound * type.byteCount, rows: rows,
      columns: range.count, rowStride: rowStride, type: type)
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

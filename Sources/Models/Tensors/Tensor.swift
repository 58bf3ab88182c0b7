// Tensors: two-dimensional, row-major views of a device buffer.

import CKernels
import Glibc

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

  var kernelType: pk_type {
    switch self {
    case .float32: PK_F32
    case .bfloat16: PK_BF16
    case .int8: PK_I8
    }
  }
}

/// The arithmetic of a model: how products round their operands. Sums are always fp32.
package enum NumericMode: String, CaseIterable, Sendable {
  case bf16
  case fp32
  /// Weights of the blocks' products and of the head as integers of 8 bits, all else as in bf16.
  case int8

  /// The type of activations in products and of the key-value cache.
  package var operandType: ElementType { self == .fp32 ? .float32 : .bfloat16 }
  package var weightType: ElementType { self == .int8 ? .int8 : operandType }
  /// Whether a model can train in it: rounding to few integers has no gradient.
  package var hasGradients: Bool { self != .int8 }
}

/// Memory of a device, zero at first, freed with its last user.
package final class Buffer: @unchecked Sendable {
  // SAFETY: @unchecked Sendable: a buffer is written by one computation at a time; the owners (a decoder, a
  // trainer, an engine) are confined to one thread each, and weights are not written while shared.
  package let pointer: UnsafeMutableRawPointer
  package let byteCount: Int
  /// What the system gave for a large buffer, which starts at a huge page inside it.
  private let mapping: UnsafeMutableRawBufferPointer?

  private static let hugePage = 2 << 20

  package init(byteCount: Int) {
    precondition(byteCount >= 0, "negative size \(byteCount)")
    self.byteCount = byteCount
    mapping = byteCount >= 2 * Self.hugePage ? Self.map(byteCount) : nil
    if let base = mapping?.baseAddress {
      pointer = base.alignedUp(toMultipleOf: Self.hugePage)
      return
    }
    pointer = .allocate(byteCount: max(byteCount, 64), alignment: 64)
    pointer.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 64))
  }

  /// Fresh memory in huge pages where the system has them: a gigabyte in pages of 4 KiB costs a second of faults.
  private static func map(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    let length = byteCount + hugePage
    guard let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else { preconditionFailure("no memory for \(byteCount) bytes: \(String(cString: strerror(errno)))") }
    madvise(base, length, MADV_HUGEPAGE)  // a wish; refusing it changes only the time
    return UnsafeMutableRawBufferPointer(start: base, count: length)
  }

  deinit {
    if let mapping { munmap(mapping.baseAddress, mapping.count) } else { pointer.deallocate() }
  }
}

/// A view [rows, columns] of a buffer. Copies share the memory.
package struct Tensor: Sendable {
  package let buffer: Buffer
  package let byteOffset: Int
  package let rows: Int
  package let columns: Int
  package let type: ElementType

  /// A new tensor of zeros.
  package init(_ rows: Int, _ columns: Int, _ type: ElementType = .float32) {
    self.init(
      buffer: Buffer(byteCount: rows * columns * type.byteCount), byteOffset: 0, rows: rows,
      columns: columns, type: type)
  }

  private init(buffer: Buffer, byteOffset: Int, rows: Int, columns: Int, type: ElementType) {
    self.buffer = buffer
    self.byteOffset = byteOffset
    self.rows = rows
    self.columns = columns
    self.type = type
  }

  package var count: Int { rows * columns }

  /// Rows in `range`, the same memory.
  package func slice(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Tensor(
      buffer: buffer, byteOffset: byteOffset + range.lowerBound * columns * type.byteCount,
      rows: range.count, columns: columns, type: type)
  }

  package var raw: UnsafeMutableRawPointer { buffer.pointer + byteOffset }

  /// The elements; the tensor must be float32.
  package var floats: UnsafeMutablePointer<Float> {
    precondition(type == .float32, "a float32 tensor is wanted, this is \(type)")
    return raw.assumingMemoryBound(to: Float.self)
  }

  package var elements: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: floats, count: count)
  }

  package func array() -> [Float] { Array(elements) }

  package func fill(_ value: Float) { elements.update(repeating: value) }
}

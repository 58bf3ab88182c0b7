// A matrix that a file has as blocks of integers, before a backend packs it.

/// How a file stores blocks of integers, by its name in GGUF. The products of each: docs/arithmetic.md.
package enum BlockFormat: String, Sendable, CaseIterable {
  case q80 = "Q8_0"
  case q40 = "Q4_0"
  case q41 = "Q4_1"
  case q50 = "Q5_0"
  case q51 = "Q5_1"
  case q4K = "Q4_K"
  case q5K = "Q5_K"
  case q6K = "Q6_K"

  /// Bytes of this many weights when they are packed. What a file has as 6 bits of scale or minimum takes a byte.
  package func packedByteCount(_ weights: Int) -> Int {
    let (length, bytes) =
      switch self {
      case .q80: (32, 34)
      case .q40: (32, 18)
      case .q41: (32, 20)
      case .q50: (32, 22)
      case .q51: (32, 24)
      case .q4K: (256, 148)
      case .q5K: (256, 180)
      case .q6K: (256, 210)
      }
    return weights / length * bytes
  }
}

/// A matrix [N, K] in the memory of a file.
package struct BlockMatrix {
  package let format: BlockFormat
  /// K, a whole number of blocks.
  package let columns: Int
  /// Where each row of the matrix lies in `bytes`, counted in rows.
  package private(set) var rows: [UInt32]
  /// Valid while the matrix lives.
  package let bytes: UnsafeRawBufferPointer
  private let owner: AnyObject
  private let giveBack: () -> Void

  /// - Parameters:
  ///   - owner: keeps the bytes where they are.
  ///   - release: gives back what reading them took of memory; they can be read again.
  package init(
    _ format: BlockFormat, columns: Int, rows: [UInt32], bytes: UnsafeRawBufferPointer, owner: AnyObject,
    release: @escaping () -> Void
  ) {
    self.format = format
    self.columns = columns
    self.rows = rows
    self.bytes = bytes
    self.owner = owner
    giveBack = release
  }

  /// Some of its rows, in an order of their own.
  package func with(rows: [UInt32]) -> BlockMatrix {
    var matrix = self
    matrix.rows = rows
    return matrix
  }

  package func release() { giveBack() }
}

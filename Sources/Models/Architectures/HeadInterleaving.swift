// Outputs that a file holds head by head and memory holds role by role.

/// The order of a tensor that holds several roles of D outputs a head: [heads, roles, D] in a file. In memory it is [roles, heads, D],
/// where a role is one piece, for its products, its gradients and its moments.
package struct HeadInterleaving: Sendable, Equatable {
  package let headCount: Int
  package let roleCount: Int

  /// Calls `body` with the numbers of a role's head, one after the other as a file has them.
  /// - Parameter memory: the whole tensor, in the order of memory.
  func forEachPiece<Number>(
    of memory: UnsafeBufferPointer<Number>, _ body: (UnsafeBufferPointer<Number>) throws -> Void
  ) rethrows {
    let length = pieceLength(of: memory.count)
    for head in 0..<headCount {
      for role in 0..<roleCount {
        let start = (role * headCount + head) * length
        try body(UnsafeBufferPointer(rebasing: memory[start..<start + length]))
      }
    }
  }

  /// Puts a whole tensor, in the order of a file, into `memory`.
  func arrange(_ file: [Float], into memory: UnsafeMutableBufferPointer<Float>) {
    precondition(file.count == memory.count, "\(file.count) numbers into \(memory.count)")
    let length = pieceLength(of: memory.count)
    file.withUnsafeBufferPointer { file in
      for piece in 0..<headCount * roleCount {
        let start = (piece % roleCount * headCount + piece / roleCount) * length
        _ = UnsafeMutableBufferPointer(rebasing: memory[start..<start + length])
          .update(fromContentsOf: file[piece * length..<(piece + 1) * length])
      }
    }
  }

  /// The same of what stands for outputs.
  func arranged<Output>(_ file: [Output]) -> [Output] {
    let length = pieceLength(of: file.count)
    return (0..<file.count).map { index in
      let (piece, within) = index.quotientAndRemainder(dividingBy: length)
      return file[(piece % headCount * roleCount + piece / headCount) * length + within]
    }
  }

  private func pieceLength(of count: Int) -> Int {
    precondition(
      count % (headCount * roleCount) == 0, "\(count) numbers of \(roleCount) roles and \(headCount) heads")
    return count / (headCount * roleCount)
  }
}

// Gradients of a batch's leaves, summed in one fixed tree, whoever computed which leaf.

/// Sums leaves pair by pair, ((0 + 1) + (2 + 3)) + 4, each as soon as both sides are there: at most log2(leaves) + 1 copies.
final class GradientTree {
  private let empty: () -> Parameters
  private let backend: any Backend
  private var spare: [Parameters] = []
  /// Sums that wait for their right side, the oldest first.
  private var waiting: [(leaves: Int, sum: Parameters)] = []

  /// - Parameter first: a buffer of the gradients' shapes, used again and again.
  init(_ first: Parameters, backend: any Backend, empty: @escaping () -> Parameters) {
    spare = [first]
    self.backend = backend
    self.empty = empty
  }

  /// Memory for the next leaf, to be handed back by `add`; whatever it holds.
  func leaf() -> Parameters { spare.popLast() ?? empty() }

  func add(_ leaf: Parameters) {
    var (leaves, sum) = (1, leaf)
    while let left = waiting.last, left.leaves == leaves {
      waiting.removeLast()
      sum = self.sum(left.sum, sum)
      leaves *= 2
    }
    waiting.append((leaves, sum))
  }

  /// The sum of all leaves, at least one; good until the next leaf is asked for.
  func total() -> Parameters {
    while waiting.count > 1 {
      let (right, left) = (waiting.removeLast(), waiting.removeLast())
      waiting.append((left.leaves + right.leaves, sum(left.sum, right.sum)))
    }
    guard let total = waiting.popLast()?.sum else { preconditionFailure("a batch without a leaf") }
    spare.append(total)
    return total
  }

  private func sum(_ left: Parameters, _ right: Parameters) -> Parameters {
    for name in left.names { backend.add(right[name], into: left[name]) }
    spare.append(right)
    return left
  }
}

/// A batch cut into at most `count` runs of neighbours of nearly equal count.
func leaves<Element>(of batch: [Element], count: Int) -> [ArraySlice<Element>] {
  let count = min(count, batch.count)
  return (0..<count).map { batch[$0 * batch.count / count..<($0 + 1) * batch.count / count] }
}

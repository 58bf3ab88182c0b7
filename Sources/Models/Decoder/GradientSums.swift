// The gradients of a leaf while products and sums are added to them.

/// A tensor is cleared when something is first added to it, but for a product over the whole of it, which takes the place of what is
/// there: most of a gradient's memory is written once, and neither cleared nor read before.
final class GradientSums {
  private let memory: Parameters
  /// Names of the tensors to which nothing was added yet: they hold numbers of another leaf.
  private var stale: Set<String>

  /// - Parameter memory: of the gradients' shapes, whatever it holds.
  init(in memory: Parameters) {
    self.memory = memory
    stale = Set(memory.names)
  }

  func contains(_ name: String) -> Bool { memory.contains(name) }

  /// A tensor to add to, cleared before its first use.
  func sum(_ name: String) -> Tensor {
    if stale.remove(name) != nil { memory.backend.fill(memory[name], with: 0) }
    return memory[name]
  }

  /// The part of a tensor to add to; nil where it is no part of what trains.
  func sum(at place: ParameterPlace?) -> Tensor? {
    place.flatMap { contains($0.name) ? sum($0.name).part(at: $0) : nil }
  }

  /// Adds transpose(a [T, M]) b to the gradient of a product's weights, all of a tensor or a part.
  func addProduct(_ a: Tensor, _ b: any PackedMatrix, at place: ParameterPlace) {
    let part = memory[place.name].part(at: place)
    let isFirst = part.count == memory[place.name].count && stale.remove(place.name) != nil
    memory.backend.multiplyTransposed(
      a, b, into: isFirst ? part : sum(place.name).part(at: place), accumulate: !isFirst)
  }

  /// All of them; what nothing was added to is zero.
  func total() -> Parameters {
    for name in memory.names { _ = sum(name) }
    return memory
  }
}

// The gradients of a leaf while products and sums are added to them.

/// A tensor is cleared when something is first added to it, but for a product over the whole of it, which takes the place of what is
/// there: most of a gradient's memory is written once, and neither cleared nor read before.
final class GradientSums {
  private let sums: Parameters
  /// Names of the tensors to which nothing was added yet: they hold numbers of another leaf.
  private var stale: Set<String>

  /// - Parameter sums: memory of the gradients' shapes, whatever it holds.
  init(over sums: Parameters) {
    self.sums = sums
    stale = Set(sums.names)
  }

  func contains(_ name: String) -> Bool { sums.contains(name) }

  /// What was added so far.
  subscript(name: String) -> Tensor {
    if stale.remove(name) != nil { sums.backend.fill(sums[name], with: 0) }
    return sums[name]
  }

  /// Where the gradient of a product belongs whose weights are a whole tensor, and whether it is added to what is there.
  func product(_ name: String) -> (sum: Tensor, isAddedTo: Bool) { (sums[name], stale.remove(name) == nil) }

  /// The same of weights that may be a part of a tensor.
  func product(at place: ParameterPlace) -> (sum: Tensor, isAddedTo: Bool) {
    let isWhole = sums[place.name].part(at: place).count == sums[place.name].count
    return isWhole ? product(place.name) : (self[place.name].part(at: place), true)
  }

  /// All of them; what nothing was added to is zero.
  func total() -> Parameters {
    for name in stale { _ = self[name] }
    return sums
  }
}

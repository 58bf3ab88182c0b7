// The calls and persistent ids of a pickle that make storages, tensors and dictionaries.

extension PickleMachine {
  private func tuple(_ value: PickleValue, _ what: String) throws -> ArraySlice<PickleValue> {
    guard case .tuple(let range) = value else {
      throw failure("\(what): expected a tuple, found \(value.kind)")
    }
    return elements[range]
  }

  private func integer(_ value: PickleValue, _ what: String) throws -> Int {
    guard case .integer(let integer) = value else {
      throw failure("\(what): expected an integer, found \(value.kind)")
    }
    return integer
  }

  /// `("storage", type, key, device, count)`; the device is where the numbers were when they were saved.
  mutating func pushStorage(_ id: PickleValue) throws {
    let parts = Array(try tuple(id, "a persistent id"))
    guard parts.count == 5, case .string(let kind) = parts[0],
      try text(kind).utf8.elementsEqual("storage".utf8),
      case .global(.storage(let type)) = parts[1], case .string(let key) = parts[2], case .string = parts[3]
    else {
      throw failure(
        "a persistent id that is not `(\"storage\", type, key, device, count)`: a tuple of \(parts.prefix(8).map(\.kind).joined(separator: ", "))"
      )
    }
    let count = try integer(parts[4], "a storage's size")
    stack.append(try objects.addStorage(type, key: try text(key), count: count))
  }

  mutating func reduce(_ callable: PickleValue, _ arguments: PickleValue) throws {
    guard case .global(let global) = callable else {
      throw failure("a call of \(callable.kind), which is no function")
    }
    let arguments = Array(try tuple(arguments, "the arguments of a call"))
    switch global {
    case .orderedDictionary:
      guard arguments.isEmpty else { throw failure("an ordered dictionary made of \(arguments[0].kind)") }
      pushDictionary()
    case .rebuildTensor: try pushTensor(arguments, counts: 4...4)
    case .rebuildTensorV2: try pushTensor(arguments, counts: 6...7)
    case .rebuildTensorV3:
      guard arguments.count > 6, case .global(.dtype(let type)) = arguments[6] else {
        throw failure("a tensor whose type is not named")
      }
      try pushTensor(arguments, counts: 7...8, type: type)
    case .rebuildParameter, .rebuildParameterWithState:
      guard (3...4).contains(arguments.count), case .tensor = arguments[0] else {
        throw failure("a parameter that is not made of a tensor")
      }
      stack.append(arguments[0])
    case .storage, .dtype: throw failure("a call of a type")
    }
  }

  /// Storage, offset, shape, strides; of what follows only the metadata, which may be left out, change the numbers.
  private mutating func pushTensor(
    _ arguments: [PickleValue], counts: ClosedRange<Int>, type: PyTorchType? = nil
  ) throws {
    guard counts.contains(arguments.count), case .storage(let storage) = arguments[0] else {
      throw failure("a tensor that is not made of a storage, or of \(arguments.count) arguments")
    }
    if arguments.count > counts.lowerBound { try requireNoMetadata(arguments[arguments.count - 1]) }
    func integers(_ value: PickleValue, _ what: String) throws -> [Int] {
      try tuple(value, what).map { try integer($0, what) }
    }
    stack.append(
      try objects.addTensor(
        type, storage: storage, first: try integer(arguments[1], "a tensor's offset"),
        shape: try integers(arguments[2], "a shape"), strides: try integers(arguments[3], "strides")))
  }

  /// Source: `torch/_utils.py` `get_tensor_metadata`: whether the numbers are those of the storage with another sign (`neg`), or
  /// conjugated.
  private func requireNoMetadata(_ metadata: PickleValue) throws {
    switch metadata {
    case .none: return
    case .dictionary(let place) where dictionaries[place].isEmpty: return
    default:
      throw failure(
        "a tensor with metadata, such as `neg`, by which its numbers are not those that are stored; save it after `resolve_neg()`"
      )
    }
  }
}

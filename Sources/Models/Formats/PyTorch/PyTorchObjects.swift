// Storages and tensors as a pickle describes them, held against the archive they lie in.

import System

/// Numbers of one type in a member of the archive.
struct PyTorchStorage {
  /// Nil where only its tensors know.
  let type: PyTorchType?
  /// Bytes from the start of the file.
  let offset: Int
  let byteCount: Int
}

/// A view of a storage; every number of it lies inside.
struct PyTorchTensor {
  let type: PyTorchType
  let shape: [Int]
  /// In numbers, as many as dimensions, none negative. 0 repeats a number.
  let strides: [Int]
  /// Of the first number, in bytes from the start of the file.
  let offset: Int
  /// Of all its numbers, written out.
  let byteCount: Int

  /// Whether the numbers lie one after the other in row-major order.
  var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      if stride != expected { return false }
      expected *= size
    }
    return true
  }
}

struct PyTorchObjects {
  private(set) var storages: [PyTorchStorage] = []
  private(set) var tensors: [PyTorchTensor] = []
  private let archive: ZipDirectory
  /// The archive's folder, with its slash.
  private let root: String

  static let maximumRank = 8
  /// And of storages, which the pickle names again for each tensor.
  static let maximumTensors = 100_000

  init(_ archive: ZipDirectory, root: String) {
    self.archive = archive
    self.root = root
  }

  /// A reason without a place; the machine knows where.
  struct Failure: Error {
    let problem: String
    init(_ problem: String) { self.problem = problem }
  }

  /// - Parameter count: numbers of the type; bytes where there is none.
  mutating func addStorage(_ type: PyTorchType?, key: String, count: Int) throws -> PickleValue {
    guard storages.count < Self.maximumTensors else {
      throw Failure("more than \(Self.maximumTensors) storages")
    }
    let name = "\(root)data/\(key)"
    guard let member = archive[name] else { throw Failure("the archive has no member \(quoted(name))") }
    guard count >= 0, checkedProduct([count, type?.byteCount ?? 1]) == member.byteCount else {
      throw Failure(
        "a storage of \(count) \(type?.name ?? "bytes"), but \(quoted(name)) has \(member.byteCount) bytes")
    }
    storages.append(PyTorchStorage(type: type, offset: member.offset, byteCount: member.byteCount))
    return .storage(storages.count - 1)
  }

  /// - Parameters:
  ///   - type: as the pickle names it; nil takes the storage's.
  ///   - first: the place of the first number in the storage.
  mutating func addTensor(
    _ type: PyTorchType?, storage: Int, first: Int, shape: [Int], strides: [Int]
  ) throws -> PickleValue {
    guard tensors.count < Self.maximumTensors else {
      throw Failure("more than \(Self.maximumTensors) tensors")
    }
    let storage = storages[storage]
    guard let type = type ?? storage.type else { throw Failure("a tensor of bytes whose type is not named") }
    guard storage.type == nil || storage.type == type else {
      throw Failure("a tensor of \(type.name) in a storage of \(storage.type?.name ?? "bytes")")
    }
    guard shape.count <= Self.maximumRank, shape.count == strides.count else {
      throw Failure(
        "\(shape.count) dimensions with \(strides.count) strides; at most \(Self.maximumRank) and as many strides are read"
      )
    }
    guard first >= 0, (shape + strides).allSatisfy({ $0 >= 0 }) else {
      throw Failure("a negative offset, size or stride: \(first), \(shape), \(strides)")
    }
    guard let byteCount = checkedProduct(shape + [type.byteCount]) else {
      throw Failure("the product of shape \(shape) and the element size is out of range")
    }
    let capacity = storage.byteCount / type.byteCount
    // One after the last number's place.
    var end: Int? = first
    if byteCount > 0 {
      end = zip(shape, strides).reduce(checkedSum(first, 1)) { sum, dimension in
        guard let step = checkedProduct([dimension.0 - 1, dimension.1]) else { return nil }
        return sum.flatMap { checkedSum($0, step) }
      }
    }
    guard let end, end <= capacity else {
      throw Failure(
        "shape \(shape) with strides \(strides) from \(first) does not lie inside its storage of \(capacity) \(type.name)"
      )
    }
    tensors.append(
      PyTorchTensor(
        type: type, shape: shape, strides: strides, offset: storage.offset + first * type.byteCount,
        byteCount: byteCount))
    return .tensor(tensors.count - 1)
  }
}

private func checkedSum(_ a: Int, _ b: Int) -> Int? {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? nil : sum
}

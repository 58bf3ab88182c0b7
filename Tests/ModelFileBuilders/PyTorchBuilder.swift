// Builds PyTorch files, right or wrong.

/// A file of `torch.save`.
package struct PyTorchBuilder {
  package var tensors: [(name: String, value: [UInt8])] = []
  package var storages: [[UInt8]] = []
  private var values: [String: [UInt8]] = [:]

  package init() {}

  package mutating func add(_ name: String, _ values: [Float], shape: [Int], strides: [Int]? = nil) {
    add(
      name, bytes: values.flatMap { littleEndian($0.bitPattern) }, "FloatStorage", size: 4, shape: shape,
      strides: strides)
  }

  package mutating func add(
    _ name: String, bytes: [UInt8], _ type: String, size: Int = 1, shape: [Int], strides: [Int]? = nil
  ) {
    let rowMajor = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    let storage = Pickle.storage(type, "\(storages.count)", bytes.count / size)
    values[name] = Pickle.tensor(storage, shape: shape, strides: strides ?? rowMajor)
    tensors.append((name, values[name] ?? []))
    storages.append(bytes)
  }

  /// The same tensor under another name.
  package mutating func add(_ name: String, sharing other: String) {
    tensors.append((name, values[other] ?? []))
  }

  package func bytes() -> [UInt8] {
    var zip = ZipBuilder()
    zip.add("m/data.pkl", Pickle.whole(Pickle.dictionary(tensors.map { ($0.name, $0.value) })))
    for (key, bytes) in storages.enumerated() { zip.add("m/data/\(key)", bytes) }
    return zip.bytes()
  }
}

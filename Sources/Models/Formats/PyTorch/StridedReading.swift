// Reading a tensor whose numbers do not lie one after the other: transposed, repeated, or a part of another.

extension MappedFile {
  /// Fills `output` in row-major order.
  /// - Precondition: every number lies inside the file, as `PyTorchObjects` makes sure of.
  func gather(
    _ tensor: PyTorchTensor, _ encoding: any ElementEncoding.Type,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    guard output.count > 0, let length = tensor.shape.last, let stride = tensor.strides.last else { return }
    let size = encoding.blockSize
    precondition(encoding.blockLength == 1, "\(encoding.name) stores blocks")
    var row = [UInt8](repeating: 0, count: length * size)
    var place = [Int](repeating: 0, count: tensor.shape.count - 1)
    for start in Swift.stride(from: 0, to: output.count, by: length) {
      let first = zip(place, tensor.strides).reduce(0) { $0 + $1.0 * $1.1 }
      guard let source = slice(tensor.offset + first * size, ((length - 1) * stride + 1) * size) else {
        preconditionFailure("\(tensor) does not lie inside \(count) bytes")
      }
      row.withUnsafeMutableBytes { row in
        for index in 0..<length {
          let number = UnsafeRawBufferPointer(
            rebasing: source[index * stride * size..<(index * stride + 1) * size])
          UnsafeMutableRawBufferPointer(rebasing: row[index * size..<(index + 1) * size]).copyMemory(
            from: number)
        }
        encoding.decode(
          UnsafeRawBufferPointer(row),
          into: UnsafeMutableBufferPointer(rebasing: output[start..<start + length]))
      }
      // The next row: the last dimension that is not at its end goes on, those after it begin again.
      for dimension in place.indices.reversed() {
        place[dimension] += 1
        if place[dimension] < tensor.shape[dimension] { break }
        place[dimension] = 0
      }
    }
    let end = zip(tensor.shape, tensor.strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 }
    release(tensor.offset, end * size)
  }
}

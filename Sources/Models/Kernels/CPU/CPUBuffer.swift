// Memory of this process as a device's, and where the kernels find a tensor in it.

/// Zeros at first. Host transfers hand out the memory itself.
final class CPUBuffer: DeviceBuffer, @unchecked Sendable {
  // SAFETY: @unchecked Sendable: a buffer is written by one computation at a time; the owners (a decoder, a
  // trainer, an engine) are confined to one thread each, and weights are not written while shared.
  fileprivate let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  private let origin: Origin

  private enum Origin {
    case heap
    case slab
    /// Of its own.
    case mapping(UnsafeMutableRawBufferPointer)
  }

  init(byteCount: Int) {
    precondition(byteCount >= 0, "negative size \(byteCount)")
    self.byteCount = byteCount
    switch byteCount {
    case ..<(64 << 10):
      pointer = .allocate(byteCount: max(byteCount, 64), alignment: 64)
      pointer.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 64))
      origin = .heap
    case ..<(2 * HugePages.size):
      pointer = HugePages.shared.allocate(byteCount)
      origin = .slab
    default:
      let mapping = HugePages.map(byteCount)
      guard let start = mapping.baseAddress else { preconditionFailure("memory without a place") }
      pointer = start
      origin = .mapping(mapping)
    }
  }

  deinit {
    switch origin {
    case .heap: pointer.deallocate()
    case .slab: HugePages.shared.release(pointer, byteCount)
    case .mapping(let mapping): HugePages.unmap(mapping)
    }
  }

  func withHostRead<Result>(_ bytes: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
    -> Result
  {
    try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(start: pointer + bytes.lowerBound, count: bytes.count))
    }
  }

  func withHostWrite<Result>(
    _ bytes: Range<Int>, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(self) {
      try body(UnsafeMutableRawBufferPointer(start: pointer + bytes.lowerBound, count: bytes.count))
    }
  }
}

/// For the files of the CPU backend alone, while the tensor lives.
extension Tensor {
  /// Of a contiguous tensor.
  var cpuPointer: UnsafeMutableRawPointer {
    requireContiguous()
    return stridedPointer
  }

  /// Rows lie `rowStride` elements apart.
  var stridedPointer: UnsafeMutableRawPointer {
    guard let buffer = buffer as? CPUBuffer else {
      preconditionFailure(
        "a kernel of the CPU was given a buffer of another device, \(Swift.type(of: buffer))")
    }
    return buffer.pointer + byteOffset
  }

  /// The tensor must be float32.
  var cpuFloats: UnsafeMutablePointer<Float> {
    requireContiguous()
    return stridedFloats
  }

  /// The tensor must be float32; rows lie `rowStride` elements apart.
  var stridedFloats: UnsafeMutablePointer<Float> {
    precondition(type == .float32, "a float32 tensor is wanted, this is \(type)")
    return stridedPointer.assumingMemoryBound(to: Float.self)
  }
}

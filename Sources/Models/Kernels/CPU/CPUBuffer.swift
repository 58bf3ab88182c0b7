// Memory of this process as a device's, and where the kernels find a tensor in it.

import Glibc

/// Zeros at first. Host transfers hand out the memory itself.
final class CPUBuffer: DeviceBuffer, @unchecked Sendable {
  // SAFETY: @unchecked Sendable: a buffer is written by one computation at a time; the owners (a decoder, a
  // trainer, an engine) are confined to one thread each, and weights are not written while shared.
  fileprivate let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  /// What the system gave for a large buffer, which starts at a huge page inside it.
  private let mapping: UnsafeMutableRawBufferPointer?

  private static let hugePage = 2 << 20

  init(byteCount: Int) {
    precondition(byteCount >= 0, "negative size \(byteCount)")
    self.byteCount = byteCount
    mapping = byteCount >= 2 * Self.hugePage ? Self.map(byteCount) : nil
    if let base = mapping?.baseAddress {
      pointer = base.alignedUp(toMultipleOf: Self.hugePage)
      return
    }
    pointer = .allocate(byteCount: max(byteCount, 64), alignment: 64)
    pointer.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 64))
  }

  /// Fresh memory in huge pages where the system has them: a gigabyte in pages of 4 KiB costs a second of faults.
  private static func map(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    let length = byteCount + hugePage
    guard let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else { preconditionFailure("no memory for \(byteCount) bytes: \(String(cString: strerror(errno)))") }
    madvise(base, length, MADV_HUGEPAGE)  // a wish; refusing it changes only the time
    return UnsafeMutableRawBufferPointer(start: base, count: length)
  }

  deinit {
    if let mapping { munmap(mapping.baseAddress, mapping.count) } else { pointer.deallocate() }
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

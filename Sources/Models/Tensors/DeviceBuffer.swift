// Memory of a device. The host reads and writes it by explicit transfers alone.

/// Bytes of a device, zeros at first, freed with their last user. Made by `Backend.allocate`; the kernels of that backend alone
/// take it.
package protocol DeviceBuffer: AnyObject, Sendable {
  var byteCount: Int { get }
  /// Hands these bytes to `body`, all earlier work on them done. The pointer is valid inside `body` alone: it may be that of
  /// a copy.
  func withHostRead<Result>(_ bytes: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
    -> Result
  /// Takes these bytes from `body`, which writes all of them and reads none: before, they are undefined. The pointer is valid
  /// inside `body` alone. Where `body` throws, the bytes stay undefined.
  func withHostWrite<Result>(
    _ bytes: Range<Int>, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result
}

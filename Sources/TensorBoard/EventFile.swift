// A file of events as TensorBoard reads it: scalars and texts.

import Glibc
import System

/// Records of a length, its checksum, the bytes and theirs.
/// Source: tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto, as TensorBoard documents them.
package final class EventFile {
  private let file: File

  /// A new file in the folder, which is made where it is missing; TensorBoard finds it by its name.
  /// - Throws: `SystemError` where it cannot be written.
  package init(folder: String, host: String) throws {
    try File.makeDirectory(folder)
    let now = Timestamp.now()
    file = try File.open(
      "\(folder)/events.out.tfevents.\(now.seconds).\(host).\(getpid())", O_WRONLY | O_CREAT | O_APPEND)
    var event = ProtocolBuffer()
    event.add(1, now.secondsSince1970)
    event.add(3, text: "brain.Event:2")
    try write(event)
  }

  deinit { file.closeQuietly() }

  package struct Scalar: Sendable {
    let tag: String
    let step: Int
    let value: Double
    /// Seconds since 1970.
    let time: Double

    package init(_ tag: String, step: Int, _ value: Double, time: Double) {
      self.tag = tag
      self.step = step
      self.value = value
      self.time = time
    }
  }

  /// In one write, so that a reader that follows the file sees all or none.
  package func append(_ scalars: [Scalar]) throws {
    var bytes: [UInt8] = []
    for scalar in scalars {
      var value = ProtocolBuffer()
      value.add(1, text: scalar.tag)
      value.add(2, Float(scalar.value))
      bytes += Self.record(event(value, step: scalar.step, time: scalar.time))
    }
    try write(bytes)
  }

  /// Shown as Markdown.
  package func append(text: String, tag: String) throws {
    var plugin = ProtocolBuffer()
    plugin.add(1, text: "text")
    var metadata = ProtocolBuffer()
    metadata.add(1, message: plugin)
    var size = ProtocolBuffer()
    size.add(1, 1)
    var shape = ProtocolBuffer()
    shape.add(2, message: size)
    var tensor = ProtocolBuffer()
    tensor.add(1, 7)  // DT_STRING
    tensor.add(2, message: shape)
    tensor.add(8, text: text)
    var value = ProtocolBuffer()
    value.add(1, text: tag)
    value.add(8, message: tensor)
    value.add(9, message: metadata)
    try write(event(value, step: 0, time: Timestamp.now().secondsSince1970))
  }

  private func event(_ value: ProtocolBuffer, step: Int, time: Double) -> ProtocolBuffer {
    var summary = ProtocolBuffer()
    summary.add(1, message: value)
    var event = ProtocolBuffer()
    event.add(1, time)
    event.add(2, step)
    event.add(5, message: summary)
    return event
  }

  private func write(_ event: ProtocolBuffer) throws { try write(Self.record(event)) }

  private func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try file.writeAll($0) } }

  private static func record(_ event: ProtocolBuffer) -> [UInt8] {
    let length = bytes(UInt64(event.bytes.count))
    return length + bytes(CRC32C.masked(length)) + event.bytes + bytes(CRC32C.masked(event.bytes))
  }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}

/// The checksum of Castagnoli (RFC 3720, appendix B.4).
package enum CRC32C {
  private static let table = (0..<256).map { byte -> UInt32 in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }

  package static func of(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
  }

  /// As it stands in a record: a checksum of bytes that hold checksums would be weak.
  static func masked(_ bytes: [UInt8]) -> UInt32 {
    let checksum = of(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}

// Messages of protocol buffers, written field by field. Source: protobuf.dev, "Encoding".

struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  private mutating func tag(_ field: Int, _ type: Int) { variable(UInt64(field << 3 | type)) }

  private mutating func variable(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(value & 0x7F | 0x80))
      value >>= 7
    }
    bytes.append(UInt8(value))
  }

  mutating func add(_ field: Int, _ value: Int) {
    tag(field, 0)
    variable(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ value: Double) {
    tag(field, 1)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func add(_ field: Int, _ value: Float) {
    tag(field, 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func add(_ field: Int, text: String) { add(field, Array(text.utf8)) }

  mutating func add(_ field: Int, message: ProtocolBuffer) { add(field, message.bytes) }

  private mutating func add(_ field: Int, _ content: [UInt8]) {
    tag(field, 2)
    variable(UInt64(content.count))
    bytes += content
  }
}

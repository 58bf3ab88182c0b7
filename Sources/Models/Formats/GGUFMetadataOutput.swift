// Metadata of a GGUF file that is written.

/// Entries as a file has them, in the order in which they were added.
package struct GGUFMetadataOutput: Sendable {
  package private(set) var count = 0
  package private(set) var bytes: [UInt8] = []
  private var keys: Set<String> = []

  package init() {}

  package mutating func add(_ key: String, _ value: String) {
    begin(key, .string)
    append(value)
  }
  package mutating func add(_ key: String, _ value: UInt32) {
    begin(key, .uint32)
    append(value)
  }
  package mutating func add(_ key: String, _ value: Float) {
    begin(key, .float32)
    append(value.bitPattern)
  }
  package mutating func add(_ key: String, _ value: Bool) {
    begin(key, .bool)
    append(value ? 1 : 0 as UInt8)
  }
  package mutating func add(_ key: String, _ values: [String]) {
    begin(key, .array)
    append(GGUFValueType.string.rawValue)
    append(UInt64(values.count))
    for value in values { append(value) }
  }
  package mutating func add(_ key: String, _ values: [Int32]) {
    begin(key, .array)
    append(GGUFValueType.int32.rawValue)
    append(UInt64(values.count))
    for value in values { append(value) }
  }

  private mutating func begin(_ key: String, _ type: GGUFValueType) {
    precondition(keys.insert(key).inserted, "`\(key)` is added twice")
    count += 1
    append(key)
    append(type.rawValue)
  }

  private mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private mutating func append(_ text: String) {
    append(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }
}

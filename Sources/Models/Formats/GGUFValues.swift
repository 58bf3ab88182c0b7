// The values of a GGUF header.

extension ByteCursor {
  /// The nesting of arrays that is still followed. Real files have none.
  private static let maximumArrayDepth = 4
  /// Strings, truth values and nested arrays of all arrays, which bounds what stepping over them takes. A vocabulary of
  /// 262,144 tokens comes with 515,000 merges.
  private static let maximumSteppedElements = 2_500_000

  /// A count that must be at most what the rest of the file could hold at `minimumSize` bytes each, and at most `limit`.
  mutating func count(_ what: String, minimumSize: Int, limit: Int = .max) throws -> Int {
    let start = position
    let value = try integer(what, as: UInt64.self)
    guard let count = Int(exactly: value), count <= remaining / minimumSize else {
      throw failure("\(what) is \(value), but only \(remaining) bytes of \(extent) follow", at: start)
    }
    guard count <= limit else { throw failure("\(what) is \(count); at most \(limit) are read", at: start) }
    return count
  }

  mutating func string(_ what: String) throws -> String {
    let start = position
    let length = try count("the length of \(what)", minimumSize: 1)
    guard let bytes = file.slice(position, length), let text = String(validating: bytes, as: UTF8.self) else {
      throw failure("\(what) is not valid UTF-8", at: start)
    }
    position += length
    return text
  }

  mutating func valueType(_ what: String) throws -> GGUFValueType {
    let start = position
    let number = try integer(what, as: UInt32.self)
    guard let type = GGUFValueType(rawValue: number) else {
      throw failure("\(what) is \(number), which is not a value type (0 to 12)", at: start)
    }
    return type
  }

  mutating func value(_ type: GGUFValueType) throws -> GGUFValue {
    switch type {
    case .uint8: return .unsigned(UInt64(try integer("a value", as: UInt8.self)))
    case .uint16: return .unsigned(UInt64(try integer("a value", as: UInt16.self)))
    case .uint32: return .unsigned(UInt64(try integer("a value", as: UInt32.self)))
    case .uint64: return .unsigned(try integer("a value"))
    case .int8: return .signed(Int64(try integer("a value", as: Int8.self)))
    case .int16: return .signed(Int64(try integer("a value", as: Int16.self)))
    case .int32: return .signed(Int64(try integer("a value", as: Int32.self)))
    case .int64: return .signed(try integer("a value"))
    case .float32: return .float32(Float(bitPattern: try integer("a value")))
    case .float64: return .float64(Double(bitPattern: try integer("a value")))
    case .bool:
      let byte = try integer("a boolean", as: UInt8.self)
      guard byte <= 1 else { throw failure("a boolean is \(byte), not 0 or 1", at: position - 1) }
      return .bool(byte == 1)
    case .string: return .string(try string("a string"))
    case .array: return .array(try array(depth: 1))
    }
  }

  /// Checks an array and steps over it.
  private mutating func array(depth: Int) throws -> GGUFArray {
    guard depth <= Self.maximumArrayDepth else {
      throw failure("arrays nested deeper than \(Self.maximumArrayDepth)")
    }
    let elementType = try valueType("an array's element type")
    // A string takes at least its length, a nested array its type and its count.
    let count = try count(
      "an array's length", minimumSize: elementType.size ?? (elementType == .string ? 8 : 12))
    let array = GGUFArray(elementType: elementType, count: count, offset: position)
    if [.string, .array, .bool].contains(elementType) {
      guard count <= Self.maximumSteppedElements - steppedElements else {
        throw failure("with this array more than \(Self.maximumSteppedElements) elements of arrays")
      }
      steppedElements += count
    }
    switch elementType {
    case .string: try skipStrings(count)
    case .array: for _ in 0..<count { _ = try self.array(depth: depth + 1) }
    case .bool:
      for _ in 0..<count { _ = try value(.bool) }
    default:
      // `count` was checked against the bytes that follow, so this stays inside the file.
      position += count * (elementType.size ?? 1)
    }
    return array
  }

  /// Past so many strings, whatever they hold: a vocabulary and its merges are a hundred thousand.
  mutating func skipStrings(_ count: Int) throws {
    guard let bytes = file.slice(position, remaining) else { throw failure("\(extent) has ended") }
    var offset = 0
    for _ in 0..<count {
      let rest = bytes.count - offset - 8
      guard rest >= 0,
        let length = Int(
          exactly: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))),
        length <= rest
      else {
        position += offset
        _ = try self.count("the length of a string", minimumSize: 1)
        preconditionFailure("a string at byte \(position) ends inside \(extent), and was said not to")
      }
      offset += 8 + length
    }
    position += offset
  }
}

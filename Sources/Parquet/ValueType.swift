// What a column's values are: the physical type that is stored, and what the schema says it means.

import JSON

/// A type that is read. Dates, times and timestamps are the integers that are stored; texts are UTF-8, whether the schema says so
/// or says nothing.
enum ValueType {
  case boolean
  case int32(isSigned: Bool)
  case int64(isSigned: Bool)
  case float
  case double
  case text

  /// - Throws: `ParquetFault` for a type that is not read, by its name.
  init(_ element: ThriftValue) throws {
    let logical = element.optionalStructure(10)
    let converted = element.optionalInteger(6)
    // Of the union's members: 5 DECIMAL, 13 BSON, 14 UUID, 15 FLOAT16. Of the older annotation: 5 DECIMAL, 20 BSON, 21 INTERVAL.
    let refused: [Int64: String] = [5: "DECIMAL", 13: "BSON", 14: "UUID", 15: "FLOAT16"]
    let refusedBefore: [Int64: String] = [5: "DECIMAL", 20: "BSON", 21: "INTERVAL"]
    if let name = logical?.unionField.flatMap({ refused[$0] }) ?? converted.flatMap({ refusedBefore[$0] }) {
      throw ParquetFault("the type \(name) is not read; write the column as text or numbers")
    }
    let integer = logical?.optionalStructure(10)
    let isSigned = integer.flatMap { $0.bool(2) } ?? !(11...14).contains(converted ?? 0)
    switch try element.integer(1, "the type") {
    case 0: self = .boolean
    case 1: self = .int32(isSigned: isSigned)
    case 2: self = .int64(isSigned: isSigned)
    case 4: self = .float
    case 5: self = .double
    case 6: self = .text
    case let other:
      let names: [Int64: String] = [3: "INT96", 7: "FIXED_LEN_BYTE_ARRAY"]
      throw ParquetFault(
        "the type \(names[other] ?? "number \(other)") is not read; write the column as text or numbers")
    }
  }

  func json(_ value: Int64) -> JSON {
    switch self {
    case .int32(isSigned: true): .int(Int64(Int32(truncatingIfNeeded: value)))
    case .int32(isSigned: false): .int(Int64(UInt32(truncatingIfNeeded: value)))
    case .int64(isSigned: false) where value < 0: .largeInteger(String(UInt64(bitPattern: value)))
    default: .int(value)
    }
  }

  static func json(_ bytes: UnsafeRawBufferPointer) throws -> JSON {
    guard let text = String(validatingUTF8: bytes) else {
      throw ParquetFault("a value is not valid UTF-8; bytes that are no text are not read")
    }
    return .string(text)
  }
}

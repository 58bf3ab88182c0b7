// Thrift's compact protocol, as far as Parquet's headers use it. Source: THRIFT-110, "Thrift Compact protocol".

/// A value with the numbers of its fields, not their names.
indirect enum ThriftValue {
  case bool(Bool)
  case integer(Int64)
  case double(UInt64)
  case binary(ArraySlice<UInt8>)
  case list([ThriftValue])
  case structure([(field: Int64, value: ThriftValue)])

  /// Reads one struct. Values and nesting are bounded: a header of 64 MiB must not cost a machine's memory.
  static func structure(_ reader: inout ByteReader) throws -> ThriftValue {
    var budget = 1 << 22
    return try readStructure(&reader, depth: 0, &budget)
  }

  private static func readStructure(_ reader: inout ByteReader, depth: Int, _ budget: inout Int) throws
    -> ThriftValue
  {
    guard depth < 32 else { throw ParquetFault("Thrift values nest deeper than 32 levels") }
    var fields: [(field: Int64, value: ThriftValue)] = []
    var field: Int64 = 0
    while true {
      let header = try reader.byte()
      let type = header & 0xF
      if type == 0 { return .structure(fields) }
      if header >> 4 != 0 { field &+= Int64(header >> 4) } else { field = try reader.zigzag() }
      let value: ThriftValue =
        type <= 2 ? .bool(type == 1) : try readValue(type, &reader, depth: depth, &budget)
      fields.append((field, value))
      try spend(&budget)
    }
  }

  private static func readValue(_ type: UInt8, _ reader: inout ByteReader, depth: Int, _ budget: inout Int)
    throws -> ThriftValue
  {
    switch type {
    case 1, 2: return .bool(try reader.byte() == 1)
    case 3: return .integer(Int64(Int8(bitPattern: try reader.byte())))
    case 4, 5, 6: return .integer(try reader.zigzag())
    case 7: return .double(try reader.integer())
    case 8: return .binary(try reader.take(try reader.count(of: "a length", upTo: reader.remaining)))
    case 9, 10:
      let header = try reader.byte()
      // No element takes less than one byte.
      let count =
        header >> 4 < 15 ? Int(header >> 4) : try reader.count(of: "a count", upTo: reader.remaining)
      var elements: [ThriftValue] = []
      for _ in 0..<count {
        elements.append(try readValue(header & 0xF, &reader, depth: depth + 1, &budget))
        try spend(&budget)
      }
      return .list(elements)
    case 12: return try readStructure(&reader, depth: depth + 1, &budget)
    default: throw ParquetFault("the Thrift type \(type) is not one that Parquet uses")
    }
  }

  private static func spend(_ budget: inout Int) throws {
    budget -= 1
    guard budget > 0 else { throw ParquetFault("the header holds more than \(1 << 22) values") }
  }
}

extension ThriftValue {
  private func member(_ field: Int64) -> ThriftValue? {
    if case .structure(let fields) = self { fields.first { $0.field == field }?.value } else { nil }
  }

  /// The number of the first field that is set: which member of a union this is.
  var unionField: Int64? { if case .structure(let fields) = self { fields.first?.field } else { nil } }

  func optionalInteger(_ field: Int64) -> Int64? {
    if case .integer(let value) = member(field) { value } else { nil }
  }

  func integer(_ field: Int64, _ what: String) throws -> Int64 {
    guard let value = optionalInteger(field) else { throw ParquetFault("\(what) is missing") }
    return value
  }

  /// A count, size or offset: none is negative.
  func size(_ field: Int64, _ what: String) throws -> Int {
    let value = try integer(field, what)
    guard value >= 0 else { throw ParquetFault("\(what) is \(value)") }
    return Int(value)
  }

  func bool(_ field: Int64) -> Bool? { if case .bool(let value) = member(field) { value } else { nil } }

  func text(_ field: Int64, _ what: String) throws -> String {
    guard case .binary(let bytes) = member(field), let text = String(validating: bytes, as: UTF8.self) else {
      throw ParquetFault("\(what) is missing or not valid UTF-8")
    }
    return text
  }

  func list(_ field: Int64, _ what: String) throws -> [ThriftValue] {
    guard case .list(let elements) = member(field) else { throw ParquetFault("\(what) is missing") }
    return elements
  }

  func has(_ field: Int64) -> Bool { member(field) != nil }

  /// The bytes of a list of names.
  func texts(_ field: Int64, _ what: String) throws -> [[UInt8]] {
    try list(field, what).map { if case .binary(let bytes) = $0 { Array(bytes) } else { [] } }
  }

  func optionalStructure(_ field: Int64) -> ThriftValue? {
    if case .structure = member(field) { member(field) } else { nil }
  }

  func structure(_ field: Int64, _ what: String) throws -> ThriftValue {
    guard let value = optionalStructure(field) else { throw ParquetFault("\(what) is missing") }
    return value
  }
}

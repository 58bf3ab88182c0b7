// The types GGUF knows: of tensor elements and of metadata values.

/// A tensor element type by ggml's number. Types that cannot be decoded are still known by name and size, so
/// that a file can be checked and listed whole.
package struct GGMLType: Sendable, Equatable {
  let number: UInt32
  package let name: String
  /// Values in one block.
  package let blockLength: Int
  /// Bytes of one block.
  package let blockSize: Int

  /// How to decode it, or nil when Plumb cannot.
  package var encoding: (any ElementEncoding.Type)? { elementEncoding(named: name) }

  package init?(number: UInt32) {
    guard let entry = Self.known.first(where: { $0.number == number }) else { return nil }
    self.init(entry)
  }

  /// The type that is stored so.
  init(_ encoding: any ElementEncoding.Type) {
    guard let entry = Self.known.first(where: { $0.name == encoding.name }) else {
      preconditionFailure("ggml has no type `\(encoding.name)`")
    }
    self.init(entry)
  }

  private init(_ entry: (number: UInt32, name: String, blockLength: Int, blockSize: Int)) {
    number = entry.number
    name = entry.name
    blockLength = entry.blockLength
    blockSize = entry.blockSize
  }

  /// Source: ggml.h `enum ggml_type` and the block structures of ggml-common.h. Numbers that are absent were removed.
  private static let known: [(number: UInt32, name: String, blockLength: Int, blockSize: Int)] = [
    (0, "F32", 1, 4), (1, "F16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20), (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34), (9, "Q8_1", 32, 36), (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144), (13, "Q5_K", 256, 176), (14, "Q6_K", 256, 210), (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66), (17, "IQ2_XS", 256, 74), (18, "IQ3_XXS", 256, 98), (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18), (21, "IQ3_S", 256, 110), (22, "IQ2_S", 256, 82), (23, "IQ4_XS", 256, 136),
    (24, "I8", 1, 1), (25, "I16", 1, 2), (26, "I32", 1, 4), (27, "I64", 1, 8), (28, "F64", 1, 8),
    (29, "IQ1_M", 256, 56), (30, "BF16", 1, 2), (34, "TQ1_0", 256, 54), (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17),
  ]
}

/// The type of a metadata value.
package enum GGUFValueType: UInt32, Sendable {
  case uint8 = 0
  case int8 = 1
  case uint16 = 2
  case int16 = 3
  case uint32 = 4
  case int32 = 5
  case float32 = 6
  case bool = 7
  case string = 8
  case array = 9
  case uint64 = 10
  case int64 = 11
  case float64 = 12

  /// Bytes of a value of fixed size, nil for strings and arrays.
  var size: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }
}

/// A metadata value. Arrays stay in the file until they are asked for, so that a hostile one costs nothing.
package enum GGUFValue: Sendable, Equatable {
  case unsigned(UInt64)
  case signed(Int64)
  case float32(Float)
  case float64(Double)
  case bool(Bool)
  case string(String)
  case array(GGUFArray)

  package var kind: String {
    switch self {
    case .unsigned, .signed: "an integer"
    case .float32, .float64: "a number"
    case .bool: "a boolean"
    case .string: "a string"
    case .array: "an array"
    }
  }
}

/// An array in the metadata: what it holds and where its first element lies.
package struct GGUFArray: Sendable, Equatable {
  package let elementType: GGUFValueType
  package let count: Int
  /// Bytes from the start of the file.
  let offset: Int
}

/// A tensor as the header declares it; its bytes have been checked to lie inside the file.
package struct GGUFTensor: Sendable, Equatable {
  package let name: String
  /// Outermost dimension first, as everywhere in Plumb (GGUF stores the innermost first).
  package let shape: [Int]
  package let type: GGMLType
  /// Bytes from the start of the file.
  package let offset: Int
  package let byteCount: Int
}

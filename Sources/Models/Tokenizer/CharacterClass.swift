// The classes of characters that pre-tokenizers tell apart: \p{L}, \p{N}, \s, and the rest.

enum CharacterClass: UInt8 {
  case other
  case letter
  case number
  case whitespace

  @inline(__always)
  init(_ scalar: Unicode.Scalar) {
    let value = scalar.value
    if value < 0x80 {
      self =
        (value | 0x20) &- 0x61 < 26
        ? .letter : value &- 0x30 < 10 ? .number : value == 0x20 || value &- 9 < 5 ? .whitespace : .other
    } else {
      self = Self.beyondASCII(scalar)
    }
  }

  /// Of the characters below U+20000, which are all but rare ideographs; made when the first beyond ASCII is met.
  private static let table: [CharacterClass] = (0..<0x20000).map { (value: UInt32) in
    Unicode.Scalar(value).map(classify) ?? .other
  }

  private static func beyondASCII(_ scalar: Unicode.Scalar) -> CharacterClass {
    scalar.value < 0x20000 ? table[Int(scalar.value)] : classify(scalar)
  }

  /// Source: Unicode general categories L*, N* and the property White_Space, as in Oniguruma's and Rust's regexes.
  private static func classify(_ scalar: Unicode.Scalar) -> CharacterClass {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
    case .decimalNumber, .letterNumber, .otherNumber: .number
    default: scalar.properties.isWhitespace ? .whitespace : .other
    }
  }
}

extension Unicode.Scalar {
  /// Source: `\w` of Rust's `regex`: UTS 18, annex C.
  var isWordCharacter: Bool {
    if properties.isAlphabetic || properties.isJoinControl { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return false
    }
  }
}

/// Valid UTF-8, scalar by scalar with byte positions.
package struct ScalarText {
  let bytes: UnsafeBufferPointer<UInt8>

  /// The scalar that starts at `position` and where the next one starts.
  /// - Parameter position: the start of a scalar, before the end.
  @inline(__always)
  func scalar(at position: Int) -> (scalar: Unicode.Scalar, next: Int) {
    let first = bytes[position]
    if first < 0x80 { return (Unicode.Scalar(first), position + 1) }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for index in 1..<length { value = value << 6 | UInt32(bytes[position + index] & 0x3F) }
    // The text came from a String, so the value is a scalar.
    return (Unicode.Scalar(value) ?? "\u{FFFD}", position + length)
  }

  /// Where the scalar that ends at `end` starts.
  /// - Parameter limit: the start of a scalar, before `end`.
  func startOfScalar(before end: Int, notBefore limit: Int) -> Int {
    var start = end - 1
    while start > limit, bytes[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }
}

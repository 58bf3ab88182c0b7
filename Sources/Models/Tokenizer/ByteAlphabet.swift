// The alphabet of byte-level BPE: every byte has a printable character that stands for it in a vocabulary file.

/// Source: GPT-2 `bytes_to_unicode`. Printable Latin-1 stands for itself, the other 68 bytes are U+0100 and up, in order.
package enum ByteAlphabet {
  /// The character of each byte.
  package static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0...255).map { (byte: UInt32) in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte) ?? " "
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? " "
      }
    }
  }()

  /// The byte of each character below U+0144, or -1.
  private static let bytes: [Int16] = {
    var table = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { table[Int(scalar.value)] = Int16(byte) }
    return table
  }()

  static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
    guard scalar.value < 0x144 else { return nil }
    return UInt8(exactly: bytes[Int(scalar.value)])
  }

  /// The bytes a vocabulary entry stands for. One with any character outside the alphabet stands for its own UTF-8.
  static func decode(_ token: String) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(token.utf8.count)
    for scalar in token.unicodeScalars {
      guard let byte = byte(scalar) else { return Array(token.utf8) }
      decoded.append(byte)
    }
    return decoded
  }

  static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(scalars[Int(byte)]) }
    return String(text)
  }
}

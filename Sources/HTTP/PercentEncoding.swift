// Text inside an address.

package enum PercentEncoding {
  /// Letters, digits, `-._~` and what else is to stay as it is; every other byte as `%` and two digits.
  package static func encoded(_ text: String, keeping plain: String = "") -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    let bytes = text.utf8.flatMap { byte -> [UInt8] in
      let isAlphanumeric =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      return isAlphanumeric || "-._~".utf8.contains(byte) || plain.utf8.contains(byte)
        ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

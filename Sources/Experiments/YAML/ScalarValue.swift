// What a scalar means: the YAML 1.2 core schema, resolved by us, since libyaml does not resolve.

/// The value of a scalar. `no`, `on`, `1:30`, `1_000` are strings, `012` is twelve, `2e-5` a number.
package enum ScalarValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  /// May be infinite or not a number.
  case double(Double)
  /// An integer that does not fit 64 signed bits, as the double next to it: no document holds one.
  case largeInteger(Double)
  case string(String)

  /// What a plain scalar resolves to.
  package static func resolve(plain text: String) -> ScalarValue {
    // Nothing but text is longer than `false` and begins with a letter.
    if let first = text.utf8.first, first >= 0x41, text.utf8.count > 5 { return .string(text) }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: return number(text) ?? .string(text)
    }
  }

  /// `[-+]?[0-9]+`, `0o…`, `0x…`, decimal fractions and exponents, `.inf`, `.nan`; else nil.
  private static func number(_ text: String) -> ScalarValue? {
    guard let first = text.utf8.first, "0123456789+-.".utf8.contains(first) else { return nil }
    let bytes = Array(text.utf8)
    var rest = bytes[...]
    switch text {
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
    case ".nan", ".NaN", ".NAN": return .double(.nan)
    default: break
    }
    if bytes.starts(with: Array("0o".utf8)) { return radix(bytes.dropFirst(2), 8) }
    if bytes.starts(with: Array("0x".utf8)) { return radix(bytes.dropFirst(2), 16) }
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      rest = rest.dropFirst()
    }
    let whole = digits(&rest)
    var fraction = 0
    var isInteger = true
    if rest.first == UInt8(ascii: ".") {
      isInteger = false
      rest = rest.dropFirst()
      fraction = digits(&rest)
    }
    guard whole + fraction > 0 else { return nil }
    if let exponent = rest.first, exponent == UInt8(ascii: "e") || exponent == UInt8(ascii: "E") {
      isInteger = false
      rest = rest.dropFirst()
      if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
        rest = rest.dropFirst()
      }
      guard digits(&rest) > 0 else { return nil }
    }
    guard rest.isEmpty else { return nil }
    if isInteger, let value = Int64(text) { return .int(value) }
    return parsedDouble(text).map { isInteger ? .largeInteger($0) : .double($0) }
  }

  /// Swift reads `1.` and `.5` differently from YAML, so the text is completed first.
  private static func parsedDouble(_ text: String) -> Double? {
    var complete = ""
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      let afterDigit = previous.map { ("0"..."9").contains($0) } ?? false
      if scalar == ".", !afterDigit { complete += "0" }
      if previous == ".", !("0"..."9").contains(scalar) { complete += "0" }
      complete.unicodeScalars.append(scalar)
      previous = scalar
    }
    if previous == "." { complete += "0" }
    return Double(complete)
  }

  private static func radix(_ digits: ArraySlice<UInt8>, _ radix: Int) -> ScalarValue? {
    let text = String(decoding: digits, as: UTF8.self)
    guard !digits.isEmpty, digits.allSatisfy({ isDigit($0, radix) }) else { return nil }
    if let value = Int64(text, radix: radix) { return .int(value) }
    var value = 0.0
    for digit in digits { value = value * Double(radix) + Double(hexValue(digit)) }
    return .largeInteger(value)
  }

  private static func isDigit(_ byte: UInt8, _ radix: Int) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "7"): true
    case UInt8(ascii: "8"), UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      radix == 16
    default: false
    }
  }

  private static func hexValue(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: byte - UInt8(ascii: "A") + 10
    }
  }

  private static func digits(_ rest: inout ArraySlice<UInt8>) -> Int {
    let count = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
    rest = rest.dropFirst(count)
    return count
  }

  /// In the words of an error message.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int: "an integer"
    case .double: "a number"
    case .largeInteger: "an integer beyond 64 bits"
    case .string: "a string"
    }
  }
}

// Decoding token by token: text appears as soon as its characters are complete.

/// The texts it returns, joined, are what `Tokenizer.decode` gives for all ids at once.
package struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private let skipSpecial: Bool
  /// The start of a character whose rest has not come yet: at most three bytes.
  private var pending: [UInt8] = []

  package init(_ tokenizer: Tokenizer, skipSpecial: Bool = true) {
    self.tokenizer = tokenizer
    self.skipSpecial = skipSpecial
  }

  /// The text that this token completes; may be empty.
  package mutating func push(_ id: Int32) -> String {
    if skipSpecial && tokenizer.isSpecial(id) { return "" }
    pending.append(contentsOf: tokenizer.tokenBytes(id))
    let complete = pending.count - Self.incompleteSuffix(pending)
    defer { pending.removeFirst(complete) }
    return String(decoding: pending[..<complete], as: UTF8.self)
  }

  /// What is left, an unfinished character repaired.
  package mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// How many bytes at the end could still become one character with the bytes that follow.
  static func incompleteSuffix(_ bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let suffix = bytes[(bytes.count - length)...]
      guard let lead = suffix.first else { return 0 }
      if lead & 0xC0 == 0x80 { continue }
      return isUnfinished(Array(suffix)) ? length : 0
    }
    return 0
  }

  /// Whether a lead byte and what follows it are the proper start of a longer sequence (Unicode table 3-7).
  private static func isUnfinished(_ bytes: [UInt8]) -> Bool {
    let lead = bytes[0]
    let length: Int
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF: length = 3
    case 0xF0...0xF4: length = 4
    default: return false
    }
    guard bytes.count < length else { return false }
    guard bytes.count > 1 else { return true }
    let allowed: ClosedRange<UInt8> =
      switch lead {
      case 0xE0: 0xA0...0xBF
      case 0xED: 0x80...0x9F
      case 0xF0: 0x90...0xBF
      case 0xF4: 0x80...0x8F
      default: 0x80...0xBF
      }
    return allowed.contains(bytes[1])
  }
}

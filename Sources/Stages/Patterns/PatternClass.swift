// Which characters one place of a regular expression takes.

/// Characters are code points. Source: `re` of Python, for text.
struct PatternClass: Sendable, Equatable {
  enum Item: Sendable, Equatable {
    case range(ClosedRange<UInt32>)
    case digit(Bool)
    case word(Bool)
    case space(Bool)
  }

  var items: [Item]
  var isNegated = false
  var ignoresCase = false

  /// `.`
  static func any(matchesNewlines: Bool) -> PatternClass {
    PatternClass(items: matchesNewlines ? [] : [.range(10...10)], isNegated: true)
  }

  init(items: [Item], isNegated: Bool = false, ignoresCase: Bool = false) {
    (self.items, self.isNegated, self.ignoresCase) = (items, isNegated, ignoresCase)
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    var found = holds(scalar)
    if !found, ignoresCase { found = scalar.otherCases.contains { holds($0) } }
    return found != isNegated
  }

  private func holds(_ scalar: Unicode.Scalar) -> Bool {
    items.contains { item in
      switch item {
      case .range(let range): range.contains(scalar.value)
      case .digit(let wanted): scalar.isPatternDigit == wanted
      case .word(let wanted): scalar.isPatternWord == wanted
      case .space(let wanted): scalar.isPatternSpace == wanted
      }
    }
  }
}

extension Unicode.Scalar {
  /// `\d`: `str.isdecimal` of Python.
  var isPatternDigit: Bool {
    value < 0x80 ? value &- 0x30 < 10 : properties.generalCategory == .decimalNumber
  }

  /// `\w`: `str.isalnum` of Python, and the underscore.
  var isPatternWord: Bool {
    if value < 0x80 { return (value | 0x20) &- 0x61 < 26 || value &- 0x30 < 10 || value == 0x5F }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
    default: return properties.numericType != nil
    }
  }

  /// `\s`: `str.isspace` of Python.
  var isPatternSpace: Bool {
    value < 0x80 ? value == 0x20 || value &- 9 < 5 || value &- 0x1C < 4 : properties.isWhitespace
  }

  /// The same letter in the other case, where it is one character.
  fileprivate var otherCases: [Unicode.Scalar] {
    if value < 0x80 {
      return (value | 0x20) &- 0x61 < 26 ? [Unicode.Scalar(UInt8(truncatingIfNeeded: value ^ 0x20))] : []
    }
    return [properties.lowercaseMapping, properties.uppercaseMapping].compactMap { text in
      let scalars = text.unicodeScalars
      return scalars.count == 1 && scalars.first != self ? scalars.first : nil
    }
  }
}

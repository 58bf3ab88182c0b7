// Text from outside made safe for a terminal: control and bidirectional characters become visible escapes.

package enum TerminalText {
  /// `text` with every character that could move the cursor, hide or reorder text written as `\u{…}`.
  package static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { needsEscape($0) }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if needsEscape(scalar) { result += escape(scalar) } else { result.unicodeScalars.append(scalar) }
    }
    return result
  }

  /// On one line of at most so many columns: a line break is `⏎`, everything else that could disturb a terminal is escaped, and
  /// what is too long ends in `…`.
  package static func line(_ text: String, columns: Int = .max) -> String {
    var line = ""
    var used = 0
    // The UTF-8 of `line` that leaves a column for the `…`.
    var kept = 0
    for scalar in text.unicodeScalars {
      let piece = scalar == "\n" ? "⏎" : needsEscape(scalar) ? escape(scalar) : String(scalar)
      used += scalar == "\n" ? 1 : needsEscape(scalar) ? piece.utf8.count : width(scalar)
      guard used <= columns else {
        return String(decoding: line.utf8.prefix(kept), as: UTF8.self) + (columns > 0 ? "…" : "")
      }
      line += piece
      if used < columns { kept = line.utf8.count }
    }
    return line
  }

  package static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
    default: return false
    }
  }

  package static func escape(_ scalar: Unicode.Scalar) -> String {
    "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
  }

  /// Columns a scalar takes on a terminal: 0 for combining marks, 2 for wide East Asian and emoji blocks.
  package static func width(_ scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII { return 1 }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return 2
    default: break
    }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: return 1
    }
  }
}

// Cuts a template into text and the tokens of its tags.

import System

enum TemplateToken: Equatable {
  case data(TemplateText)
  case variableBegin, variableEnd
  case blockBegin, blockEnd
  case name(String)
  case text(TemplateText)
  case integer(Int)
  case double(Double)
  case sign(String)
  case end
}

/// Jinja's rules with `trim_blocks` and `lstrip_blocks`: a newline after a block's end is dropped, and so is white space between a line's start
/// and a block's begin. Source: jinja2 3.1, `lexer.py`, as transformers sets it up.
struct TemplateLexer {
  private let source: [TemplateCharacter]
  private var position = 0
  private var line = 1
  private var brackets: [UInt32] = []
  private var tokens: [(token: TemplateToken, line: Int)] = []

  private static let maximumNameLength = 256

  /// - Throws: `ChatTemplateError`.
  static func tokens(_ source: String) throws -> [(token: TemplateToken, line: Int)] {
    var lexer = TemplateLexer(source)
    while lexer.position < lexer.source.count { try lexer.readRoot() }
    lexer.add(.end)
    return lexer.tokens
  }

  private init(_ source: String) {
    var characters: [TemplateCharacter] = []
    var afterReturn = false
    for scalar in source.unicodeScalars {
      if scalar == "\n", afterReturn {
        afterReturn = false
        continue
      }
      afterReturn = scalar == "\r"
      characters.append(TemplateCharacter(afterReturn ? "\n" : scalar))
    }
    if characters.last?.scalar == "\n" { characters.removeLast() }
    self.source = characters
  }

  private mutating func add(_ token: TemplateToken) { tokens.append((token, line)) }

  private func failure(_ problem: String) -> ChatTemplateError { ChatTemplateError(line: line, problem) }

  private func scalar(_ offset: Int = 0) -> Unicode.Scalar? {
    let index = position + offset
    return index < source.count ? source[index].scalar : nil
  }

  private func starts(with text: String) -> Bool {
    let scalars = text.unicodeScalars
    guard source.count - position >= scalars.count else { return false }
    return zip(source[position...], scalars).allSatisfy { $0.scalar == $1 }
  }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<min(count, source.count - position) {
      if source[position].scalar == "\n" { line += 1 }
      position += 1
    }
  }

  private mutating func skipWhitespace() {
    while position < source.count, source[position].isWhitespace { advance() }
  }

  private var isLineStart: Bool { position == 0 || source[position - 1].scalar == "\n" }

  /// Text up to the next tag, and that tag.
  private mutating func readRoot() throws {
    let startsLine = isLineStart
    let start = position
    while position < source.count, !starts(with: "{{"), !starts(with: "{%"), !starts(with: "{#") {
      position += 1
    }
    var text = source[start..<position]
    let kind = scalar(1)
    let sign = scalar(2)
    if position < source.count {
      if sign == "-" {
        while let last = text.last, last.isWhitespace { text.removeLast() }
      } else if sign != "+", kind != "{" {
        var lineStart = text.endIndex
        while lineStart > text.startIndex, text[lineStart - 1].isWhitespace,
          text[lineStart - 1].scalar != "\n"
        {
          lineStart -= 1
        }
        if lineStart > text.startIndex ? text[lineStart - 1].scalar == "\n" : startsLine {
          text = text[..<lineStart]
        }
      }
    }
    if !text.isEmpty { add(.data(TemplateText(text))) }
    line += source[start..<position].count { $0.scalar == "\n" }
    guard position < source.count else { return }
    advance(sign == "-" || sign == "+" ? 3 : 2)
    switch kind {
    case "#": try skipComment()
    case "{":
      add(.variableBegin)
      try readTag(isVariable: true)
    default:
      add(.blockBegin)
      try readTag(isVariable: false)
    }
  }

  private mutating func skipComment() throws {
    let start = line
    while position < source.count {
      if try skipEnd("#}") { return }
      advance()
    }
    throw ChatTemplateError(line: start, "a comment is not closed; expected `#}`")
  }

  /// Passes the end of a block or comment, with the white space that goes with it.
  private mutating func skipEnd(_ end: String) throws -> Bool {
    if starts(with: "-" + end) {
      advance(3)
      skipWhitespace()
    } else if starts(with: "+" + end) {
      advance(3)
    } else if starts(with: end) {
      advance(2)
      if scalar() == "\n" { advance() }
    } else {
      return false
    }
    return true
  }

  private mutating func readTag(isVariable: Bool) throws {
    let start = line
    while position < source.count {
      if brackets.isEmpty {
        let tagLine = line
        if isVariable, starts(with: "-}}") || starts(with: "}}") {
          let trims = scalar() == "-"
          advance(trims ? 3 : 2)
          if trims { skipWhitespace() }
          tokens.append((.variableEnd, tagLine))
          return
        }
        if !isVariable, try skipEnd("%}") {
          tokens.append((.blockEnd, tagLine))
          return
        }
      }
      if source[position].isWhitespace { advance() } else { try readToken() }
    }
    throw ChatTemplateError(
      line: start, "a tag is not closed; expected `\(isVariable ? "}}" : "%}")`")
  }

  private mutating func readToken() throws {
    guard let first = scalar() else { return }
    switch first {
    case "0"..."9": try readNumber()
    case "'", "\"": try readString(first)
    case "a"..."z", "A"..."Z", "_":
      let start = position
      while let next = scalar(), next == "_" || next.isASCIIAlphanumeric { position += 1 }
      guard position - start <= Self.maximumNameLength else {
        throw failure("a name has more than \(Self.maximumNameLength) characters")
      }
      add(.name(TemplateText(source[start..<position]).string))
    default: try readSign()
    }
  }

  private static let signs = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
    "=",
    ".", ":", "|", ",",
  ]

  private mutating func readSign() throws {
    guard let sign = Self.signs.first(where: starts(with:)) else {
      throw failure("unexpected character \(quoted(TemplateText(source[position...position]).string))")
    }
    switch sign {
    case "(": brackets.append(0x29)
    case "[": brackets.append(0x5D)
    case "{": brackets.append(0x7D)
    case ")", "]", "}":
      guard brackets.popLast() == source[position].value else { throw failure("unexpected `\(sign)`") }
    default: break
    }
    add(.sign(sign))
    advance(sign.utf8.count)
  }

  private mutating func readNumber() throws {
    let start = position
    var isDouble = false
    func skipDigits(_ lexer: inout Self) {
      while let next = lexer.scalar(),
        next.isASCIIDigit || (next == "_" && lexer.scalar(1)?.isASCIIDigit == true)
      {
        lexer.position += 1
      }
    }
    let followsDot = start > 0 && source[start - 1].scalar == "."
    skipDigits(&self)
    if !followsDot {
      if scalar() == ".", scalar(1)?.isASCIIDigit == true {
        isDouble = true
        position += 1
        skipDigits(&self)
      }
      let signed = scalar(1) == "+" || scalar(1) == "-"
      if scalar() == "e" || scalar() == "E", scalar(signed ? 2 : 1)?.isASCIIDigit == true {
        isDouble = true
        position += signed ? 2 : 1
        skipDigits(&self)
      }
    }
    let digits = TemplateText(source[start..<position].filter { $0.scalar != "_" }).string
    let isInDecimal = isDouble || digits.utf8.count == 1 || !digits.hasPrefix("0")
    if let next = scalar(), next.isASCIIAlphanumeric || next == "_" || !isInDecimal {
      throw failure("the number that begins with \(quoted(digits)) is not supported; write it in decimal")
    }
    if isDouble {
      guard let value = Double(digits) else { throw failure("\(quoted(digits)) is no number") }
      add(.double(value))
    } else {
      guard let value = Int(digits) else { throw failure("the integer \(quoted(digits)) exceeds 64 bits") }
      add(.integer(value))
    }
  }

  private mutating func readString(_ quote: Unicode.Scalar) throws {
    let start = line
    var text: [TemplateCharacter] = []
    position += 1
    while let next = scalar() {
      if next == quote {
        position += 1
        tokens.append((.text(TemplateText(text)), start))
        return
      }
      if next == "\\" {
        try readEscape(&text)
      } else {
        text.append(source[position])
        advance()
      }
    }
    throw ChatTemplateError(line: start, "a string is not closed; expected `\(quote)`")
  }

  private mutating func readEscape(_ text: inout [TemplateCharacter]) throws {
    position += 1
    guard let escape = scalar() else { throw failure("a string ends in `\\`") }
    let simple: [Unicode.Scalar: Unicode.Scalar] = [
      "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r",
      "t": "\t", "v": "\u{B}",
    ]
    if let value = simple[escape] {
      text.append(TemplateCharacter(value))
      advance()
      return
    }
    switch escape {
    case "\n": advance()
    case "x": try readEscape(&text, digits: 2)
    case "u": try readEscape(&text, digits: 4)
    case "U": try readEscape(&text, digits: 8)
    case "N": throw failure("`\\N{…}` in a string is not supported")
    case "0"..."7":
      var value: UInt32 = 0
      var digits = 0
      while digits < 3, let next = scalar(), ("0"..."7").contains(next) {
        value = value * 8 + next.value - 0x30
        digits += 1
        position += 1
      }
      text.append(TemplateCharacter(Unicode.Scalar(value) ?? "\u{FFFD}"))
    default: text.append(TemplateCharacter("\\"))
    }
  }

  private mutating func readEscape(_ text: inout [TemplateCharacter], digits: Int) throws {
    position += 1
    let end = min(position + digits, source.count)
    let spelling = TemplateText(source[position..<end]).string
    guard spelling.unicodeScalars.count == digits, spelling.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
      let value = UInt32(spelling, radix: 16), let scalar = Unicode.Scalar(value)
    else { throw failure("the escape \(quoted(spelling)) of a string is no Unicode scalar") }
    text.append(TemplateCharacter(scalar))
    position = end
  }
}

extension Unicode.Scalar {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
  fileprivate var isASCIIAlphanumeric: Bool {
    isASCIIDigit || ("a"..."z").contains(self) || ("A"..."Z").contains(self)
  }
}

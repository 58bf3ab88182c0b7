// A regular expression as it is written, and what it says.

/// What a regular expression is made of.
indirect enum PatternNode: Sendable {
  case empty
  case one(PatternClass)
  case sequence([PatternNode])
  /// The first that leads to a match counts.
  case either([PatternNode])
  /// A named group; groups without name only hold together.
  case group(Int, PatternNode)
  case repeated(PatternNode, least: Int, most: Int?, isGreedy: Bool)
  case place(PatternPlace)
}

/// What a regular expression says of a place between two characters.
enum PatternPlace: Sendable {
  case start, end, lineStart, lineEnd
  /// The end, or before a newline that ends the text: `$`.
  case lastEnd
  case wordEdge, noWordEdge
}

/// Why a regular expression is refused.
package struct PatternError: Error, Equatable, CustomStringConvertible {
  package let description: String
}

/// Source: `re` of Python. Deviation: what needs to look back is refused, since it cannot be matched in linear time.
struct PatternSyntax {
  private let source: [Unicode.Scalar]
  private var position = 0
  private var depth = 0
  private var ignoresCase = false
  private var isMultiline = false
  private var matchesNewlines = false
  private(set) var groupNames: [String] = []

  static let deepest = 100
  static let mostRepetitions = 1000

  /// - Throws: `PatternError` saying at which character, from 1.
  static func parse(_ text: String) throws(PatternError) -> (node: PatternNode, groupNames: [String]) {
    var syntax = PatternSyntax(source: Array(text.unicodeScalars))
    try syntax.readFlags()
    let node = try syntax.alternatives()
    if syntax.next != nil { throw syntax.error("`)` has no `(` before it; as text it is written `\\)`") }
    return (node, syntax.groupNames)
  }

  private init(source: [Unicode.Scalar]) { self.source = source }

  private var next: Unicode.Scalar? { position < source.count ? source[position] : nil }

  private func error(_ reason: String) -> PatternError {
    PatternError(description: "character \(position + 1): \(reason)")
  }

  private mutating func take(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard source[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  /// `(?is)` at the start.
  private mutating func readFlags() throws(PatternError) {
    guard take("(?") else { return }
    var place = position
    while place < source.count, "ismau".unicodeScalars.contains(source[place]) { place += 1 }
    guard place > position, place < source.count, source[place] == ")" else {
      position = 0
      return
    }
    for flag in source[position..<place] {
      switch flag {
      case "i": ignoresCase = true
      case "s": matchesNewlines = true
      case "m": isMultiline = true
      case "u": break
      default: throw error("the flag `\(flag)` is not known; known are `i`, `m` and `s`")
      }
    }
    position = place + 1
  }

  private mutating func alternatives() throws(PatternError) -> PatternNode {
    var all = [try sequence()]
    while next == "|" {
      position += 1
      all.append(try sequence())
    }
    return all.count == 1 ? all[0] : .either(all)
  }

  private mutating func sequence() throws(PatternError) -> PatternNode {
    var nodes: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      nodes.append(try repeated(try atom()))
    }
    return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
  }

  private mutating func repeated(_ node: PatternNode) throws(PatternError) -> PatternNode {
    guard let (least, most) = try repetition() else { return node }
    if case .place = node { throw error("what is repeated is a place and no text") }
    var isGreedy = true
    if next == "?" {
      position += 1
      isGreedy = false
    } else if next == "+" {
      throw error("possessive repetition is not possible in linear time; write `*`, `+` or `?` alone")
    }
    if next == "*" || next == "+" || next == "?" {
      throw error("`\(source[position])` repeats a repetition; put that into `(?:…)`")
    }
    return .repeated(node, least: least, most: most, isGreedy: isGreedy)
  }

  /// `*`, `+`, `?`, `{2}`, `{2,}`, `{,3}` or `{2,3}`. Other braces are text.
  private mutating func repetition() throws(PatternError) -> (least: Int, most: Int?)? {
    switch next {
    case "*":
      position += 1
      return (0, nil)
    case "+":
      position += 1
      return (1, nil)
    case "?":
      position += 1
      return (0, 1)
    case "{":
      let start = position
      position += 1
      let least = number()
      let hasComma = take(",")
      let most = hasComma ? number() : least
      guard take("}"), least != nil || most != nil else {
        position = start
        return nil
      }
      guard (least ?? 0) <= Self.mostRepetitions, (most ?? 0) <= Self.mostRepetitions else {
        throw error("a repetition counts at most to \(Self.mostRepetitions)")
      }
      if let least, let most, least > most { throw error("a repetition from \(least) to \(most)") }
      return (least ?? 0, most)
    default: return nil
    }
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, scalar.isASCIIDigit {
      // Beyond what is allowed the digits do not matter.
      value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
      position += 1
    }
    return value
  }

  private mutating func atom() throws(PatternError) -> PatternNode {
    guard let scalar = next else { return .empty }
    switch scalar {
    case "(": return try group()
    case "[": return .one(try characterClass())
    case ".":
      position += 1
      return .one(.any(matchesNewlines: matchesNewlines))
    case "^":
      position += 1
      return .place(isMultiline ? .lineStart : .start)
    case "$":
      position += 1
      return .place(isMultiline ? .lineEnd : .lastEnd)
    case "*", "+", "?": throw error("`\(scalar)` has nothing to repeat; as text it is written `\\\(scalar)`")
    case "\\": return try escape()
    default:
      position += 1
      return literal(scalar)
    }
  }

  private func literal(_ scalar: Unicode.Scalar) -> PatternNode {
    .one(PatternClass(items: [.range(scalar.value...scalar.value)], ignoresCase: ignoresCase))
  }

  private mutating func group() throws(PatternError) -> PatternNode {
    let start = position
    position += 1
    depth += 1
    guard depth <= Self.deepest else { throw error("groups are nested deeper than \(Self.deepest)") }
    var number: Int?
    if take("?") {
      if take(":") {
        number = nil
      } else if take("P<") || (!isLookBehind && take("<")) {
        number = try groupNumber()
      } else {
        throw error(
          "`(?` is followed by what is not possible in linear time, or not known; possible are `(?:…)`, `(?<name>…)`, and at the start `(?i)`, `(?m)` and `(?s)`"
        )
      }
    }
    let inner = try alternatives()
    guard take(")") else {
      position = start
      throw error("`(` is not closed; as text it is written `\\(`")
    }
    depth -= 1
    return number.map { .group($0, inner) } ?? inner
  }

  private var isLookBehind: Bool {
    next == "<" && position + 1 < source.count && (source[position + 1] == "=" || source[position + 1] == "!")
  }

  private mutating func groupNumber() throws(PatternError) -> Int {
    let start = position
    while let scalar = next, scalar.isPatternWord { position += 1 }
    let name = String(String.UnicodeScalarView(source[start..<position]))
    guard !name.isEmpty, !source[start].isPatternDigit, take(">") else {
      position = start
      throw error("a group's name is letters, digits and `_`, and `>` ends it")
    }
    guard !groupNames.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
      position = start
      throw error("two groups are called `\(name)`")
    }
    groupNames.append(name)
    return groupNames.count - 1
  }

  // MARK: escapes and classes

  private mutating func escape() throws(PatternError) -> PatternNode {
    position += 1
    guard let scalar = next else { throw error("`\\` is followed by nothing; as text it is written `\\\\`") }
    let place: PatternPlace? =
      switch scalar {
      case "A": .start
      case "Z": .end
      case "b": .wordEdge
      case "B": .noWordEdge
      default: nil
      }
    if let place {
      position += 1
      return .place(place)
    }
    return .one(PatternClass(items: [try escapedItem()], ignoresCase: ignoresCase))
  }

  /// What stands after `\`.
  private mutating func escapedItem() throws(PatternError) -> PatternClass.Item {
    guard let scalar = next else { throw error("`\\` is followed by nothing") }
    position += 1
    switch scalar {
    case "d", "D": return .digit(scalar == "d")
    case "w", "W": return .word(scalar == "w")
    case "s", "S": return .space(scalar == "s")
    case "n": return .range(10...10)
    case "t": return .range(9...9)
    case "r": return .range(13...13)
    case "f": return .range(12...12)
    case "v": return .range(11...11)
    case "a": return .range(7...7)
    case "x": return .range(try hexadecimal(2))
    case "u": return .range(try hexadecimal(4))
    case "U": return .range(try hexadecimal(8))
    default:
      guard !scalar.isPatternWord else {
        position -= 1
        throw error(
          scalar.isASCIIDigit
            ? "`\\\(scalar)` looks back at a group, which is not possible in linear time"
            : "`\\\(scalar)` is not known")
      }
      return .range(scalar.value...scalar.value)
    }
  }

  private mutating func hexadecimal(_ count: Int) throws(PatternError) -> ClosedRange<UInt32> {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = next?.hexadecimalValue else {
        throw error("\(count) hexadecimal digits are expected")
      }
      value = value << 4 | digit
      position += 1
    }
    return value...value
  }

  private mutating func characterClass() throws(PatternError) -> PatternClass {
    let start = position
    position += 1
    var found = PatternClass(items: [], ignoresCase: ignoresCase)
    found.isNegated = take("^")
    var isFirst = true
    while let scalar = next, scalar != "]" || isFirst {
      isFirst = false
      let item = try classItem()
      guard next == "-", position + 1 < source.count, source[position + 1] != "]",
        case .range(let low) = item
      else {
        found.items.append(item)
        continue
      }
      position += 1
      guard case .range(let high) = try classItem(), low.lowerBound <= high.upperBound else {
        throw error("a range of characters that does not ascend; `-` as text stands last in the class")
      }
      found.items.append(.range(low.lowerBound...high.upperBound))
    }
    guard take("]") else {
      position = start
      throw error("`[` is not closed; as text it is written `\\[`")
    }
    return found
  }

  private mutating func classItem() throws(PatternError) -> PatternClass.Item {
    guard let scalar = next else { throw error("a class of characters is not closed") }
    position += 1
    guard scalar == "\\" else { return .range(scalar.value...scalar.value) }
    if next == "b" {
      position += 1
      return .range(8...8)
    }
    return try escapedItem()
  }
}

extension Unicode.Scalar {
  fileprivate var isASCIIDigit: Bool { value &- 0x30 < 10 }

  fileprivate var hexadecimalValue: UInt32? {
    if isASCIIDigit { return value - 0x30 }
    let letter = (value | 0x20) &- 0x61
    return value < 0x80 && letter < 6 ? letter + 10 : nil
  }
}

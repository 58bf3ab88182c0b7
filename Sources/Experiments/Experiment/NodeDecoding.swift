// Strict reading of nodes: each function gives a value, or reports what was found instead and gives nil.

import JSON
import System

/// The entries of a mapping whose keys have been checked.
struct Fields {
  var entries: [MappingEntry]
  var span: SourceSpan

  subscript(key: String) -> Node? { entries.index(of: key).map { entries[$0].value } }
  func entry(_ key: String) -> MappingEntry? { entries.index(of: key).map { entries[$0] } }
}

extension DiagnosticCollector {
  func wrongType(_ node: Node, _ what: String, expected: String, help: String? = nil) {
    guard !node.isInvalid else { return }
    error(
      .wrongType, "\(what) must be \(expected), found \(node.found)", at: node.span,
      label: "expected \(expected)", notes: originNotes(node), help: help)
  }

  func outOfRange(_ node: Node, _ what: String, expected: String) {
    error(
      .outOfRange, "\(what) must be \(expected), found \(node.found)", at: node.span,
      label: "expected \(expected)", notes: originNotes(node))
  }

  func originNotes(_ node: Node) -> [Diagnostic.Note] {
    node.origin.map { [.init("the value comes from here", at: $0)] } ?? []
  }

  /// A mapping with none but the known keys. `hints` say where a key that is not known here belongs, `aliases` which known
  /// key is meant by another.
  func fields(
    _ node: Node, of what: String, known: [String], hints: [String: String] = [:],
    aliases: [String: String] = [:], help: String? = nil
  ) -> Fields? {
    guard let entries = node.entries else {
      wrongType(node, what, expected: "a mapping", help: help)
      return nil
    }
    for entry in entries {
      let key = UTF8Key(entry.key)
      if known.contains(where: { UTF8Key($0) == key }) { continue }
      recordMisspelt(entry.key, among: known, of: what)
      if let meant = aliases[entry.key] { recordMisspelt(as: meant, of: what) }
      error(
        .unknownKey, "\(what) has no key called `\(entry.key)`", at: entry.keySpan, label: "unknown key",
        help: aliases[entry.key].map { "did you mean `\($0)`?" } ?? hints[entry.key]
          ?? Suggestion.helpOrList(for: entry.key, among: known, what: "the keys are"))
    }
    return Fields(entries: entries, span: node.span)
  }

  func missingKey(_ key: String, of what: String, at span: SourceSpan?, help: String? = nil) {
    if isMisspelt(key, of: what) { return }
    error(
      .missingKey, "\(what) lacks the key `\(key)`", at: span, label: "`\(key)` is missing", help: help)
  }

  package func string(_ node: Node, _ what: String) -> String? {
    if let string = node.string { return string }
    if let scalar = node.scalar, scalar.value != .null {
      wrongType(
        node, what, expected: "a string",
        help: node.origin == nil
          ? "put it in quotes: `\"\(scalar.text)\"`" : "`\"${name}\"`, in quotes, is a parameter's text")
    } else {
      wrongType(node, what, expected: "a string")
    }
    return nil
  }

  func bool(_ node: Node, _ what: String) -> Bool? {
    if case .bool(let value) = node.scalar?.value { return value }
    let word = node.string?.lowercased() ?? ""
    let isOldStyle = ["yes", "no", "on", "off", "y", "n"].contains(word)
    wrongType(
      node, what, expected: "`true` or `false`",
      help: isOldStyle ? "`\(word)` is a string in YAML 1.2" : nil)
    return nil
  }

  /// An integer; a number without fraction such as `1e6` counts.
  func integer(_ node: Node, _ what: String, _ range: ClosedRange<Int>) -> Int? {
    let expected = "an integer \(Self.words(range))"
    let value: Int?
    switch node.scalar?.value {
    case .int(let integer): value = Int(exactly: integer)
    case .double(let double) where double.rounded() == double && double.isFinite:
      value = Int(exactly: double)
      if value == nil {
        outOfRange(node, what, expected: expected)
        return nil
      }
    default:
      wrongType(node, what, expected: "an integer", help: Self.numberHelp(node))
      return nil
    }
    guard let value, range.contains(value) else {
      outOfRange(node, what, expected: expected)
      return nil
    }
    return value
  }

  func number(
    _ node: Node, _ what: String, _ range: ClosedRange<Double>, exclusiveMinimum: Bool = false,
    single: Bool = false
  ) -> Double? {
    let value: Double
    switch node.scalar?.value {
    case .int(let integer): value = Double(integer)
    case .double(let double): value = double
    default:
      wrongType(node, what, expected: "a number", help: Self.numberHelp(node))
      return nil
    }
    guard value.isFinite, range.contains(value), !exclusiveMinimum || value > range.lowerBound else {
      outOfRange(node, what, expected: "a finite number \(Self.words(range, exclusiveMinimum))")
      return nil
    }
    guard !single || value.fitsSinglePrecision else {
      let bound =
        value.magnitude < 1
        ? "\(exclusiveMinimum ? "" : "0 or ")at least \(Float.leastNormalMagnitude) in absolute value, because single precision rounds smaller numbers to 0"
        : "at most \(Float.greatestFiniteMagnitude) in absolute value, because single precision rounds larger numbers to infinity"
      outOfRange(node, what, expected: bound)
      return nil
    }
    return value
  }

  private static func numberHelp(_ node: Node) -> String? {
    guard let text = node.string else { return nil }
    let bare = text.split(separator: "_").joined()
    if bare != text, case .string = ScalarValue.resolve(plain: bare) {
    } else if bare != text {
      return "write the digits without `_`"
    }
    if case .string = ScalarValue.resolve(plain: text) { return nil }
    return "remove the quotes: a quoted value is a string"
  }

  static func words(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound == .min, range.upperBound == .max) {
    case (true, true): "of 64 bits"
    case (false, true): "of at least \(range.lowerBound)"
    case (true, false): "of at most \(range.upperBound)"
    case (false, false): "from \(range.lowerBound) to \(range.upperBound)"
    }
  }

  static func words(_ range: ClosedRange<Double>, _ exclusiveMinimum: Bool) -> String {
    func text(_ value: Double) -> String {
      if let integer = Int(exactly: value), abs(value) < 1e15 { return String(integer) }
      return String(value)
    }
    let isOpenAbove = range.upperBound >= .greatestFiniteMagnitude
    let isOpenBelow = range.lowerBound <= -.greatestFiniteMagnitude
    let upper = text(range.upperBound)
    let lower = text(range.lowerBound)
    switch (isOpenBelow, isOpenAbove) {
    case (true, true): return "of any size"
    case (true, false): return "of at most \(upper)"
    case (false, true): return exclusiveMinimum ? "above \(lower)" : "of at least \(lower)"
    case (false, false):
      return exclusiveMinimum ? "above \(lower) and at most \(upper)" : "from \(lower) to \(upper)"
    }
  }

  func choice(_ node: Node, _ what: String, _ words: [String]) -> String? {
    guard let word = string(node, what) else { return nil }
    guard words.contains(where: { UTF8Key($0) == UTF8Key(word) }) else {
      error(
        .unknownChoice, "\(what) cannot be `\(word)`", at: node.span,
        label: "expected \(Self.list(words))", notes: originNotes(node),
        help: Suggestion.help(for: word, among: words))
      return nil
    }
    return word
  }

  /// `a`, `b` or `c`
  package static func list(_ words: [String]) -> String {
    let quoted = words.map { "`\($0)`" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "nothing" }
    return quoted.dropLast().joined(separator: ", ") + " or " + last
  }

  /// Seconds: a number, or a number with a unit such as `90s`, `30min`, `4h`.
  func seconds(_ node: Node, _ what: String) -> Double? {
    quantity(node, what, .time, expected: "a time such as `90s`, `30min` or `4h`")
  }

  /// Bytes: an integer, or a number with a unit such as `512MiB`, `8GiB`.
  func byteCount(_ node: Node, _ what: String) -> Int? {
    let expected = "a size such as `512MiB` or `8GiB`"
    guard let value = quantity(node, what, .size, expected: expected) else { return nil }
    guard let bytes = Int(exactly: value.rounded()) else {
      outOfRange(node, what, expected: expected)
      return nil
    }
    return bytes
  }

  private func quantity(_ node: Node, _ what: String, _ units: Units, expected: String) -> Double? {
    let value: Double? =
      switch node.scalar?.value {
      case .int(let integer): Double(integer)
      case .double(let double): double
      case .string(let text): units.value(text)
      default: nil
      }
    guard let value else {
      wrongType(node, what, expected: expected)
      return nil
    }
    guard value.isFinite, value > 0 else {
      outOfRange(node, what, expected: expected)
      return nil
    }
    return value
  }

  /// Names of stages, loops, models, parameters: letters, digits, `_`, `-`; `.` and `@` belong to addresses.
  func checkName(_ entry: MappingEntry, _ what: String) {
    let bytes = Array(entry.key.utf8)
    func isLetter(_ byte: UInt8) -> Bool {
      (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
    }
    let isGood =
      !bytes.isEmpty && bytes.count <= 100 && isLetter(bytes[0])
      && bytes.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
    if !isGood {
      // `{metric: try@n=8,t=1.count.distinct}`
      let isRestOfAddress = entry.value.isNull && entry.key.utf8.contains(UInt8(ascii: "="))
      error(
        .badName, "`\(entry.key)` cannot be the name of \(what)", at: entry.keySpan,
        label: "not a name",
        help: isRestOfAddress
          ? "between `{` and `}` a comma ends a value: quote an address that contains one"
          : "a letter or `_`, then letters, digits, `_` and `-`; at most 100")
    }
  }
}

// A text of a template: Unicode scalars, as Python counts them, each with where it came from.

/// A Unicode scalar with its origin, which every operation on texts keeps.
package struct TemplateCharacter: Sendable {
  private var bits: UInt32
  private static let fieldBit: UInt32 = 1 << 31
  private static let generatedBit: UInt32 = 1 << 30
  private static let scalarBits: UInt32 = 0x1F_FFFF
  private static let markShift: UInt32 = 21

  init(_ scalar: Unicode.Scalar, isField: Bool = false, mark: UInt8 = 0) {
    bits = scalar.value | (isField ? Self.fieldBit : 0) | UInt32(mark) << Self.markShift
  }

  /// The scalar's number, by which characters are compared and ordered.
  var value: UInt32 { bits & Self.scalarBits }
  var scalar: Unicode.Scalar { Unicode.Scalar(value) ?? "\u{FFFD}" }
  /// Whether it came from a message rather than from the template.
  var isField: Bool { bits & Self.fieldBit != 0 }
  /// Whether it was written inside `{% generation %}`.
  var isGenerated: Bool { bits & Self.generatedBit != 0 }
  /// That of the message it came from; 0 for what the template wrote.
  var mark: UInt8 { UInt8(truncatingIfNeeded: bits >> Self.markShift) }

  mutating func markGenerated() { bits |= Self.generatedBit }

  /// Another scalar of the same origin.
  func with(_ scalar: Unicode.Scalar) -> Self {
    var character = self
    character.bits = bits & ~Self.scalarBits | scalar.value
    return character
  }

  /// What Python's `str.isspace` takes for white space.
  var isWhitespace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
      0x3000:
      true
    default: false
    }
  }

  /// What Python's `str.splitlines` cuts at.
  var isLineEnd: Bool {
    switch value {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }
}

package struct TemplateText: Sendable {
  var characters: [TemplateCharacter]

  init(_ characters: [TemplateCharacter] = []) { self.characters = characters }
  init(_ characters: ArraySlice<TemplateCharacter>) { self.characters = Array(characters) }
  init(_ string: String, isField: Bool = false) {
    characters = string.unicodeScalars.map { TemplateCharacter($0, isField: isField) }
  }

  var count: Int { characters.count }
  var string: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: characters.lazy.map(\.scalar))
    return String(view)
  }

  static func += (a: inout TemplateText, b: TemplateText) { a.characters += b.characters }
  static func += (a: inout TemplateText, b: String) { a += TemplateText(b) }
}

extension TemplateText: Comparable {
  package static func == (a: Self, b: Self) -> Bool {
    a.count == b.count && zip(a.characters, b.characters).allSatisfy { $0.value == $1.value }
  }
  package static func < (a: Self, b: Self) -> Bool {
    a.characters.lexicographicallyPrecedes(b.characters) { $0.value < $1.value }
  }
}

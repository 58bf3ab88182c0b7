// How a value is written: as an output prints it, and as Python's `repr` does inside a list.

import System

extension TemplateRun {
  /// Python's `str`.
  func shown(_ value: TemplateValue) throws -> TemplateText {
    switch value {
    case .undefined: return TemplateText()
    case .text(let text): return text
    default:
      var text = TemplateText()
      try append(value, to: &text)
      return text
    }
  }

  private func append(_ value: TemplateValue, to text: inout TemplateText) throws {
    try chargeSteps()
    let start = text.count
    switch value {
    case .undefined: text += "Undefined"
    case .none: text += "None"
    case .bool(let value): text += value ? "True" : "False"
    case .integer(let value): text += String(value)
    case .double(let value): text += pythonSpelling(value)
    case .text(let value): try appendQuoted(value, to: &text)
    case .list(let list):
      guard list.kind == .list || list.kind == .tuple else {
        throw failure("printing \(value.kind) is not supported")
      }
      text += list.kind == .list ? "[" : "("
      for (index, item) in list.items.enumerated() {
        if index > 0 { text += ", " }
        try append(item, to: &text)
      }
      text += list.kind == .list ? "]" : list.items.count == 1 ? ",)" : ")"
      return try charge(characters: 2)
    case .dictionary(let dictionary):
      text += "{"
      for (index, member) in dictionary.members.enumerated() {
        if index > 0 { text += ", " }
        try append(member.key, to: &text)
        text += ": "
        try append(member.value, to: &text)
      }
      text += "}"
      return try charge(characters: 2)
    case .namespace, .iterator, .loop, .macro, .function, .method:
      throw failure("printing \(value.kind) is not supported")
    }
    try charge(characters: text.count - start)
  }

  private func appendQuoted(_ value: TemplateText, to text: inout TemplateText) throws {
    try chargeSteps(value.count / 4)
    let hasSingle = value.characters.contains { $0.scalar == "'" }
    let quote = hasSingle && !value.characters.contains { $0.scalar == "\"" } ? "\"" : "'"
    text += quote
    for character in value.characters {
      let scalar = character.scalar
      switch scalar {
      case "\\": text.characters += ["\\", "\\"].map(character.with)
      case "\n": text.characters += ["\\", "n"].map(character.with)
      case "\r": text.characters += ["\\", "r"].map(character.with)
      case "\t": text.characters += ["\\", "t"].map(character.with)
      case "'" where quote == "'": text.characters += ["\\", "'"].map(character.with)
      default:
        if scalar.isPrintedByPython {
          text.characters.append(character)
        } else {
          try chargeSteps(4)
          let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
          let digits = String(scalar.value, radix: 16)
          let escape = "\\" + letter + String(repeating: "0", count: width - digits.utf8.count) + digits
          text.characters += escape.unicodeScalars.map(character.with)
        }
      }
    }
    text += quote
  }
}

/// Python's `repr` of a float. Swift writes the same digits, but has an exponent from 2^53 on; Python has it from 1e16 on.
func pythonSpelling(_ value: Double) -> String {
  let size = value.magnitude
  if size >= 0x1p53, size < 1e16, let integer = Int(exactly: value) { return "\(integer).0" }
  return "\(value)"
}

extension Unicode.Scalar {
  fileprivate var isPrintedByPython: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: self == " "
    default: true
    }
  }
}

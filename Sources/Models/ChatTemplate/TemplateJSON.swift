// `tojson`, as transformers has it: Python's `json.dumps`, which escapes no letters unasked.

import JSON
import System

/// Source: transformers, `chat_template_utils.py` (`ensure_ascii=False`), and Python's `json.encoder`.
struct TemplateJSONStyle {
  var indent: TemplateText?
  var itemSeparator = TemplateText(", ")
  var keySeparator = TemplateText(": ")
  var sortsKeys = false
  var isASCII = false
}

extension TemplateRun {
  func json(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
    let given = try arguments.bound(
      to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson", self)
    var style = TemplateJSONStyle()
    if let isASCII = given[0] { style.isASCII = try truth(of: isASCII) }
    switch given[1] {
    case .none?, nil: break
    case .text(let text)?: style.indent = text
    case let value?:
      guard case .integer(let count)? = TemplateNumber(value) else {
        throw failure("the indent of `tojson` is \(value.kind); expected an integer")
      }
      try charge(characters: max(0, count))
      style.indent = TemplateText(String(repeating: " ", count: max(0, count)))
    }
    if style.indent != nil { style.itemSeparator = TemplateText(",") }
    if let separators = given[2], !separators.isNone {
      let parts = try items(of: separators)
      guard parts.count == 2, case .text(let item) = parts[0], case .text(let key) = parts[1] else {
        throw failure("the separators of `tojson` are \(separators.kind); expected two strings")
      }
      (style.itemSeparator, style.keySeparator) = (item, key)
    }
    if let sorts = given[3] { style.sortsKeys = try truth(of: sorts) }
    var text = TemplateText()
    try append(value, style, level: 0, to: &text)
    return .text(text)
  }

  private func append(
    _ value: TemplateValue, _ style: TemplateJSONStyle, level: Int, to text: inout TemplateText
  ) throws {
    try chargeSteps()
    switch value {
    case .none: try append("null", to: &text)
    case .bool(let value): try append(value ? "true" : "false", to: &text)
    case .integer(let value): try append(String(value), to: &text)
    case .double(let value): try append(jsonSpelling(value), to: &text)
    case .text(let value): try appendQuoted(value, style, to: &text)
    case .list(let list) where list.kind == .list || list.kind == .tuple:
      try append("[", to: &text)
      for (index, item) in list.items.enumerated() {
        try appendBreak(isFirst: index == 0, style, level: level + 1, to: &text)
        try append(item, style, level: level + 1, to: &text)
      }
      if !list.items.isEmpty { try appendLine(style, level: level, to: &text) }
      try append("]", to: &text)
    case .dictionary(let dictionary):
      var members = dictionary.members
      if style.sortsKeys { members = try sorted(members, by: \.key) }
      try append("{", to: &text)
      for (index, member) in members.enumerated() {
        try appendBreak(isFirst: index == 0, style, level: level + 1, to: &text)
        try appendQuoted(try jsonKey(member.key), style, to: &text)
        try charge(characters: style.keySeparator.count)
        text += style.keySeparator
        try append(member.value, style, level: level + 1, to: &text)
      }
      if !members.isEmpty { try appendLine(style, level: level, to: &text) }
      try append("}", to: &text)
    case .undefined(let what): throw failure("\(what) is undefined, and cannot be written as JSON")
    default: throw failure("\(value.kind) cannot be written as JSON")
    }
  }

  private func append(_ word: String, to text: inout TemplateText) throws {
    try charge(characters: word.utf8.count)
    text += word
  }

  private func appendBreak(isFirst: Bool, _ style: TemplateJSONStyle, level: Int, to text: inout TemplateText)
    throws
  {
    if !isFirst {
      try charge(characters: style.itemSeparator.count)
      text += style.itemSeparator
    }
    try appendLine(style, level: level, to: &text)
  }

  private func appendLine(_ style: TemplateJSONStyle, level: Int, to text: inout TemplateText) throws {
    guard let indent = style.indent else { return }
    try append("\n", to: &text)
    for _ in 0..<level {
      try charge(characters: indent.count)
      text += indent
    }
  }

  private func jsonSpelling(_ value: Double) -> String {
    value.isNaN ? "NaN" : value.isInfinite ? (value > 0 ? "Infinity" : "-Infinity") : pythonSpelling(value)
  }

  private func jsonKey(_ key: TemplateValue) throws -> TemplateText {
    switch key {
    case .text(let text): text
    case .bool(let value): TemplateText(value ? "true" : "false")
    case .none: TemplateText("null")
    case .double(let value): TemplateText(jsonSpelling(value))
    default: try shown(key)
    }
  }

  private func appendQuoted(_ value: TemplateText, _ style: TemplateJSONStyle, to text: inout TemplateText)
    throws
  {
    try charge(characters: 2 * value.count + 2)
    text += "\""
    for character in value.characters {
      switch character.scalar {
      case "\"": text.characters += ["\\", "\""].map(character.with)
      case "\\": text.characters += ["\\", "\\"].map(character.with)
      case "\n": text.characters += ["\\", "n"].map(character.with)
      case "\r": text.characters += ["\\", "r"].map(character.with)
      case "\t": text.characters += ["\\", "t"].map(character.with)
      case "\u{8}": text.characters += ["\\", "b"].map(character.with)
      case "\u{C}": text.characters += ["\\", "f"].map(character.with)
      case let scalar where scalar.value < 0x20 || (style.isASCII && scalar.value > 0x7E):
        try chargeSteps(4)
        try charge(characters: 12)
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          let escape = "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
          text.characters += escape.unicodeScalars.map(character.with)
        }
      default: text.characters.append(character)
      }
    }
    text += "\""
  }
}

extension TemplateRun {
  func message(_ message: ChatMessage) throws -> TemplateDictionary {
    let text = message.templateText
    try charge(characters: text.count + message.role.unicodeScalars.count)
    let role = TemplateText(message.role, isField: !ChatMessage.knownRoles.contains(message.role))
    return try dictionary([(.text("role"), .text(role)), (.text("content"), .text(text))])
  }

  /// A value of a message or tool for a template.
  /// - Parameters:
  ///   - isField: whether its strings are text of a row, in which no special token is read.
  ///   - roles: values of a member `role` that are no such text.
  func value(_ json: JSON, isField: Bool, trusting roles: Set<String> = []) throws -> TemplateValue {
    switch json {
    case .null: return .none
    case .bool(let value): return .bool(value)
    case .int(let value): return .integer(Int(value))
    case .largeInteger(let digits): throw failure("the integer \(quoted(digits)) exceeds 64 bits")
    case .double(let value): return .double(value)
    case .string(let value):
      try charge(characters: value.unicodeScalars.count)
      return .text(TemplateText(value, isField: isField))
    case .array(let items):
      return .list(try list(items.map { try value($0, isField: isField, trusting: roles) }))
    case .object(let object):
      let members: [(key: TemplateValue, value: TemplateValue)] = try object.members.map { member in
        let isRole = member.key == "role" && member.value.stringValue.map(roles.contains) == true
        return (
          .text(TemplateText(member.key, isField: isField)),
          try value(member.value, isField: isField && !isRole, trusting: roles)
        )
      }
      // The keys of an object are distinct.
      try charge(items: 2 * members.count + 1)
      return .dictionary(
        TemplateDictionary(members: members, depth: try depth(ofItems: members.map(\.value))))
    }
  }
}

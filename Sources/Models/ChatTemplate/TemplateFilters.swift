// Filters: what can stand after `|`.

import Glibc
import System

/// Source: jinja2 3.1, `filters.py`.
extension TemplateRun {
  func filter(_ name: String, _ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue
  {
    func parameters(_ names: String..., needed: Int = 0) throws -> [TemplateValue?] {
      try arguments.bound(to: names, atLeast: needed, of: name, self)
    }
    switch name {
    case "tojson": return try json(value, arguments)
    case "string":
      _ = try parameters()
      return .text(try shown(value))
    case "upper", "lower", "title", "capitalize":
      _ = try parameters()
      let text = try shown(value)
      switch name {
      case "upper": return .text(try cased(text, \.uppercased))
      case "lower": return .text(try cased(text, \.lowercased))
      case "title": return .text(try cased(text, \.titledAfterSpace))
      default: return .text(try cased(text, \.capitalized))
      }
    case "trim":
      let text = try shown(value)
      try charge(characters: text.count)
      return .text(try stripped(text, try parameters("chars")[0], left: true, right: true))
    case "replace":
      let given = try parameters("old", "new", "count", needed: 2)
      let count = try given[2].map { $0.isNone ? -1 : try integer($0, name) } ?? -1
      return .text(
        try replaced(
          in: try shown(value), shown(given[0] ?? .none), with: shown(given[1] ?? .none), count: count))
    case "indent": return .text(try indented(value, try parameters("width", "first", "blank")))
    case "default", "d":
      let given = try parameters("default_value", "boolean")
      let isReplaced =
        try value.isUndefined || (given[1].map { try truth(of: $0) } ?? false && !truth(of: value))
      return isReplaced ? given[0] ?? .text("") : value
    case "int": return try int(value, try parameters("default", "base"))
    case "float":
      let otherwise = try parameters("default")[0] ?? .double(0)
      if case .undefined(let what) = value { throw failure("\(what) is undefined, and no float") }
      return try double(value).map { .double($0) } ?? otherwise
    case "abs":
      _ = try parameters()
      guard let number = TemplateNumber(value) else { throw failure("`abs` of \(value.kind)") }
      switch number {
      case .double(let value): return .double(value.magnitude)
      case .integer(let integer):
        return integer < 0 ? try arithmetic(.subtract, .integer(0), value) : .integer(integer)
      }
    case "length", "count", "first", "last", "list", "reverse", "items", "join", "sort", "dictsort", "unique",
      "min", "max", "sum", "map", "select", "reject", "selectattr", "rejectattr":
      return try filterItems(name, value, arguments)
    case "safe": throw failure("the filter `safe` is supported only at the end of an output")
    default: throw failure("the filter \(quoted(name)) is not supported")
    }
  }

  private func indented(_ value: TemplateValue, _ given: [TemplateValue?]) throws -> TemplateText {
    let indent: TemplateText
    switch given[0] ?? .integer(4) {
    case .text(let text): indent = text
    case let width:
      let count = max(0, try integer(width, "indent"))
      try charge(characters: count)
      indent = TemplateText(String(repeating: " ", count: count))
    }
    let text = try string(value, "indent")
    try charge(characters: text.count)
    let indentsFirst = try given[1].map { try truth(of: $0) } ?? false
    let indentsBlank = try given[2].map { try truth(of: $0) } ?? false
    try charge(items: text.characters.count(where: \.isLineEnd))
    var result = TemplateText()
    for (index, line) in TemplateText(text.characters + [TemplateCharacter("\n")]).lines.enumerated() {
      try charge(characters: line.count + indent.count + 1)
      if index > 0 { result += "\n" }
      if index > 0 ? indentsBlank || line.count > 0 : indentsFirst { result += indent }
      result += line
    }
    return result
  }

  private func int(_ value: TemplateValue, _ given: [TemplateValue?]) throws -> TemplateValue {
    let otherwise = given[0] ?? .integer(0)
    if let base = given[1], try !isEqual(base, .integer(10)) {
      throw failure("the filter `int` is supported only with base 10")
    }
    switch value {
    case .undefined(let what): throw failure("\(what) is undefined, and no integer")
    case .text(let text):
      try chargeSteps(text.count)
      let digits = text.numeral
      if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D }),
        digits.utf8.dropFirst().allSatisfy({ $0 >= 0x30 }), digits.utf8.last.map({ $0 >= 0x30 }) ?? false
      {
        guard let integer = Int(digits) else {
          throw failure("the integer \(quoted(digits)) exceeds 64 bits")
        }
        return .integer(integer)
      }
    default: break
    }
    if case .integer(let integer)? = TemplateNumber(value) { return .integer(integer) }
    guard let number = try double(value), !number.isNaN else { return otherwise }
    guard number.isFinite else {
      if case .text = value { return otherwise }
      throw failure("`int` of an infinite float")
    }
    guard let integer = Int(exactly: number.rounded(.towardZero)) else {
      throw failure("an integer exceeds 64 bits")
    }
    return .integer(integer)
  }

  /// Python's `float`; nil where it would fail.
  private func double(_ value: TemplateValue) throws -> Double? {
    switch TemplateNumber(value) {
    case .integer(let integer)?: return Double(integer)
    case .double(let double)?: return double
    case nil: break
    }
    guard case .text(let text) = value else { return nil }
    try chargeSteps(text.count)
    let numeral = text.numeral
    let isDecimal = numeral.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
    let word = numeral.lowercased().drop { $0 == "+" || $0 == "-" }
    guard isDecimal || ["inf", "infinity", "nan"].contains(word) else { return nil }
    return numeral.withCString { start in
      var end: UnsafeMutablePointer<CChar>?
      let value = strtod(start, &end)
      return end.map { $0.pointee == 0 && UnsafePointer($0) != start } ?? false ? value : nil
    }
  }
}

extension TemplateText {
  /// A number's text without white space around it and underscores between its digits.
  fileprivate var numeral: String {
    var numeral = ""
    let trimmed = Array(characters.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    for (index, character) in trimmed.enumerated() {
      let isBetween = index > 0 && index + 1 < trimmed.count
      let isSeparator =
        character.scalar == "_" && isBetween && trimmed[index - 1].isDigit && trimmed[index + 1].isDigit
      if !isSeparator { numeral.unicodeScalars.append(character.scalar) }
    }
    return numeral
  }
}

extension TemplateCharacter {
  fileprivate var isDigit: Bool { (0x30...0x39).contains(value) }
}

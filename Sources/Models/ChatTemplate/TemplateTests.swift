// What can stand after `is`.

import System

extension TemplateRun {
  private static let comparisons: [String: TemplateComparison] = [
    "eq": .equal, "equalto": .equal, "ne": .notEqual, "lt": .less, "lessthan": .less, "le": .lessOrEqual,
    "gt": .greater, "greaterthan": .greater, "ge": .greaterOrEqual,
  ]

  func test(_ name: String, _ value: TemplateValue, _ arguments: TemplateArguments) throws -> Bool {
    func other() throws -> TemplateValue {
      try arguments.bound(to: ["other"], atLeast: 1, of: name, self)[0] ?? .none
    }
    if let comparison = TemplateComparison(rawValue: name) ?? Self.comparisons[name] {
      return try compare(value, comparison, try other())
    }
    if name == "divisibleby" { return try isZero(arithmetic(.remainder, value, try other())) }
    guard arguments.positional.isEmpty, arguments.named.isEmpty else {
      throw failure("the test \(quoted(name)) is not supported with arguments")
    }
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": return value.isNone
    case "string": if case .text = value { return true }
    case "mapping": if case .dictionary = value { return true }
    case "boolean": if case .bool = value { return true }
    case "true": if case .bool(true) = value { return true }
    case "false": if case .bool(false) = value { return true }
    case "integer": if case .integer = value { return true }
    case "float": if case .double = value { return true }
    case "number": return TemplateNumber(value) != nil
    case "odd": return try isEqual(try arithmetic(.remainder, value, .integer(2)), .integer(1))
    case "even": return try isZero(arithmetic(.remainder, value, .integer(2)))
    case "iterable":
      switch value {
      case .undefined, .text, .list, .dictionary, .iterator, .loop: return true
      default: return false
      }
    case "sequence":
      switch value {
      case .undefined, .text, .dictionary: return true
      case .list(let list): return list.kind != .view
      default: return false
      }
    case "callable":
      switch value {
      case .macro, .function, .method: return true
      default: return false
      }
    default: throw failure("the test \(quoted(name)) is not supported")
    }
    return false
  }

  private func isZero(_ value: TemplateValue) throws -> Bool { try isEqual(value, .integer(0)) }
}

// What an expression of a template gives.

enum TemplateValue {
  /// With what is undefined, for a message.
  case undefined(String)
  case none
  case bool(Bool)
  case integer(Int)
  case double(Double)
  case text(TemplateText)
  case list(TemplateList)
  case dictionary(TemplateDictionary)
  case namespace(TemplateNamespace)
  case iterator(TemplateIterator)
  case loop(TemplateLoop)
  case macro(TemplateMacroValue)
  /// A function that every template has, by name.
  case function(String)
  /// A method that is looked at, not called; see `TemplateMethods.swift`.
  case method(String)

  static func text(_ string: String) -> TemplateValue { .text(TemplateText(string)) }

  /// In the words of an error message.
  var kind: String {
    switch self {
    case .undefined: "an undefined value"
    case .none: "none"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .double: "a float"
    case .text: "a string"
    case .list(let list): list.kind.words
    case .dictionary: "a dictionary"
    case .namespace: "a namespace"
    case .iterator: "a generator"
    case .loop: "a loop"
    case .macro: "a macro"
    case .function: "a function"
    case .method: "a method"
    }
  }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }
  var isNone: Bool { if case .none = self { true } else { false } }

  /// Levels of lists and dictionaries; nil for what only a name may hold.
  var depth: Int? {
    switch self {
    case .list(let list): list.depth
    case .dictionary(let dictionary): dictionary.depth
    case .namespace, .iterator, .loop, .macro, .function, .method: nil
    default: 0
    }
  }
}

/// A list, or what else has items in an order.
struct TemplateList {
  enum Kind {
    case list, tuple, range
    /// What `items`, `keys` and `values` of a dictionary give.
    case view

    var words: String {
      switch self {
      case .list: "a list"
      case .tuple: "a tuple"
      case .range: "a range"
      case .view: "a dictionary's view"
      }
    }
  }
  let kind: Kind
  let items: [TemplateValue]
  let depth: Int
}

/// Members in the order of their insertion. Keys are strings, numbers and booleans.
struct TemplateDictionary {
  let members: [(key: TemplateValue, value: TemplateValue)]
  let depth: Int
}

/// What `namespace()` gives: attributes that a template may set, also from inside a loop.
final class TemplateNamespace {
  private var attributes: [String: TemplateValue] = [:]

  func value(of name: String) -> TemplateValue? { attributes[name] }
  func set(_ name: String, to value: TemplateValue) { attributes[name] = value }
}

/// What filters like `map` give: its items can be had once.
final class TemplateIterator {
  private var items: ArraySlice<TemplateValue>
  init(_ items: [TemplateValue]) { self.items = items[...] }

  func next() -> TemplateValue? { items.popFirst() }

  /// All that were not had.
  func rest() -> [TemplateValue] {
    defer { items = [] }
    return Array(items)
  }
}

/// `loop` inside a `for`.
final class TemplateLoop {
  let items: [TemplateValue]
  /// Of the round, from 0.
  var index = 0
  /// What `loop.changed` was given last.
  var changed: [TemplateValue]?
  init(_ items: [TemplateValue]) { self.items = items }
}

/// A macro with the scope that it was defined in.
final class TemplateMacroValue {
  let macro: TemplateMacro
  let scope: TemplateScope
  init(_ macro: TemplateMacro, _ scope: TemplateScope) {
    self.macro = macro
    self.scope = scope
  }
}

/// Names and their values. A name that is not here is looked up outside; what is set stays here.
final class TemplateScope {
  private var values: [String: TemplateValue] = [:]
  let outer: TemplateScope?
  /// Scopes around it.
  let depth: Int

  init(inside outer: TemplateScope?) {
    self.outer = outer
    depth = outer.map { $0.depth + 1 } ?? 0
  }

  func value(of name: String) -> TemplateValue? {
    var scope: TemplateScope? = self
    while let current = scope {
      if let value = current.values[name] { return value }
      scope = current.outer
    }
    return nil
  }

  func set(_ name: String, to value: TemplateValue) { values[name] = value }

  /// Macros hold their scope, which holds them: without this neither would ever be freed.
  func removeAll() { values = [:] }
}

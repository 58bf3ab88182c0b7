// A YAML document as values: nodes that know where they were written.

import JSON

/// One node. Aliases are already replaced by what they stand for, `<<` by what it brings.
package struct Node: Sendable {
  package enum Content: Sendable {
    case scalar(Scalar)
    case sequence([Node])
    case mapping([MappingEntry])
    /// Something already reported as wrong stood here; to be passed over in silence.
    case invalid
  }
  package var content: Content
  /// Where it was written.
  package var span: SourceSpan
  /// Where its value comes from, when that is elsewhere: the parameter that a `$name` names.
  package var origin: SourceSpan?

  package init(_ content: Content, span: SourceSpan, origin: SourceSpan? = nil) {
    self.content = content
    self.span = span
    self.origin = origin
  }
}

package struct Scalar: Sendable {
  /// As written, after unquoting.
  package var text: String
  package var value: ScalarValue
  package var isQuoted: Bool
  package init(text: String, value: ScalarValue, isQuoted: Bool = false) {
    self.text = text
    self.value = value
    self.isQuoted = isQuoted
  }
}

package struct MappingEntry: Sendable {
  package var key: String
  package var keySpan: SourceSpan
  package var value: Node
}

extension [MappingEntry] {
  /// Where the entry of this key stands. No entry is copied on the way.
  func index(of key: String) -> Int? { indices.first { UTF8Key(self[$0].key) == UTF8Key(key) } }
}

extension Node {
  var isInvalid: Bool { if case .invalid = content { true } else { false } }
  var isNull: Bool {
    if case .scalar(let scalar) = content { scalar.value == .null } else { false }
  }
  var entries: [MappingEntry]? {
    if case .mapping(let entries) = content { entries } else { nil }
  }
  var elements: [Node]? { if case .sequence(let nodes) = content { nodes } else { nil } }
  var scalar: Scalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
  /// A scalar that is a string.
  package var string: String? { if case .string(let text) = scalar?.value { text } else { nil } }

  package subscript(key: String) -> Node? {
    guard case .mapping(let entries) = content, let index = entries.index(of: key) else { return nil }
    return entries[index].value
  }

  /// In the words of an error message: `the string "abc"`, `a list`.
  var found: String {
    switch content {
    case .invalid: return "nothing"
    case .sequence(let nodes): return nodes.isEmpty ? "an empty list" : "a list"
    case .mapping(let entries): return entries.isEmpty ? "an empty mapping" : "a mapping"
    case .scalar(let scalar):
      if case .null = scalar.value { return "null" }
      let text =
        scalar.text.unicodeScalars.count > 40
        ? String(String.UnicodeScalarView(scalar.text.unicodeScalars.prefix(40))) + "…" : scalar.text
      let kind = scalar.value.kind
      return "the \(kind.split(separator: " ").last ?? "value") `\(text)`"
    }
  }

  /// Itself and everything below.
  var count: Int {
    switch content {
    case .scalar, .invalid: 1
    case .sequence(let nodes): nodes.reduce(1) { $0 + $1.count }
    case .mapping(let entries): entries.reduce(1) { $0 + 1 + $1.value.count }
    }
  }

  /// The same value as JSON. Nil when it holds something invalid or a number that is not finite.
  package var json: JSON? {
    switch content {
    case .invalid: return nil
    case .scalar(let scalar):
      switch scalar.value {
      case .null: return .null
      case .bool(let value): return .bool(value)
      case .int(let value): return .int(value)
      case .double(let value): return value.isFinite ? .double(value) : nil
      case .largeInteger: return nil
      case .string(let value): return .string(value)
      }
    case .sequence(let nodes):
      var elements: [JSON] = []
      for node in nodes {
        guard let element = node.json else { return nil }
        elements.append(element)
      }
      return .array(elements)
    case .mapping(let entries):
      var members: [JSONObject.Member] = []
      for entry in entries {
        guard let value = entry.value.json else { return nil }
        members.append((entry.key, value))
      }
      return .object(JSONObject(members))
    }
  }
}

// An option of a stage with the Swift type of its values: declared once as a constant, read by that constant.

import JSON

/// ```
/// static let minimum = StageOption("minimum", .integer(0...100), default: 1, summary: "the fewest words")
/// ```
/// stands in the declaration as `minimum.field` and is read as `context.options[Self.minimum]`, an `Int`.
public struct StageOption<Value>: Sendable {
  public let field: OptionField
  private let type: OptionValueType<Value>

  /// A required option.
  public init(_ name: String, _ type: OptionValueType<Value>, aliases: [String] = [], summary: String) {
    self.type = type
    field = OptionField(name, type.type, aliases: aliases, summary: summary)
  }

  /// - Parameters:
  ///   - original: the default under `compat: original`, where it is another one.
  ///   - addedLater: whether experiments were run before the stage had the option: their results keep their keys.
  /// - Precondition: the defaults are values of this type, complete where they are objects.
  public init(
    _ name: String, _ type: OptionValueType<Value>, default value: JSON, original: JSON? = nil,
    addedLater: Bool = false, aliases: [String] = [], summary: String
  ) {
    self.type = type
    field = OptionField(
      name, type.type, default: value, original: original, addedLater: addedLater, aliases: aliases,
      summary: summary)
    for value in [value, original].compactMap({ $0 }) {
      precondition(
        type.decode(value) != nil, "option `\(name)`: its default \(value.text()) is not of its type")
    }
  }

  /// Where not all options need be right yet: nil for what was written wrongly, and for a secret. A list lacks such elements.
  public func value(in options: JSON) -> Value? {
    options[field.name].flatMap(field.type.known).flatMap(type.decode)
  }

  fileprivate func value(of json: JSON) -> Value {
    guard let written = json[field.name] ?? (field.isAddedLater ? field.defaultValue : nil) else {
      preconditionFailure("option `\(field.name)` is not declared")
    }
    guard let value = type.decode(written) else {
      preconditionFailure("option `\(field.name)` is \(written.kind)")
    }
    return value
  }
}

extension StageOptions {
  /// The option's value; of `{env: NAME}` the variable's, which the worker alone is given.
  /// - Precondition: the option is in the stage's declaration.
  public subscript<Value>(_ option: StageOption<Value>) -> Value { option.value(of: json) }
}

extension OptionType {
  /// What is known of a decoded value before its stage runs: nil for a secret and for what was written wrongly. A list keeps its other
  /// elements, a mapping its other members, an object has its default there.
  fileprivate func known(_ value: JSON) -> JSON? {
    switch (self, value) {
    case (.optional, .null), (.bool, .bool), (.integer, .int), (.number, .int), (.number, .double),
      (.string, .string), (.file, .string), (.files, .string), (.files, .array), (.files, .object):
      value
    case (.choice(let words), .string(let word)):
      words.contains { UTF8Key($0) == UTF8Key(word) } ? value : nil
    case (.optional(let inner), _): inner.known(value)
    case (.list(let element, _), .array(let values)): .array(values.compactMap(element.known))
    case (.mapping(let element, _), .object(let object)):
      .object(
        JSONObject(object.members.compactMap { name, value in element.known(value).map { (name, $0) } }))
    case (.object(let fields), .object(let members)): Self.known(members, fields)
    case (.variant(let variants), .object(let members)):
      variants.first { $0.kind == members["kind"]?.stringValue }.flatMap { Self.known(members, $0.fields) }
    case (.either(let types), _): types.lazy.compactMap { $0.known(value) }.first
    default: nil
    }
  }

  private static func known(_ members: JSONObject, _ fields: [OptionField]) -> JSON? {
    var result = JSONObject()
    result["kind"] = members["kind"]
    for field in fields {
      guard let value = members[field.name].flatMap(field.type.known) ?? field.defaultValue else {
        return nil
      }
      result[field.name] = value
    }
    return members.keys.allSatisfy { result[$0] != nil } ? .object(result) : nil
  }
}

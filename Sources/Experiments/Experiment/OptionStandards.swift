// What options are that an experiment does not write: `compat:` at its top chooses between two sets of defaults, and does nothing else.

import JSON

/// Whose defaults the options have that differ. They are filled in before keys are made: a key holds the options, and no stage asks.
package enum Compatibility: String, CaseIterable, Sendable {
  /// Those of the systems that the methods come from, with their hazards. Source: METHODS 4.2.
  case original
  /// Ours, the declared ones.
  case fixed
}

/// The defaults of an experiment's options.
struct OptionStandards {
  var compatibility: Compatibility = .fixed
  /// Where the experiment says so.
  var span: SourceSpan?

  /// As decoding would have given it, with every default inside; nil for a required option.
  func value(of field: OptionField) -> JSON? {
    (compatibility == .original ? field.originalDefault ?? field.defaultValue : field.defaultValue).map {
      normalized($0, field.type)
    }
  }

  /// Integers where a number is wanted become doubles, nested objects are completed.
  func normalized(_ value: JSON, _ type: OptionType) -> JSON {
    switch type {
    case .number: return value.doubleValue.map { .double($0) } ?? value
    case .optional(let inner): return value.isNull ? value : normalized(value, inner)
    case .list(let element, _):
      return value.arrayValue.map { .array($0.map { normalized($0, element) }) } ?? value
    case .mapping(let element, _):
      return value.objectValue.map {
        .object(JSONObject($0.members.map { ($0.key, normalized($0.value, element)) }))
      } ?? value
    case .object(let fields): return completed(value, fields)
    case .variant(let variants):
      guard let kind = value["kind"]?.stringValue, let variant = variants.first(where: { $0.kind == kind })
      else { return value }
      return completed(value, variant.fields)
    case .either(let types):
      return types.first { Self.fits(value, $0) }.map { normalized(value, $0) } ?? value
    case .bool, .integer, .string, .choice, .file, .files: return value
    }
  }

  private func completed(_ value: JSON, _ fields: [OptionField]) -> JSON {
    guard let members = value.objectValue else { return value }
    var result = JSONObject()
    result["kind"] = members["kind"]
    for field in fields {
      guard let value = members[field.name].map({ normalized($0, field.type) }) ?? self.value(of: field)
      else { continue }
      if !field.isLeftOut(value) { result[field.name] = value }
    }
    return .object(result)
  }

  private static func fits(_ value: JSON, _ type: OptionType) -> Bool {
    switch (value, type) {
    case (.null, .optional): true
    case (_, .optional(let inner)): fits(value, inner)
    case (_, .either(let types)): types.contains { fits(value, $0) }
    case (.bool, .bool), (.string, .string), (.string, .file), (.string, .files), (.array, .files),
      (.object, .files),
      (.array, .list):
      true
    case (.object, .mapping): true
    case (.object(let object), .object(let fields)):
      object.keys.allSatisfy { key in fields.contains { UTF8Key($0.name) == UTF8Key(key) } }
    case (.object, .variant(let variants)):
      variants.contains { UTF8Key($0.kind) == UTF8Key(value["kind"]?.stringValue ?? "") }
    case (.int, .integer(let range)): value.intValue.map { range.contains($0) } ?? false
    case (.int, .number), (.double, .number): true
    case (.string(let word), .choice(let words)): words.contains(word)
    default: false
    }
  }

  /// Which parts of a value are not as the declared default is: dotted paths.
  static func differences(_ value: JSON, from standard: JSON?, at path: String) -> [String] {
    guard let members = value.objectValue?.members, !members.isEmpty else {
      return value == standard ? [] : [path]
    }
    return members.flatMap { name, value in
      differences(value, from: standard?[name], at: "\(path).\(name)")
    }
  }
}

extension OptionField {
  /// A right value as decoding would have given it, with every default inside.
  package func completed(_ value: JSON) -> JSON { OptionStandards().normalized(value, type) }

  /// Whether decoded options lack it with this value, so that older keys hold.
  func isLeftOut(_ value: JSON) -> Bool { isAddedLater && value == OptionStandards().value(of: self) }
}

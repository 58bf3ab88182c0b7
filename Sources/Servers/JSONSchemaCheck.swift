// Whether a reply satisfies a JSON schema: checked here always, since a server may accept a schema and ignore it.

import JSON
import System

/// The part of JSON Schema that people use for structured output; what is not known is refused before anything is asked.
package enum JSONSchemaCheck {
  /// What is wrong with a schema; nil where all of it is understood.
  package static func problem(in schema: JSON) -> String? { problem(schema, "schema", depth: 0) }

  /// Why a value does not satisfy a schema; nil where it does. Names the place: `$.scores[2]`.
  /// - Parameter schema: one in which `problem` found nothing.
  package static func failure(_ value: JSON, _ schema: JSON) -> String? { failure(value, schema, "$") }

  /// Whether a server that insists on strict schemas takes it: each object lists all of its members, and has no others.
  package static func isStrict(_ schema: JSON) -> Bool {
    guard let object = schema.objectValue else { return false }
    if let properties = object["properties"]?.objectValue {
      let required = Set(
        (object["required"]?.arrayValue ?? []).compactMap { $0.stringValue.map(UTF8Key.init) })
      guard object["additionalProperties"]?.boolValue == false,
        properties.members.allSatisfy({ required.contains(UTF8Key($0.key)) && isStrict($0.value) })
      else { return false }
    } else if object["type"]?.stringValue == "object" {
      return false
    }
    if let items = object["items"], !isStrict(items) { return false }
    return (object["anyOf"]?.arrayValue ?? []).allSatisfy(isStrict)
  }

  private static let types = ["null", "boolean", "integer", "number", "string", "array", "object"]
  /// Words that say nothing of which values are right.
  private static let notes: Set<String> = [
    "title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated", "format",
  ]

  // MARK: - Schemas

  private static func problem(_ schema: JSON, _ path: String, depth: Int) -> String? {
    if schema.boolValue != nil { return nil }
    guard let object = schema.objectValue else { return "`\(path)` is \(schema.kind); expected an object" }
    guard depth < 32 else { return "`\(path)` is nested too deeply" }
    for (name, value) in object.members {
      let inner = "\(path).\(name)"
      func expected(_ what: String) -> String { "`\(inner)` is \(value.kind); expected \(what)" }
      switch name {
      case "type":
        let names = value.arrayValue ?? [value]
        for name in names {
          guard let text = name.stringValue, types.contains(text) else {
            return "`\(inner)` has \(name.text()); expected one of: \(types.joined(separator: ", "))"
          }
        }
      case "properties":
        guard let members = value.objectValue else { return expected("an object") }
        for (key, member) in members.members {
          if let problem = problem(member, "\(inner).\(key)", depth: depth + 1) { return problem }
        }
      case "required":
        guard let names = value.arrayValue, names.allSatisfy({ $0.stringValue != nil }) else {
          return expected("a list of names")
        }
      case "additionalProperties", "items":
        if let problem = problem(value, inner, depth: depth + 1) { return problem }
      case "enum":
        guard value.arrayValue?.isEmpty == false else { return expected("a list of values") }
      case "anyOf":
        guard let choices = value.arrayValue, !choices.isEmpty else { return expected("a list of schemas") }
        for (index, choice) in choices.enumerated() {
          if let problem = problem(choice, "\(inner)[\(index)]", depth: depth + 1) { return problem }
        }
      case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
        guard value.doubleValue != nil else { return expected("a number") }
      case "minLength", "maxLength", "minItems", "maxItems":
        guard let count = value.intValue, count >= 0 else { return expected("a count") }
      case "const": break
      case "$ref", "$defs", "definitions":
        return "`\(inner)` is not supported: write the schema out where it is used"
      default:
        if !notes.contains(name) {
          return
            "`\(path)` has \(quoted(name)), which is not checked here; the reply would be taken as it comes"
        }
      }
    }
    return nil
  }

  // MARK: - Values

  private static func failure(_ value: JSON, _ schema: JSON, _ path: String) -> String? {
    if let isAnything = schema.boolValue { return isAnything ? nil : "`\(path)` must not be there" }
    guard let object = schema.objectValue else { return nil }
    if let type = object["type"] {
      let names = (type.arrayValue ?? [type]).compactMap(\.stringValue)
      guard names.contains(where: { isOf(value, $0) }) else {
        return "`\(path)` is \(value.kind); expected \(names.map(words).joined(separator: " or "))"
      }
    }
    if let values = object["enum"]?.arrayValue, !values.contains(value) {
      return "`\(path)` is \(excerpt(value)); expected one of: \(list(values))"
    }
    if let constant = object["const"], constant != value {
      return "`\(path)` is \(excerpt(value)); expected \(excerpt(constant))"
    }
    if let choices = object["anyOf"]?.arrayValue {
      let failures = choices.map { failure(value, $0, path) }
      if !failures.contains(where: { $0 == nil }) {
        return "`\(path)` is none of \(choices.count) choices: \(failures.compactMap { $0 }.first ?? "")"
      }
    }
    if let number = value.doubleValue, let problem = range(number, object, path) { return problem }
    if let text = value.stringValue {
      // In code points, as the standard counts.
      let problem = count(text.unicodeScalars.count, object, "Length", "characters", path)
      if let problem { return problem }
    }
    if let elements = value.arrayValue {
      if let problem = count(elements.count, object, "Items", "elements", path) { return problem }
      if let items = object["items"] {
        for (index, element) in elements.enumerated() {
          if let problem = failure(element, items, "\(path)[\(index)]") { return problem }
        }
      }
    }
    if let members = value.objectValue { return failure(members, object, path) }
    return nil
  }

  private static func failure(_ members: JSONObject, _ schema: JSONObject, _ path: String) -> String? {
    for name in (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue) where members[name] == nil {
      return "`\(path)` has no \(quoted(name))"
    }
    let properties = schema["properties"]?.objectValue ?? JSONObject()
    for (name, value) in members.members {
      let inner = "\(path).\(String(quoted(name).dropFirst().dropLast()))"
      if let property = properties[name] {
        if let problem = failure(value, property, inner) { return problem }
      } else if let others = schema["additionalProperties"] {
        if others.boolValue == false {
          return "`\(path)` has \(quoted(name)), which the schema does not name"
        }
        if let problem = failure(value, others, inner) { return problem }
      }
    }
    return nil
  }

  private static func range(_ number: Double, _ schema: JSONObject, _ path: String) -> String? {
    let bounds: [(name: String, words: String, holds: (Double, Double) -> Bool)] = [
      ("minimum", "at least", { $0 >= $1 }), ("maximum", "at most", { $0 <= $1 }),
      ("exclusiveMinimum", "more than", { $0 > $1 }), ("exclusiveMaximum", "less than", { $0 < $1 }),
    ]
    for bound in bounds {
      guard let limit = schema[bound.name], let value = limit.doubleValue, !bound.holds(number, value) else {
        continue
      }
      return "`\(path)` is \(JSON.double(number).text()); expected \(bound.words) \(limit.text())"
    }
    return nil
  }

  private static func count(
    _ count: Int, _ schema: JSONObject, _ name: String, _ unit: String, _ path: String
  ) -> String? {
    if let least = schema["min\(name)"]?.intValue, count < least {
      return "`\(path)` has \(count) \(unit); expected at least \(least)"
    }
    if let most = schema["max\(name)"]?.intValue, count > most {
      return "`\(path)` has \(count) \(unit); expected at most \(most)"
    }
    return nil
  }

  private static func isOf(_ value: JSON, _ type: String) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array), ("object", .object):
      true
    case ("number", .int), ("number", .largeInteger), ("number", .double): true
    case ("integer", .int), ("integer", .largeInteger): true
    case ("integer", .double(let number)): number == number.rounded()
    default: false
    }
  }

  private static func words(_ type: String) -> String {
    switch type {
    case "null": "null"
    case "array": "a list"
    case "integer", "object": "an \(type)"
    default: "a \(type)"
    }
  }

  private static func excerpt(_ value: JSON) -> String { quoted(value.text(), limit: 60) }

  private static func list(_ values: [JSON]) -> String {
    values.prefix(8).map { $0.text() }.joined(separator: ", ") + (values.count > 8 ? ", …" : "")
  }
}

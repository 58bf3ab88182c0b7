// JSON Schema of what options and keys of the language may be.

import JSON

/// A parameter may stand for any value, so every schema here takes one in its place.
enum OptionSchema {
  static let name = "[A-Za-z_][A-Za-z0-9_-]*"
  /// `$name` or `${name}` and nothing else.
  static let parameterDefinition: JSON = [
    "description": "a parameter: `$name`", "type": "string",
    "pattern": .string("^\\$(\(name)|\\{\(name)\\})$"),
  ]
  /// `${name}` somewhere inside.
  static let insertionDefinition: JSON = [
    "description": "a text with parameters: `${name}`", "type": "string",
    "pattern": .string("^\\$\(name)$|(^|[^$])\\$\\{\(name)\\}"),
  ]
  static let environmentDefinition: JSON = [
    "description": "an environment variable: `{env: NAME}`", "type": "object",
    "properties": ["env": ["type": "string"]], "required": ["env"], "additionalProperties": false,
  ]

  static func reference(_ definition: String) -> JSON { ["$ref": .string("#/$defs/\(definition)")] }

  /// One of these, or a parameter.
  static func orParameter(_ schemas: JSON...) -> JSON {
    ["anyOf": .array(schemas + [reference("parameter")])]
  }

  /// A mapping with these keys and no others.
  static func object(_ properties: JSONObject, required: [String]) -> JSON {
    var schema = JSONObject([
      ("type", "object"), ("properties", .object(properties)), ("additionalProperties", false),
    ])
    if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
    return .object(schema)
  }

  static func described(_ schema: JSON, _ summary: String, default value: JSON? = nil) -> JSON {
    var members = JSONObject([("description", .string(summary))])
    members["default"] = value
    for member in schema.objectValue?.members ?? [] where member.key != "description" {
      members[member.key] = member.value
    }
    return .object(members)
  }

  static func object(of fields: [OptionField], kind: String? = nil) -> JSON {
    var properties = JSONObject()
    if let kind { properties["kind"] = ["const": .string(kind)] }
    for field in fields {
      properties[field.name] = described(schema(field.type), field.summary, default: field.defaultValue)
    }
    return object(
      properties,
      required: (kind == nil ? [] : ["kind"]) + fields.filter { $0.defaultValue == nil }.map(\.name))
  }

  static func schema(_ type: OptionType) -> JSON {
    switch type {
    case .bool: orParameter(["type": "boolean"])
    case .integer(let range): orParameter(integer(range))
    case .number(let range, let exclusiveMinimum, _):
      orParameter(number(range, exclusiveMinimum: exclusiveMinimum))
    case .string, .file: ["anyOf": [["type": "string"], reference("environment")]]
    case .files: orParameter(files, ["type": "array", "items": files, "minItems": 1])
    case .choice(let words): choice(words)
    case .list(let element, let count):
      orParameter([
        "type": "array", "items": schema(element), "minItems": .int(Int64(count.lowerBound)),
        "maxItems": .int(Int64(count.upperBound)),
      ])
    case .mapping(let element, let count):
      orParameter([
        "type": "object", "additionalProperties": schema(element),
        "minProperties": .int(Int64(count.lowerBound)), "maxProperties": .int(Int64(count.upperBound)),
      ])
    case .object(let fields): orParameter(object(of: fields))
    case .variant(let variants):
      orParameter([
        "type": "object", "required": ["kind"],
        "oneOf": .array(
          variants.map { described(object(of: $0.fields, kind: $0.kind), $0.summary) }),
      ])
    case .optional(let inner): ["anyOf": [["type": "null"], schema(inner)]]
    case .either(let types): ["anyOf": .array(types.map { schema($0) })]
    }
  }

  /// One entry of data files.
  private static let files: JSON = [
    "anyOf": [
      ["type": "string", "not": ["pattern": .string("^\(RemoteDataSet.scheme)")]],
      object(
        JSONObject([
          (
            "hf",
            [
              "anyOf": [
                [
                  "type": "string",
                  "pattern": .string("^(\(RemoteDataSet.scheme))?\(RemoteDataSet.pattern)$"),
                ], reference("insertion"),
              ]
            ]
          ),
          (
            "sha256",
            ["anyOf": [["type": "string", "pattern": "^[0-9A-Fa-f]{64}$"], reference("insertion")]]
          ),
        ]), required: ["hf", "sha256"]),
    ]
  ]

  static func choice(_ words: [String]) -> JSON {
    ["anyOf": [["enum": .array(words.map { .string($0) })], reference("insertion")]]
  }

  static func integer(_ range: ClosedRange<Int>) -> JSON {
    var schema = JSONObject([("type", "integer")])
    if range.lowerBound != .min { schema["minimum"] = .int(Int64(range.lowerBound)) }
    if range.upperBound != .max { schema["maximum"] = .int(Int64(range.upperBound)) }
    return .object(schema)
  }

  static func number(_ range: ClosedRange<Double>, exclusiveMinimum: Bool) -> JSON {
    var schema = JSONObject([("type", "number")])
    if range.lowerBound > -1e300 {
      schema[exclusiveMinimum ? "exclusiveMinimum" : "minimum"] = .double(range.lowerBound)
    }
    if range.upperBound < 1e300 { schema["maximum"] = .double(range.upperBound) }
    return .object(schema)
  }
}

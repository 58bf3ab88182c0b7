// The JSON Schema (2020-12) of an experiment: the language's keys, and for each kind of stage its inputs and options.

import JSON
import System

/// Refuses what `check` refuses for its shape: unknown and missing keys, wrong types, numbers out of range, unknown words.
/// What names mean, it does not know. Of a file that `extends` another only the keys at its top are judged, since any
/// part of the rest may stand in the other.
package struct ExperimentSchema {
  let registry: StageRegistry
  package init(_ registry: StageRegistry) { self.registry = registry }

  private static let name = "^\(OptionSchema.name)$"

  package var json: JSON {
    // Stages may all come from an included file.
    var whole = keys(Language.experiment).objectValue ?? JSONObject()
    whole["required"] = .array(
      Language.experiment.filter { $0.isRequired && $0.name != "stages" }.map { .string($0.name) })
    whole["anyOf"] = [["required": ["stages"]], ["required": ["include"]]]
    let top = JSONObject(Language.experiment.names.map { ($0, true as JSON) })
    var definitions = JSONObject([
      ("parameter", OptionSchema.parameterDefinition), ("insertion", OptionSchema.insertionDefinition),
      ("environment", OptionSchema.environmentDefinition), ("model", model), ("stages", stages),
      ("member", member), ("condition", OptionSchema.orParameter(condition)),
      ("matrix", OptionSchema.orParameter(matrix)), ("group", keys(Language.group + [Language.matrix])),
    ])
    for stage in registry.stages {
      definitions["stage.\(stage.declaration.name)"] = self.stage(
        stage.declaration, portsFollowOptions: stage.portsFollowOptions)
    }
    return [
      "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "An experiment for plumb",
      "type": "object", "if": ["required": ["extends"]],
      "then": OptionSchema.object(top, required: []), "else": .object(whole), "$defs": .object(definitions),
    ]
  }

  // MARK: the language

  private func keys(_ keys: [LanguageKey]) -> JSON {
    OptionSchema.object(
      JSONObject(keys.map { ($0.name, OptionSchema.described(schema($0.shape), $0.summary)) }),
      required: keys.filter(\.isRequired).map(\.name))
  }

  private func schema(_ shape: LanguageShape) -> JSON {
    switch shape {
    case .version: ["const": 1]
    case .integer(let range): OptionSchema.orParameter(OptionSchema.integer(range))
    case .number(let range, let exclusiveMinimum):
      OptionSchema.orParameter(OptionSchema.number(range, exclusiveMinimum: exclusiveMinimum))
    case .string: ["type": "string"]
    case .choice(let words): OptionSchema.choice(words)
    case .numericMode: OptionSchema.choice(registry.numericModes)
    case .experimentName:
      [
        "anyOf": [
          ["type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$"],
          OptionSchema.reference("insertion"),
        ]
      ]
    case .time: quantity(.time)
    case .bytes: quantity(.size)
    case .digest:
      ["anyOf": [["type": "string", "pattern": "^[0-9A-Fa-f]{64}$"], OptionSchema.reference("insertion")]]
    case .remote(let scheme):
      [
        "anyOf": [
          ["type": "string", "pattern": .string("^(\(scheme.rawValue):)?\(scheme.pattern)$")],
          OptionSchema.reference("insertion"),
        ]
      ]
    case .reference: ["type": "string"]
    case .optional(let inner): ["anyOf": [["type": "null"], schema(inner)]]
    case .keys(let keys): OptionSchema.orParameter(self.keys(keys))
    case .named(let inner):
      [
        "type": ["object", "null"],
        "propertyNames": ["pattern": .string(Self.name), "maxLength": 100],
        "additionalProperties": schema(inner),
      ]
    case .list(let element): ["type": "array", "items": schema(element)]
    case .oneOrMore(let element): ["anyOf": [schema(element), ["type": "array", "items": schema(element)]]]
    case .model: OptionSchema.reference("model")
    case .stages: OptionSchema.reference("stages")
    case .condition: OptionSchema.reference("condition")
    case .bound: ["type": ["number", "string"]]
    case .matrix: OptionSchema.reference("matrix")
    case .anything: true
    }
  }

  /// A positive number, or one with a unit.
  private func quantity(_ units: Units) -> JSON {
    let number = "\\+?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?"
    return OptionSchema.orParameter(
      ["type": "number", "exclusiveMinimum": 0],
      ["type": "string", "pattern": .string("^(?=[^eE]*[1-9])\(number)\(units.pattern)$")],
      OptionSchema.reference("insertion"))
  }

  /// At least one comparison, and a tolerance only of equality.
  private var condition: JSON {
    var schema = keys(Language.condition).objectValue ?? JSONObject()
    schema["anyOf"] = .array(Language.comparisons.map { ["required": [.string($0.name)]] })
    schema["dependentRequired"] = ["within": ["equals"]]
    return .object(schema)
  }

  /// At least one axis, or else a cell that names them all.
  private var matrix: JSON {
    let scalar: JSON = ["type": ["null", "boolean", "number", "string"]]
    let words = Language.cells.map { ($0.name, $0.summary) }
    let cells: JSON = [
      "anyOf": [["type": "null"], ["type": "array", "items": ["type": "object", "minProperties": 1]]]
    ]
    return [
      "type": "object", "propertyNames": ["pattern": .string(Self.name), "maxLength": 100],
      "properties": .object(JSONObject(words.map { ($0.0, OptionSchema.described(cells, $0.1)) })),
      "additionalProperties": OptionSchema.orParameter(
        ["type": "array", "minItems": 1, "items": scalar], ["type": "object", "minProperties": 1]),
      "anyOf": [
        ["not": ["propertyNames": ["enum": .array(words.map { .string($0.0) })]]],
        ["required": ["include"], "properties": ["include": ["type": "array", "minItems": 1]]],
      ],
    ]
  }

  /// Fetched models need their digest; a path may be written as the source of a fetched one.
  private var model: JSON {
    var schema = keys(Language.model).objectValue ?? JSONObject()
    let schemes = RemoteSource.Scheme.allCases
    let sources = ["path", "run", "server", "serve"] + schemes.map(\.rawValue)
    schema["oneOf"] = .array(
      sources.map { source in
        let isFetched = schemes.contains { $0.rawValue == source }
        // What lies beside a path, and what is said of a server.
        let parts =
          (source == "path" ? [] : ["config", "tokenizer"])
          + (["server", "serve"].contains(source) ? ["sha256"] : Language.serverOnly)
        let others = (sources.filter { $0 != source } + parts).map { (key: $0, value: JSON.bool(false)) }
        return [
          "required": .array(([source] + (isFetched ? ["sha256"] : [])).map { .string($0) }),
          "properties": .object(JSONObject(others)),
        ]
      })
    // A path that is one word for a fetched model has its form, and needs the digest too.
    schema["allOf"] = .array(
      schemes.map { scheme in
        [
          "if": ["properties": ["path": ["pattern": .string("^\(scheme.rawValue):")]], "required": ["path"]],
          "then": [
            "required": ["sha256"],
            "properties": [
              "path": ["pattern": .string("^\(scheme.rawValue):\(scheme.pattern)$")], "config": false,
              "tokenizer": false,
            ],
          ],
        ]
      })
    return .object(schema)
  }

  // MARK: stages

  /// A member without `uses` is of the kind that is called like it.
  private var stages: JSON {
    var named = JSONObject()
    for declaration in registry.stages.map({ $0.declaration }) {
      named[declaration.name] = [
        "description": .string(declaration.summary),
        "if": ["type": "object", "anyOf": [["required": ["uses"]], Self.isGroup]],
        "then": OptionSchema.reference("member"),
        "else": OptionSchema.reference("stage.\(declaration.name)"),
      ]
    }
    return [
      "type": "object", "minProperties": 1,
      "propertyNames": ["pattern": .string(Self.name), "maxLength": 100], "properties": .object(named),
      "additionalProperties": OptionSchema.reference("member"),
    ]
  }

  private static let isGroup: JSON = ["anyOf": [["required": ["loop"]], ["required": ["stages"]]]]

  /// A group, or a stage whose kind `uses` names.
  private var member: JSON {
    let kinds = registry.stages.map { $0.declaration.name }
    return [
      "type": "object", "if": Self.isGroup, "then": OptionSchema.reference("group"),
      "else": [
        "required": ["uses"],
        "properties": ["uses": OptionSchema.choice(kinds)],
        "allOf": .array(
          kinds.map { kind in
            [
              "if": ["properties": ["uses": ["const": .string(kind)]], "required": ["uses"]],
              "then": OptionSchema.reference("stage.\(kind)"),
            ]
          }),
      ],
    ]
  }

  private func stage(_ declaration: StageDeclaration, portsFollowOptions: Bool) -> JSON {
    var inputs = JSONObject()
    for port in declaration.inputs {
      inputs[port.name] = OptionSchema.described(
        schema(port.isRequired ? .reference : .optional(.reference)), port.summary)
    }
    let neededInputs = declaration.inputs.filter(\.isRequired).map(\.name)
    let neededOptions = declaration.options.filter { $0.defaultValue == nil }.map(\.name)
    var properties = JSONObject()
    for key in Language.stage + [Language.matrix] {
      properties[key.name] = OptionSchema.described(schema(key.shape), key.summary)
    }
    if !declaration.rowsAreIndependent, !portsFollowOptions {
      properties["shards"] = OptionSchema.described(
        OptionSchema.orParameter(["const": 1]), "only 1: its rows are not independent")
    }
    func mapping(_ schema: JSON, isNeeded: Bool) -> JSON {
      isNeeded ? OptionSchema.orParameter(schema) : OptionSchema.orParameter(schema, ["type": "null"])
    }
    properties["in"] =
      portsFollowOptions && declaration.inputs.isEmpty
      ? schema(.named(.reference))
      : mapping(OptionSchema.object(inputs, required: neededInputs), isNeeded: !neededInputs.isEmpty)
    properties["with"] = mapping(
      OptionSchema.object(of: declaration.options), isNeeded: !neededOptions.isEmpty)
    var schema =
      OptionSchema.object(
        properties, required: (neededInputs.isEmpty ? [] : ["in"]) + (neededOptions.isEmpty ? [] : ["with"])
      ).objectValue ?? JSONObject()
    if neededInputs.isEmpty, neededOptions.isEmpty { schema["type"] = ["object", "null"] }
    schema["description"] = .string(declaration.summary)
    return .object(schema)
  }
}

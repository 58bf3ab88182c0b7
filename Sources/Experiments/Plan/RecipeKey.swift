// Recipe keys: the name of a computation, known before anything has run.

import JSON
import System

/// What a recipe key is computed from. Not in it: names, paths, comments, shards, engine, threads, anything else
/// that stands beside `with:`.
struct Recipe {
  static let format = 1

  enum Input {
    case node(recipeKey: String, output: String)
    case model(identity: String)
  }

  var declaration: StageDeclaration
  /// File options already replaced by the digests of their contents.
  var options: JSON
  /// Those with a label belong to ports that collect.
  var inputs: [(port: String, label: String?, input: Input)]
  var seed: UInt64
  var numericMode: String

  var preimage: JSON {
    var members = JSONObject([
      ("format", .int(Int64(Self.format))), ("stage", .string(declaration.name)),
      ("version", .int(Int64(declaration.version))), ("options", options),
    ])
    var inputs: [JSONObject.Member] = []
    var collected: [JSON] = []
    for (index, (port, label, input)) in self.inputs.enumerated() {
      var value: JSONObject
      switch input {
      case .node(let key, let output):
        value = JSONObject([("recipe", .string(key)), ("output", .string(output))])
      case .model(let identity): value = JSONObject([("model", .string(identity))])
      }
      guard let label else {
        inputs.append((port, .object(value)))
        continue
      }
      value["label"] = .string(label)
      collected.append(.object(value))
      if index + 1 == self.inputs.count || self.inputs[index + 1].port != port {
        inputs.append((port, .array(collected)))
        collected = []
      }
    }
    members["inputs"] = .object(JSONObject(inputs))
    if declaration.isRandom { members["seed"] = .string(String(seed)) }
    if declaration.computes { members["numeric"] = .string(numericMode) }
    return .object(members)
  }

  /// Hex SHA-256 of the canonical JSON.
  var key: String { Digest.of(text: preimage.text(.canonical)).hex }
}

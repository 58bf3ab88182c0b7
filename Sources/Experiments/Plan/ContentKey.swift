// The content key: what a node's result is stored under, and the preimage that explains it.

import JSON
import System

package struct ContentKey: Sendable {
  /// Hex SHA-256 of the canonical text of `preimage`.
  package let hex: String
  package let preimage: JSON

  /// Bumped when the meaning of a preimage changes.
  static let format = 1

  /// `inputs`: what stands for what each bound port holds (`StoredOutput.keyPart`, a model's digest); those with a label belong
  /// to ports that collect, in order.
  /// `files`: the digests of the files that options name, in the order of `node.files`.
  package init(
    node: PlanNode, declaration: StageDeclaration, inputs: [(port: String, label: String?, digest: JSON)],
    files: [Digest]
  ) {
    preimage = ContentKey.preimage(node, declaration, inputs: inputs, files: files)
    hex = Digest.of(text: preimage.text(.canonical)).hex
  }

  /// `inputs`: what stands for each bound port; null where its content is not known yet, which makes no key.
  package static func preimage(
    _ node: PlanNode, _ declaration: StageDeclaration,
    inputs: [(port: String, label: String?, digest: JSON)], files: [Digest]
  ) -> JSON {
    var options = node.options
    for (file, digest) in zip(node.files, files) {
      let path = file.option.utf8.split(separator: UInt8(ascii: ".")).map { String(Substring($0)) }
      options = ContentKey.replacing(path[...], in: options, by: ["sha256": .string(digest.hex)])
    }
    var object = JSONObject([
      ("format", .int(Int64(ContentKey.format))), ("stage", .string(declaration.name)),
      ("version", .int(Int64(declaration.version))), ("options", options),
      ("inputs", .object(ContentKey.members(inputs))),
    ])
    if declaration.isRandom { object["seed"] = .string("0x" + String(node.seed, radix: 16)) }
    if let numerics = declaration.numerics {
      object["numerics"] = [
        "mode": .string(node.numericMode), "device_class": .string(numerics.deviceClass),
        "version": .int(Int64(numerics.version)),
      ]
    }
    return .object(object)
  }

  /// A digest for each port, and a list of labels and digests for one that collects.
  private static func members(_ inputs: [(port: String, label: String?, digest: JSON)]) -> JSONObject {
    var members: [JSONObject.Member] = []
    var collected: [JSON] = []
    for (index, input) in inputs.enumerated() {
      guard let label = input.label else {
        members.append((input.port, input.digest))
        continue
      }
      collected.append(["label": .string(label), "digest": input.digest])
      if index + 1 == inputs.count || inputs[index + 1].port != input.port {
        members.append((input.port, .array(collected)))
        collected = []
      }
    }
    return JSONObject(members)
  }

  private static func replacing(_ path: ArraySlice<String>, in value: JSON, by replacement: JSON) -> JSON {
    guard let head = path.first else { return replacement }
    switch value {
    case .object(var object):
      guard let child = object[head] else { return value }
      object[head] = replacing(path.dropFirst(), in: child, by: replacement)
      return .object(object)
    case .array(var elements):
      guard let index = Int(head), elements.indices.contains(index) else { return value }
      elements[index] = replacing(path.dropFirst(), in: elements[index], by: replacement)
      return .array(elements)
    default: return value
    }
  }
}

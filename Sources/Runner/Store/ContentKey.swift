// The content key: what a node's result is stored under, and the preimage that explains it.

import JSON

package struct ContentKey: Sendable {
  /// Hex SHA-256 of the canonical text of `preimage`.
  package let hex: String
  package let preimage: JSON

  /// Bumped when the meaning of a preimage changes.
  static let format = 1
  /// Bumped when the arithmetic's bits change.
  package static let numericsVersion = 1

  /// `inputs`: the digest of what each bound port holds. `files`: the digests of the files that options name, in the
  /// order of `node.files`.
  package init(
    node: PlanNode, declaration: StageDeclaration, inputs: [(port: String, digest: Digest)], files: [Digest]
  ) {
    var options = node.options
    for (file, digest) in zip(node.files, files) {
      let path = file.option.utf8.split(separator: UInt8(ascii: ".")).map { String(Substring($0)) }
      options = ContentKey.replacing(path[...], in: options, by: ["sha256": .string(digest.hex)])
    }
    var object = JSONObject([
      ("format", .int(Int64(ContentKey.format))), ("stage", .string(declaration.name)),
      ("version", .int(Int64(declaration.version))), ("options", options),
      ("inputs", .object(JSONObject(inputs.map { ($0.port, .string($0.digest.hex)) }))),
    ])
    if declaration.isRandom { object["seed"] = .string("0x" + String(node.seed, radix: 16)) }
    if declaration.computes {
      object["numerics"] = [
        "mode": .string(node.numericMode), "device_class": "cpu",
        "version": .int(Int64(ContentKey.numericsVersion)),
      ]
    }
    preimage = .object(object)
    hex = Digest.of(text: preimage.text(.canonical)).hex
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

  /// How two preimages differ, one line a difference, in words for `plan`: `option lr 2e-05 -> 1e-05`.
  package static func differences(from old: JSON, to new: JSON) -> [String] {
    var lines: [String] = []
    func compare(_ name: String, _ old: JSON?, _ new: JSON?) {
      if old == new { return }
      if case .object(let a) = old, case .object(let b) = new, a["sha256"] == nil {
        for key in a.keys { compare(name + "." + key, a[key], b[key]) }
        for key in b.keys where a[key] == nil { compare(name + "." + key, nil, b[key]) }
        return
      }
      lines.append("\(name) \(brief(old)) -> \(brief(new))")
    }
    func members(_ field: String, _ word: String, values: Bool) {
      let a = old[field]?.objectValue ?? JSONObject()
      let b = new[field]?.objectValue ?? JSONObject()
      let names = a.keys + b.keys.filter { a[$0] == nil }
      for name in names where a[name] != b[name] {
        if values {
          compare("\(word) \(name)", a[name], b[name])
        } else {
          let change = a[name] == nil ? "is new" : b[name] == nil ? "is gone" : "changed"
          lines.append("\(word) \(name) \(change)")
        }
      }
    }
    if old["stage"] != new["stage"] { lines.append("stage \(brief(old["stage"])) -> \(brief(new["stage"]))") }
    if old["version"] != new["version"] {
      lines.append("stage version \(brief(old["version"])) -> \(brief(new["version"]))")
    }
    members("options", "option", values: true)
    members("inputs", "input", values: false)
    if old["seed"] != new["seed"] { lines.append("seed changed") }
    members("numerics", "numerics", values: true)
    if lines.isEmpty, old != new { lines.append("key format changed") }
    return lines
  }

  private static func brief(_ value: JSON?) -> String {
    guard let value else { return "(none)" }
    if let digest = value["sha256"]?.stringValue { return "file \(digest.prefix(8))" }
    let text = value.text()
    return text.unicodeScalars.count > 40
      ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(39))) + "…" : text
  }
}

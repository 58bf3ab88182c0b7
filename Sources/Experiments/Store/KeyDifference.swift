// How two key preimages differ, as facts: `plan`, `explain-node`, `diff` and the events word them alike.

import JSON

package struct KeyDifference: Sendable, Equatable {
  package enum Field: String, Sendable {
    case stage, version, option, input, seed, numerics, format
  }
  package let field: Field
  /// A dotted option path, a port, a member of the numerics; empty for fields that are one value.
  package let name: String
  /// Nil where the value is not there.
  package let old: JSON?
  package let new: JSON?

  package init(field: Field, name: String, old: JSON?, new: JSON?) {
    self.field = field
    self.name = name
    self.old = old
    self.new = new
  }

  /// `option lr 2e-05 -> 1e-05`
  package var text: String {
    let difference = ValueDifference(old, new)
    let change = difference.text
    switch field {
    case .stage: return "stage \(change)"
    case .version: return "result version \(change)"
    case .option: return "option \(name)\(difference.path) \(change)"
    case .input:
      if let file = old?["sha256"], file == new?["sha256"] {
        return "input \(name): columns declared differently"
      }
      // A member of what stands for a server.
      if port != name { return "input \(name)\(difference.path) \(change)" }
      return "input \(name) " + (old == nil ? "is new" : new == nil ? "is gone" : "changed")
    case .seed: return "seed changed"
    case .numerics: return "numerics \(name) \(change)"
    case .format: return "key format changed"
    }
  }

  /// Of an input: the port, whose name has no dot.
  package var port: String {
    name.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1).first.map { String(Substring($0)) } ?? name
  }

  /// A value in at most 40 characters; a file by the start of its digest.
  package static func brief(_ value: JSON?) -> String {
    guard let value else { return "(none)" }
    let text = words(value)
    return text.unicodeScalars.count > 40
      ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(39))) + "…" : text
  }
}

extension KeyDifference {
  /// Both values whole, where `text` shows a part of them; at most 2,000 characters each.
  package var details: [String] {
    guard field == .option, let old, let new else { return [] }
    let (before, after) = (KeyDifference.words(old), KeyDifference.words(new))
    if text.hasSuffix("\(before) -> \(after)") { return [] }
    return ["was \(before)", "is \(after)"].map {
      String(String.UnicodeScalarView($0.unicodeScalars.prefix(2000)))
    }
  }

  static func words(_ value: JSON?) -> String {
    guard let value else { return "(none)" }
    if let digest = value["sha256"]?.stringValue { return "file \(digest.prefix(8))" }
    guard case .array(let elements) = value else { return value.text() }
    return "[\(elements.map { words($0) }.joined(separator: ", "))]"
  }
}

extension ContentKey {
  /// In the order in which a reader wants them: what runs, with what options, on what, with what chance and arithmetic.
  /// Never empty for preimages that differ.
  package static func differences(from old: JSON, to new: JSON) -> [KeyDifference] {
    var found: [KeyDifference] = []
    func compare(_ field: KeyDifference.Field, _ name: String, _ old: JSON?, _ new: JSON?) {
      if old == new { return }
      // A file is one value, named by its digest.
      if case .object(let a) = old, case .object(let b) = new, a["sha256"] == nil, b["sha256"] == nil {
        for key in a.keys { compare(field, "\(name).\(key)", a[key], b[key]) }
        for key in b.keys where a[key] == nil { compare(field, "\(name).\(key)", nil, b[key]) }
        return
      }
      found.append(KeyDifference(field: field, name: name, old: old, new: new))
    }
    func members(_ member: String, _ field: KeyDifference.Field) {
      let a = old[member]?.objectValue ?? JSONObject()
      let b = new[member]?.objectValue ?? JSONObject()
      for name in a.keys + b.keys.filter({ a[$0] == nil }) { compare(field, name, a[name], b[name]) }
    }
    compare(.stage, "", old["stage"], new["stage"])
    compare(.version, "", old["version"], new["version"])
    members("options", .option)
    members("inputs", .input)
    compare(.seed, "", old["seed"], new["seed"])
    members("numerics", .numerics)
    if found.isEmpty, old != new {
      found.append(KeyDifference(field: .format, name: "", old: old["format"], new: new["format"]))
    }
    return found
  }
}

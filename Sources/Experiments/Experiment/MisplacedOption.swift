// An option that does not exist: what was meant by it. Another tool's name, an option one level deeper, a key that stands
// beside `with:`, an input, else the nearest name.

import JSON

struct MisplacedOption {
  let fields: [OptionField]
  /// Of a variant `kind` is a name too.
  let names: [String]
  /// Of the stage, when this is its `with:` itself.
  let ports: [String]?

  /// `option`: of these fields, when that is what was meant.
  func meaning(of key: String) -> (option: String?, help: String?) {
    if let field = fields.first(where: { $0.isCalled(key) }) {
      return (field.name, "did you mean `\(field.name)`?")
    }
    for field in fields {
      guard let inner = field.type.innerFields.first(where: { $0.isCalled(key) }) else { continue }
      return (nil, "`\(inner.name)` belongs one level deeper: `\(field.name): {\(inner.name): …}`")
    }
    if let ports {
      if ports.contains(where: { UTF8Key($0) == UTF8Key(key) }) {
        return (nil, "`\(key)` is an input: write it under `in:`")
      }
      if Language.stage.names.contains(where: { UTF8Key($0) == UTF8Key(key) }) {
        return (nil, "`\(key)` belongs beside `with:`, not in it")
      }
    }
    if let near = Suggestion.nearest(to: key, among: names) { return (near, "did you mean `\(near)`?") }
    return (
      nil,
      Suggestion.helpOrList(for: key, among: names, what: "the options are")
        ?? (names.isEmpty ? "it takes no options" : nil)
    )
  }

  /// `warmup: 0.1`, where `warmup_ratio` is the number: an option that this one's name begins, whose type fits the value.
  func longer(than field: OptionField, for node: Node) -> String? {
    guard node.scalar != nil, !OptionDecoder.hasShape(node, of: field.type) else { return nil }
    return fields.first {
      $0.name.utf8.starts(with: (field.name + "_").utf8) && OptionDecoder.hasShape(node, of: $0.type)
    }?.name
  }
}

extension OptionField {
  /// By this name in any case and with hyphens, or by one that other tools have for it.
  fileprivate func isCalled(_ key: String) -> Bool {
    let plain = Self.plain(key)
    return ([name] + aliases).contains { Self.plain($0) == plain }
  }

  private static func plain(_ text: String) -> [UInt8] {
    text.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
  }
}

extension OptionType {
  fileprivate var innerFields: [OptionField] {
    switch self {
    case .object(let fields): fields
    case .variant(let variants): variants.flatMap(\.fields)
    case .optional(let inner): inner.innerFields
    default: []
    }
  }
}

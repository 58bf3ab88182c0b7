// Options as a reader meets them: a row each, nested ones by their path, types and defaults in words.

import JSON

struct OptionRow {
  /// `lr`, `objective.kl`, `where[].field`
  var path: String
  var type: String
  /// Nil when it must be written.
  var defaultText: String?
  /// The default under `compat: original`, where it is another one.
  var originalText: String?
  var summary: String

  static func rows(of fields: [OptionField], below prefix: String = "") -> [OptionRow] {
    fields.flatMap { field in
      let standard = field.defaultValue.map { shown($0, field.type) }
      let original = field.originalDefault.map { shown($0, field.type) }
      return [
        OptionRow(
          path: prefix + field.name, type: field.type.description, defaultText: standard,
          originalText: original == standard ? nil : original, summary: field.summary)
      ] + rows(inside: field.type, below: prefix + field.name)
    }
  }

  /// What nested options are by default, their own rows say.
  private static func shown(_ value: JSON, _ type: OptionType) -> String {
    switch (type, value) {
    case (.optional(let inner), _): shown(value, inner)
    case (.object, .object): "as below"
    case (.variant, .object): "kind: \(value["kind"]?.stringValue ?? "")"
    case (_, .double(let number)): Int(exactly: number).map { String($0) } ?? value.text()
    case (_, .string(let text)): text.isEmpty ? value.text() : text
    default: value.text()
    }
  }

  private static func rows(inside type: OptionType, below path: String) -> [OptionRow] {
    switch type {
    case .bool, .integer, .number, .string, .choice, .file, .files: []
    case .optional(let inner): rows(inside: inner, below: path)
    case .list(let element, _): rows(inside: element, below: path + "[]")
    case .mapping(let element, _): rows(inside: element, below: path + ".NAME")
    case .object(let fields): rows(of: fields, below: path + ".")
    case .either(let types): types.flatMap { rows(inside: $0, below: path) }
    case .variant(let variants):
      variants.flatMap { variant in
        [
          OptionRow(
            path: "\(path).kind", type: "`\(variant.kind)`", defaultText: nil, summary: variant.summary)
        ] + rows(of: variant.fields, below: path + ".")
      }
    }
  }
}

extension OptionType: CustomStringConvertible {
  /// `integer, 1 to 1024`, `number, above 0, at most 1`, `list of string, at most 4`.
  public var description: String {
    switch self {
    case .bool: "`true` or `false`"
    case .integer(let range): "integer" + Self.words(range)
    case .number(let range, let exclusiveMinimum, _): "number" + Self.words(range, exclusiveMinimum)
    case .string: "string"
    case .choice(let words): DiagnosticCollector.list(words)
    case .file: "path of a file"
    case .files: "path of a file or folder, a pattern, a data set of a hub, or a list of these"
    case .list(let element, let count): "list of \(element)" + Self.words(length: count)
    case .mapping(let element, let count): "mapping from names to \(element)" + Self.words(length: count)
    case .object: "mapping"
    case .variant(let variants): "mapping with `kind`: \(DiagnosticCollector.list(variants.map(\.kind)))"
    case .optional(let inner): "\(inner), or null"
    case .either(let types): types.map(\.description).joined(separator: ", or ")
    }
  }

  private static func words(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound == .min, range.upperBound == .max) {
    case (true, true): ""
    case (false, true): ", at least \(range.lowerBound)"
    case (true, false): ", at most \(range.upperBound)"
    case (false, false): ", \(range.lowerBound) to \(range.upperBound)"
    }
  }

  private static func words(_ range: ClosedRange<Double>, _ exclusiveMinimum: Bool) -> String {
    // Bounds so wide that they only keep numbers finite are not worth a word.
    let isOpenBelow = range.lowerBound <= -1e300
    let isOpenAbove = range.upperBound >= 1e300
    let lower = JSON.double(range.lowerBound).text().replacing(".0", with: "")
    let upper = JSON.double(range.upperBound).text().replacing(".0", with: "")
    let least = isOpenBelow ? "" : exclusiveMinimum ? ", above \(lower)" : ", at least \(lower)"
    if !isOpenBelow, !isOpenAbove, !exclusiveMinimum { return ", \(lower) to \(upper)" }
    return least + (isOpenAbove ? "" : ", at most \(upper)")
  }

  private static func words(length: ClosedRange<Int>) -> String {
    switch (length.lowerBound, length.upperBound == .max) {
    case (0, true): ""
    case (0, false): ", at most \(length.upperBound)"
    case (let least, true): ", at least \(least)"
    case (let least, false):
      least == length.upperBound ? ", exactly \(least)" : ", \(least) to \(length.upperBound)"
    }
  }
}

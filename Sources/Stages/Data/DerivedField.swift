// Fields that the option `fields` of `data` makes of others: a template over them, or a part of one.

import Experiments
import JSON

struct DerivedField {
  let name: String
  let source: Source

  enum Source {
    case template(PromptTemplate)
    case part(FieldPart)
  }

  /// What is written for one: a text is a template.
  enum Written {
    case template(String)
    case part(FieldPart)
  }

  static let type = OptionValueType<Written>.either(
    .mapped(.string) { .template($0) }, .mapped(FieldPart.type) { .part($0) })

  fileprivate var option: String { "fields.\(name)" }

  /// The fields that it reads.
  var fieldNames: [String] {
    switch source {
    case .template(let template): template.fieldNames
    case .part(let part): [part.from]
    }
  }

  /// - Throws: `BadRecord`.
  func value(in fields: RecordFields) throws -> JSON {
    switch source {
    case .template(let template): .string(try fields.filled(template, option: option).text.text)
    case .part(let part): try part.value(in: fields, option: option)
    }
  }
}

/// A field, or the part of its text between two others.
struct FieldPart {
  let from: String
  let after: Separator?
  let before: Separator?
  let replacements: TextReplacements
  let strips: Bool

  struct Separator {
    let text: String
    /// Which occurrence of it counts: the first, or the last.
    let isLast: Bool

    fileprivate func place(in text: String) -> Range<Int>? {
      isLast ? text.lastPlace(of: self.text) : text.firstPlace(of: self.text)
    }
  }

  private static let from = StageOption(
    "from", .string, summary: "a field, or a path of fields joined by dots; alone, its value as it is")
  private static func separator(_ name: String, _ summary: String) -> StageOption<String?> {
    StageOption(name, .optional(.string), default: nil, summary: summary)
  }
  private static let afterFirst = separator(
    "after_first", "the part after the first occurrence of this text")
  private static let afterLast = separator("after_last", "the part after the last occurrence of this text")
  private static let beforeFirst = separator(
    "before_first",
    "the part before the first occurrence of this text, looked for behind that of `after_first` or `after_last`"
  )
  private static let beforeLast = separator(
    "before_last",
    "the part before the last occurrence of this text, looked for behind that of `after_first` or `after_last`"
  )
  private static let strips = StageOption(
    "strip", .bool, default: false, summary: "without white space at the ends, as `str.strip` of Python")

  static let type = OptionValueType.object([
    from.field, afterFirst.field, afterLast.field, beforeFirst.field, beforeLast.field,
    TextReplacements.option.field, strips.field,
  ]) {
    FieldPart(
      from: $0[from], after: Separator(first: $0[afterFirst], last: $0[afterLast]),
      before: Separator(first: $0[beforeFirst], last: $0[beforeLast]),
      replacements: $0[TextReplacements.option], strips: $0[strips],
      isTwice: ($0[afterFirst] != nil && $0[afterLast] != nil)
        || ($0[beforeFirst] != nil && $0[beforeLast] != nil))
  }

  /// Whether both the first and the last occurrence were asked for.
  let isTwice: Bool

  private init(
    from: String, after: Separator?, before: Separator?, replacements: TextReplacements, strips: Bool,
    isTwice: Bool
  ) {
    self.from = from
    self.after = after
    self.before = before
    self.replacements = replacements
    self.strips = strips
    self.isTwice = isTwice
  }

  /// A text does not contain one between which the part stands.
  struct MissingSeparator: Error, CustomStringConvertible {
    fileprivate let text: String
    /// Follows the name of the text.
    var description: String { "does not contain \(JSON.string(text).text())" }
  }

  func part(of text: String) throws(MissingSeparator) -> String {
    var text = text
    if let after {
      guard let place = after.place(in: text) else { throw MissingSeparator(text: after.text) }
      text = text.bytes(place.upperBound..<text.utf8.count)
    }
    if let before {
      guard let place = before.place(in: text) else { throw MissingSeparator(text: before.text) }
      text = text.bytes(0..<place.lowerBound)
    }
    if !replacements.isEmpty { text = replacements.applied(to: text) }
    return strips ? text.strippedOfWhitespace : text
  }

  /// What is wrong with it as the option of this name.
  func problems(_ option: String) -> [OptionProblem] {
    var problems: [OptionProblem] = []
    if isTwice {
      problems.append(
        OptionProblem(
          code: .conflictingOptions, option: option,
          message: "`\(option)` names the first and the last occurrence of a text", label: "both",
          help: "write one of `after_first` and `after_last`, and one of `before_first` and `before_last`"))
    }
    if [after, before].contains(where: { $0?.text.isEmpty == true }) {
      problems.append(
        OptionProblem(
          option: option, message: "`\(option)` looks for an empty text", label: "an empty text"))
    }
    return problems
  }

  fileprivate func value(in fields: RecordFields, option: String) throws -> JSON {
    guard after != nil || before != nil || strips || !replacements.isEmpty else {
      return try fields.field(from, option: option)
    }
    do {
      return .string(try part(of: try fields.text(from, option: option)))
    } catch let error as MissingSeparator { throw fields.bad(option, "field `\(from)` \(error)") }
  }
}

extension FieldPart.Separator {
  fileprivate init?(first: String?, last: String?) {
    guard let text = first ?? last else { return nil }
    self.init(text: text, isLast: first == nil)
  }
}

/// All of them. A field that reads itself reads that of the record.
struct DerivedFields {
  /// Each behind those that it reads, whichever order they were written in.
  private(set) var inOrder: [DerivedField] = []

  /// - Parameter problems: what is wrong with them.
  init(_ written: [(name: String, value: DerivedField.Written)], _ problems: inout [OptionProblem]) {
    var fields: [DerivedField] = []
    for (name, value) in written {
      let option = "fields.\(name)"
      switch value {
      case .template(let text):
        do {
          fields.append(DerivedField(name: name, source: .template(try PromptTemplate(text))))
        } catch {
          problems.append(
            OptionProblem(
              code: .badTemplate, option: option, message: "`\(option)`: \(error)", label: "not a template"))
        }
      case .part(let part):
        problems += part.problems(option)
        fields.append(DerivedField(name: name, source: .part(part)))
      }
    }
    while let index = fields.firstIndex(where: { field in
      !fields.contains { $0.name != field.name && field.reads($0) }
    }) {
      inOrder.append(fields.remove(at: index))
    }
    if let first = fields.first {
      let names = fields.map { "`\($0.name)`" }.joined(separator: ", ")
      problems.append(
        OptionProblem(
          code: .conflictingOptions, option: first.option,
          message: "`fields`: \(names) are made of each other",
          label: "reads itself, through others"))
    }
  }

  var names: [String] { inOrder.map(\.name) }

  /// Which fields of the record stand behind these names.
  func recordFields(behind names: [String]) -> [String] {
    names.filter { name in !inOrder.contains { $0.isRead(as: name) } }
      + inOrder.flatMap { field in
        field.fieldNames.filter { name in
          !inOrder.contains { $0.isRead(as: name) && !sameText($0.name, field.name) }
        }
      }
  }
}

extension DerivedField {
  fileprivate func reads(_ other: DerivedField) -> Bool { fieldNames.contains { other.isRead(as: $0) } }

  /// Whether a name is this field's or that of something in it.
  fileprivate func isRead(as name: String) -> Bool {
    sameText(name, self.name) || name.utf8.starts(with: (self.name + ".").utf8)
  }
}

private func sameText(_ a: String, _ b: String) -> Bool { UTF8Key(a) == UTF8Key(b) }

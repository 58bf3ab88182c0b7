// The template of an annotator: a question about a generation, with any column of its row.

import Experiments
import JSON
import Models

/// The template with its fields is one text. Special tokens may be written in the template; what rows spell is text.
struct QuestionTemplate: Sendable {
  static let template = StageOption(
    "template", .string,
    summary:
      "the question, with `{prompt}`, `{generation}`, any other column of the row, and `fields`; of a column by sample it is the sample's entry. May contain special tokens"
  )
  static let fields = StageOption(
    "fields", .mapping(FieldPart.type, count: 0...100), default: [:],
    summary:
      "parts of columns under names of their own, for `template`: `{post: {from: prompt, before_last: \"TL;DR:\", strip: true}}`"
  )

  let source: String
  let fields: [(name: String, value: FieldPart)]
  let replacements: TextReplacements

  init(_ options: StageOptions) {
    source = options[Self.template]
    fields = options[Self.fields]
    replacements = options[TextReplacements.option]
  }

  /// - Throws: `InputError`.
  func template() throws -> PromptTemplate {
    do { return try PromptTemplate(source) } catch { throw InputError("`template`: \(error)") }
  }

  static let prompt = "prompt"
  static let generation = "generation"

  func field(_ name: String) -> FieldPart? {
    fields.first { UTF8Key($0.name) == UTF8Key(name) }?.value
  }

  /// The question about one generation.
  /// - Throws: `InputError` naming the row.
  func text(_ template: PromptTemplate, of item: RowItem, _ table: ColumnTable, _ texts: RowTexts) throws
    -> ModelText
  {
    var question = ModelText()
    for piece in template.pieces {
      switch piece {
      case .text(let text): question.append(literal: text)
      case .field(let name): question.append(try value(name, item, table, texts))
      }
    }
    return replacements.isEmpty ? question : replacements.applied(to: question)
  }

  private func value(_ name: String, _ item: RowItem, _ table: ColumnTable, _ texts: RowTexts) throws
    -> ModelText
  {
    if let part = field(name) {
      let place = Self.place(item)
      guard let text = try columnValue(part.from, item, table).stringValue else {
        throw InputError("\(place): `\(part.from)` is no text, of which `fields.\(name)` is a part")
      }
      do {
        return texts.text(ofGeneration: try part.part(of: text))
      } catch {
        throw InputError("\(place): `fields.\(name)`: `\(part.from)` \(error)")
      }
    }
    if name == Self.prompt { return try texts.prompt(of: item.row) }
    if name == Self.generation { return texts.cuttableText(ofGeneration: try item.generation()) }
    switch try columnValue(name, item, table) {
    case .string(let text): return texts.text(ofGeneration: text)
    case let value where value.doubleValue != nil || value.boolValue != nil:
      return texts.text(ofGeneration: value.text())
    case let value:
      throw InputError(
        "\(Self.place(item)): `\(name)` is \(value.kind); `template` needs text, a number or a boolean there")
    }
  }

  /// A column's value, or of a column by sample its entry, or what a path of members joined by dots leads to in it.
  private func columnValue(_ name: String, _ item: RowItem, _ table: ColumnTable) throws -> JSON {
    if name == Self.generation { return .string(try item.generation()) }
    let column = item.row[name] == nil ? Self.firstMember(of: name) : name
    guard var value = item.row[column] else {
      throw InputError("row `\(item.row.id)`: no column `\(name)`, which `template` names")
    }
    if table[column] == .sample {
      guard let entries = value.arrayValue, entries.indices.contains(item.item) else {
        throw InputError("\(Self.place(item)): `\(column)` has no entry for it")
      }
      value = entries[item.item]
    }
    guard column != name else { return value }
    let path = String(decoding: Array(name.utf8.dropFirst(column.utf8.count + 1)), as: UTF8.self)
    guard let member = PromptTemplate.value(path, in: value) else {
      throw InputError("\(Self.place(item)): `\(column)` has no member `\(path)`, which `template` names")
    }
    return member
  }

  /// The column in which a path of members begins.
  static func firstMember(of name: String) -> String {
    String(decoding: Array(name.utf8.prefix { $0 != UInt8(ascii: ".") }), as: UTF8.self)
  }

  private static func place(_ item: RowItem) -> String { "row `\(item.row.id)`, sample \(item.item)" }
}

// The template of a scorer: a question about a prompt and a generation, and other columns of the row.

import Experiments
import JSON
import Models

/// The template with a row's prompt and generation in it is one text; any other name is a column of the row, of one that has an entry for each
/// generation that entry. Special tokens may be written in the template; what the row spells is text.
struct ScoringTemplate: Sendable {
  static let fields = ["prompt", "generation"]

  private enum Piece: Sendable {
    case literal(String)
    /// Of the author, and no special token whatever the model has.
    case plain(String)
    case prompt, generation
    case column(String)
  }
  private let pieces: [Piece]
  private let columns: ColumnTable

  /// - Parameters:
  ///   - textMarkers: what of the template is ordinary text though it looks like a special token.
  ///   - columns: of the rows.
  init(_ source: String, textMarkers: [String] = [], columns: ColumnTable = ColumnTable()) throws {
    self.columns = columns
    let template: PromptTemplate
    do {
      template = try PromptTemplate(source)
    } catch { throw InputError("`template`: \(error)") }
    pieces = template.pieces.flatMap { piece -> [Piece] in
      switch piece {
      case .text(let text): return Self.pieces(of: text, textMarkers)
      case .field("prompt"): return [.prompt]
      case .field("generation"): return [.generation]
      case .field(let name): return [.column(name)]
      }
    }
  }

  /// Cut at the markers; at one place the first of them in the list.
  private static func pieces(of text: String, _ markers: [String]) -> [Piece] {
    let bytes = Array(text.utf8)
    var pieces: [Piece] = []
    var start = 0
    func closeLiteral(at end: Int) {
      if end > start { pieces.append(.literal(String(decoding: bytes[start..<end], as: UTF8.self))) }
    }
    var position = 0
    while position < bytes.count {
      let rest = bytes[position...]
      guard let marker = markers.first(where: { !$0.isEmpty && rest.starts(with: $0.utf8) }) else {
        position += 1
        continue
      }
      closeLiteral(at: position)
      pieces.append(.plain(marker))
      position += marker.utf8.count
      start = position
    }
    closeLiteral(at: bytes.count)
    return pieces
  }

  /// What its author wrote, but for what is ordinary text.
  var literal: ModelText {
    var text = ModelText()
    for case .literal(let literal) in pieces { text.append(literal: literal) }
    return text
  }

  /// - Throws: `InputError` naming the row.
  func text(of item: RowItem, prompt: ModelText, generation: ModelText) throws -> ModelText {
    var text = ModelText()
    for piece in pieces {
      switch piece {
      case .literal(let literal): text.append(literal: literal)
      case .plain(let plain): text.append(field: plain)
      case .prompt: text.append(prompt)
      case .generation: text.append(generation)
      case .column(let name): text.append(field: try self.text(of: name, item))
      }
    }
    return text
  }

  /// Texts as they are, numbers and booleans as `PromptTemplate` writes them.
  private func text(of name: String, _ item: RowItem) throws -> String {
    let row = item.row
    guard let root = PromptTemplate.column(of: name, in: row) else {
      throw InputError("row `\(row.id)` has no column `\(name)`, which `template` names")
    }
    let isOfSample = columns[root] == .sample
    var value = isOfSample ? try SampleLists(row, columns)[root]?[item.item] : row[root]
    if name.utf8.count > root.utf8.count {
      let member = String(Substring(name.utf8.dropFirst(root.utf8.count + 1)))
      value = value.flatMap { PromptTemplate.value(member, in: $0) }
    }
    switch value {
    case .string(let text)?: return text
    case .int?, .largeInteger?, .double?, .bool?: return value?.text() ?? ""
    case .null?, .array?, .object?, nil:
      let entry = isOfSample ? " of generation \(item.item)" : ""
      throw InputError(
        "row `\(row.id)`: `\(name)`\(entry) is \(value?.kind ?? "missing"); expected text, a number or a boolean, since `template` names it"
      )
    }
  }

  /// - Throws: `InputError` naming the row.
  func text(of item: RowItem, _ texts: RowTexts) throws -> ModelText {
    try text(
      of: item, prompt: try texts.prompt(of: item.row),
      generation: texts.cuttableText(ofGeneration: try item.generation()))
  }
}

extension StageFindings {
  /// A scorer's template must name fields that there are, and spell tokens that the model has.
  /// - Parameter path: below which the option stands.
  mutating func want(
    template: String, textMarkers: [String] = [], below path: String = "scorer.", in stage: StageCheck
  ) {
    let option = path + "template"
    do {
      let rows = stage.artifacts("rows")
      for name in try PromptTemplate(template).fieldNames where !ScoringTemplate.fields.contains(name) {
        let known = ScoringTemplate.fields + (rows.first?.columns ?? [])
        let help = Suggestion.nearest(to: name, among: known).map { "did you mean `{\($0)}`?" }
        // A dot may stand in a column's name or lead into it.
        let columns = [name, String(Substring(name.utf8.prefix { $0 != UInt8(ascii: ".") }))]
        if rows.contains(where: { row in columns.allSatisfy { row.lacks($0) } }) {
          error(
            .unknownField, "`template` names `{\(name)}`, which the rows at `rows` do not have",
            at: .option(option), label: "no such field",
            help: help
              ?? "it can name `{prompt}`, `{generation}` and columns of the rows; other braces are written `{{` and `}}`"
          )
        } else if rows.contains(where: { row in columns.allSatisfy { row.mayLack($0) } }) {
          warning(
            .unknownColumn,
            "`template` names `{\(name)}`, which no earlier stage declares for the rows at `rows`",
            at: .option(option),
            label: "fails unless the rows have more columns than are declared",
            help: help)
        }
      }
    } catch {
      self.error(.badTemplate, "`template`: \(error)", at: .option(option))
    }
    let literal = (try? ScoringTemplate(template, textMarkers: textMarkers))?.literal.text ?? template
    want(markersOf: [(option, literal)], promptsAt: "rows", readBy: "model", in: stage)
  }
}

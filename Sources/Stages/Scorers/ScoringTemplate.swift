// The template of a scorer: a question about a prompt and a generation.

import Models
import Runner

/// The template with a row's prompt and generation in it is one text. Special tokens may be written in the template; what a generation
/// spells is text.
struct ScoringTemplate: Sendable {
  static let fields = ["prompt", "generation"]

  private enum Piece: Sendable {
    case literal(String)
    /// Of the author, and no special token whatever the model has.
    case plain(String)
    case prompt, generation
  }
  private let pieces: [Piece]

  /// - Parameter textMarkers: what of the template is ordinary text though it looks like a special token.
  init(_ source: String, textMarkers: [String] = []) throws {
    let template: PromptTemplate
    do {
      template = try PromptTemplate(source)
    } catch { throw InputError("`template`: \(error)") }
    pieces = try template.pieces.flatMap { piece -> [Piece] in
      switch piece {
      case .text(let text): return Self.pieces(of: text, textMarkers)
      case .field("prompt"): return [.prompt]
      case .field("generation"): return [.generation]
      case .field(let name):
        throw InputError("`template` names `{\(name)}`; it can name `{prompt}` and `{generation}`")
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

  func text(prompt: ModelText, generation: ModelText) -> ModelText {
    var text = ModelText()
    for piece in pieces {
      switch piece {
      case .literal(let literal): text.append(literal: literal)
      case .plain(let plain): text.append(field: plain)
      case .prompt: text.append(prompt)
      case .generation: text.append(generation)
      }
    }
    return text
  }

  /// - Throws: `InputError` naming the row.
  func text(of item: RowItem, _ reader: PromptReader) throws -> ModelText {
    let question = text(
      prompt: try reader.prompt(of: item.row),
      generation: reader.cuttableText(ofGeneration: try item.generation()))
    guard let chat = reader.chat else { return question }
    return try item.row.inputErrors { try chat.prompt(user: question) }
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
      let fields = try PromptTemplate(template).fieldNames
      if let unknown = fields.first(where: { !ScoringTemplate.fields.contains($0) }) {
        error(
          .unknownField, "`template` names `{\(unknown)}`", at: .option(option),
          label: "no such field",
          help: Suggestion.nearest(to: unknown, among: ScoringTemplate.fields).map {
            "did you mean `{\($0)}`?"
          }
            ?? "it can name `{prompt}` and `{generation}`; other braces are written `{{` and `}}`")
      }
    } catch {
      self.error(.badTemplate, "`template`: \(error)", at: .option(option))
    }
    let literal = (try? ScoringTemplate(template, textMarkers: textMarkers))?.literal.text ?? template
    want(markersOf: [(option, literal)], promptsAt: "rows", readBy: "model", in: stage)
  }
}

// The template of a scorer: a question about a prompt and a generation.

import Models
import Runner

/// The template with a row's prompt and generation in it is one text. Special tokens may be written in the template; what a generation
/// spells is text.
struct ScoringTemplate: Sendable {
  static let fields = ["prompt", "generation"]

  private let template: PromptTemplate

  init(_ source: String) throws {
    do {
      template = try PromptTemplate(source)
    } catch { throw InputError("`template`: \(error)") }
    for case .field(let name) in template.pieces where !Self.fields.contains(name) {
      throw InputError("`template` names `{\(name)}`; it can name `{prompt}` and `{generation}`")
    }
  }

  /// What its author wrote.
  var literal: ModelText { template.literal }

  /// - Throws: `InputError` naming the row.
  func text(of item: RowItem) throws -> ModelText {
    let generation = try item.generation()
    let prompt = try ModelText(promptOf: item.row)
    var text = ModelText()
    for piece in template.pieces {
      switch piece {
      case .text(let literal): text.append(literal: literal)
      case .field("prompt"): text.append(prompt)
      case .field: text.append(field: generation)
      }
    }
    return text
  }
  /// Each item's text as the model's ids.
  /// - Parameters:
  ///   - reserved: positions of the context that what follows the text takes.
  ///   - reason: what takes them, worded to end the error.
  /// - Throws: `InputError` naming the row whose text does not fit.
  func tokens(
    of items: [RowItem], _ checkpoint: Checkpoint, _ tokenizer: Tokenizer, _ context: StageContext,
    reserving reserved: Int = 0, _ reason: String = ""
  ) throws -> [[Int32]] {
    let limit = checkpoint.configuration.contextLength - reserved
    warnOfUnreadMarkers([literal], tokenizer, log: context.log)
    return try items.map { item in
      let tokens = try text(of: item).tokens(tokenizer)
      guard tokens.count <= limit, !tokens.isEmpty else {
        throw InputError(
          "row `\(item.row.id)`: the text to score has \(tokens.count) tokens; 1 to \(limit) are allowed, since the model's context is \(checkpoint.configuration.contextLength)\(reason)"
        )
      }
      return tokens
    }
  }
}

extension StageFindings {
  /// A scorer's template must name fields that there are, and spell tokens that the model has.
  mutating func want(template: String, in stage: StageCheck) {
    do {
      let fields = try PromptTemplate(template).fieldNames
      if let unknown = fields.first(where: { !ScoringTemplate.fields.contains($0) }) {
        error(
          .unknownField, "`template` names `{\(unknown)}`", at: .option("scorer.template"),
          label: "no such field",
          help: Suggestion.nearest(to: unknown, among: ScoringTemplate.fields).map {
            "did you mean `{\($0)}`?"
          }
            ?? "it can name `{prompt}` and `{generation}`; other braces are written `{{` and `}}`")
      }
    } catch {
      self.error(.badTemplate, "`template`: \(error)", at: .option("scorer.template"))
    }
    want(markersOf: [("scorer.template", template)], promptsAt: "rows", readBy: "model", in: stage)
  }
}

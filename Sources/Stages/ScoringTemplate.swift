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
    guard let generations = item.row["generations"]?.arrayValue, generations.indices.contains(item.item),
      let generation = generations[item.item].stringValue
    else { throw InputError("row `\(item.row.id)`: generation \(item.item) is not text") }
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
}

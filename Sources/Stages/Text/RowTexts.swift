// The texts of rows as parts of what a model is given, under a stage's options: for a model that is here, and for one behind a server.

import Experiments
import JSON
import Models

package struct RowTexts: Sendable {
  let options: PromptOptions

  /// A row's prompt alone, as it stands in a template of the stage.
  func prompt(of row: Row) throws -> ModelText {
    var prompt = try ModelText(promptOf: row)
    if options.specialTokens == .parse { prompt = ModelText(literal: prompt.text) }
    prompt.allowCutting(try cuttable(of: row, prompt))
    return prompt
  }

  func conversation(of row: Row) throws -> Conversation {
    var conversation = try Conversation(
      of: row, prompt: { try prompt(of: row) }, isLiteral: options.specialTokens == .parse)
    if conversation.isOfRow, cutsPrompt {
      if let field = options.length.cut?.field, field != LengthPolicy.prompt {
        throw InputError(
          "row `\(row.id)`: `cut` names the field `\(field)`, but of a row with `\(Conversation.column)` only the user's last text can be cut; write `cut` without `field`"
        )
      }
      conversation.allowCuttingLastQuestion()
    }
    return conversation
  }

  /// A row's generation, as a part of a longer text.
  package func text(ofGeneration generation: String) -> ModelText {
    if options.specialTokens == .parse { return ModelText(literal: generation) }
    var text = ModelText()
    text.append(field: generation)
    return text
  }

  /// The same where it may be cut.
  func cuttableText(ofGeneration generation: String) -> ModelText {
    var text = text(ofGeneration: generation)
    if options.length.cutsGeneration { text.allowCutting([0..<generation.utf8.count]) }
    return text
  }

  private var cutsPrompt: Bool { options.length.cut != nil && !options.length.cutsGeneration }

  /// Where in the prompt the field stands that may be cut.
  private func cuttable(of row: Row, _ prompt: ModelText) throws -> [Range<Int>] {
    guard cutsPrompt else { return [] }
    guard let field = options.length.cut?.field, field != LengthPolicy.prompt else {
      return [0..<prompt.text.utf8.count]
    }
    let column = PromptTemplate.Filled.fieldsColumn
    guard let places = row[column]?[field]?.arrayValue, !places.isEmpty else {
      throw InputError(
        "row `\(row.id)`: `\(column)` does not say where `\(field)` stands in its prompt, and `cut.field` names it; `data` writes that with `cuttable: [\(field)]`"
      )
    }
    guard let ranges = prompt.ranges(places) else {
      throw InputError(
        "row `\(row.id)`: `\(field)` of `\(column)` does not fit its `prompt`; expected pairs of a start and a length in bytes"
      )
    }
    return ranges
  }
}

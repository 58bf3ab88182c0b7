// The texts of rows as a model is given them: the one place where a row becomes text for a model.

import Models
import Runner

/// Made once for a run of a stage, from its options and the model that reads.
package struct PromptReader: Sendable {
  private let options: PromptOptions
  private let tokenizer: Tokenizer

  package init(_ options: PromptOptions, _ tokenizer: Tokenizer) {
    self.options = options
    self.tokenizer = tokenizer
  }

  /// All that the model reads before it goes on: the conditioning and the row's prompt, one text.
  /// - Throws: `InputError` naming the row.
  package func text(of row: Row, after conditioning: ModelText = ModelText()) throws -> ModelText {
    let prompt = try ModelText(promptOf: row)
    return conditioning + (options.specialTokens == .parse ? ModelText(literal: prompt.text) : prompt)
  }

  /// A row's generation, as a part of a longer text.
  package func text(ofGeneration generation: String) -> ModelText {
    if options.specialTokens == .parse { return ModelText(literal: generation) }
    var text = ModelText()
    text.append(field: generation)
    return text
  }

  /// A row's generation, which goes on from its prompt: the boundary between the two stays.
  package func tokens(ofGeneration generation: String) -> [Int32] {
    tokenizer.encode(generation, parseSpecial: options.specialTokens == .parse, isContinuation: true)
  }
}

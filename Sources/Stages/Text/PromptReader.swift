// The texts of rows as a model is given them: the one place where a row becomes text for a model.

import Models
import Runner

/// Made once for a run of a stage, from its options and the model that reads.
package struct PromptReader: Sendable {
  private let options: PromptOptions
  let tokenizer: Tokenizer
  /// Nil where texts are given to the model as they are.
  package let chat: ChatFormat?

  package init(_ options: PromptOptions, _ tokenizer: Tokenizer, chat: ChatFormat? = nil) {
    self.options = options
    self.tokenizer = tokenizer
    self.chat = chat
  }

  /// With the model's chat format, where the options ask for it.
  /// - Throws: `InputError` when the model has none.
  init(_ options: PromptOptions, _ checkpoint: Checkpoint, _ tokenizer: Tokenizer) throws {
    self.init(
      options, tokenizer, chat: try options.chat.map { try ChatFormat($0, of: checkpoint, tokenizer) })
  }

  /// All that the model reads before it goes on: the conditioning and the row's prompt, one text.
  /// - Throws: `InputError` naming the row.
  package func text(of row: Row, after conditioning: ModelText = ModelText()) throws -> ModelText {
    guard let chat else { return conditioning + (try prompt(of: row)) }
    let conversation = try conversation(of: row)
    return try row.inputErrors { ModelText(try chat.ask(conversation, after: conditioning)) }
  }

  /// What ends a sample of the model: its end tokens, and in chat the token that ends its turn.
  package func endTokens(of checkpoint: Checkpoint) -> [Int32] {
    let end = chat.flatMap { try? $0.turnEnd() }
    return checkpoint.endTokens + [end].compactMap { $0 }.filter { !checkpoint.endTokens.contains($0) }
  }

  /// A row's prompt alone, as it stands in a template of the stage.
  func prompt(of row: Row) throws -> ModelText {
    let prompt = try ModelText(promptOf: row)
    return options.specialTokens == .parse ? ModelText(literal: prompt.text) : prompt
  }

  func conversation(of row: Row) throws -> Conversation {
    try Conversation(
      of: row, prompt: { try prompt(of: row) }, isLiteral: options.specialTokens == .parse)
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
    text(ofGeneration: generation).continuationTokens(tokenizer)
  }
}

extension Row {
  /// Errors of a body that knows no row, with this one's id.
  func inputErrors<T>(_ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let error as InputError { throw InputError("row `\(id)`: \(error)") }
  }
}

// The texts of rows as a model that is here is given them: the one place where a row becomes tokens.

import Experiments
import JSON
import Models

/// Made once for a run of a stage, from its options and the model that reads.
package struct PromptReader: Sendable {
  package let texts: RowTexts
  let tokenizer: Tokenizer
  /// Nil where texts are given to the model as they are.
  package let chat: ChatFormat?

  package init(_ options: PromptOptions, _ tokenizer: Tokenizer, chat: ChatFormat? = nil) {
    texts = RowTexts(options: options)
    self.tokenizer = tokenizer
    self.chat = chat
  }

  var options: PromptOptions { texts.options }

  /// With the model's chat format, where the options ask for it.
  /// - Throws: `InputError` when the model has none.
  init(_ options: PromptOptions, _ checkpoint: Checkpoint, _ tokenizer: Tokenizer) throws {
    self.init(
      options, tokenizer, chat: try options.chat.map { try ChatFormat($0, of: checkpoint, tokenizer) })
  }

  /// All that the model reads before it goes on: the conditioning and the row's prompt, one text.
  /// - Throws: `InputError` naming the row.
  package func text(of row: Row, after conditioning: ModelText = ModelText()) throws -> ModelText {
    guard let chat else { return conditioning + (try texts.prompt(of: row)) }
    let conversation = try texts.conversation(of: row)
    return try row.inputErrors { ModelText(try chat.ask(conversation, after: conditioning)) }
  }

  /// What ends a sample of the model: its end tokens, and in chat the token that ends its turn.
  package func endTokens(of checkpoint: Checkpoint) -> [Int32] {
    let end = chat.flatMap { try? $0.turnEnd() }
    return checkpoint.endTokens + [end].compactMap { $0 }.filter { !checkpoint.endTokens.contains($0) }
  }

  /// A question about a row, in the model's chat format where the options ask for it.
  /// - Throws: `InputError` naming the row.
  func asked(_ question: ModelText, about row: Row) throws -> ModelText {
    guard let chat else { return question }
    return try row.inputErrors { try chat.prompt(user: question) }
  }

  /// A row's generation, which goes on from its prompt: the boundary between the two stays.
  /// - Parameter drawn: of it, or of a longer text of which it is the first part.
  package func tokens(ofGeneration generation: String, drawn: DrawnTokens? = nil) -> [Int32] {
    func tokens(_ text: String) -> [Int32] {
      texts.text(ofGeneration: text).continuationTokens(tokenizer)
    }
    guard let part = drawn?.part(generation, tokenizer) else {
      return tokens(generation)
    }
    return part.rest.isEmpty ? part.ids : part.ids + tokens(part.rest)
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

// The texts of rows as a model is given them: the one place where a row becomes text for a model.

import JSON
import Models
import Runner

/// Made once for a run of a stage, from its options and the model that reads.
package struct PromptReader: Sendable {
  let options: PromptOptions
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

  /// A row's generation, which goes on from its prompt: the boundary between the two stays.
  /// - Parameter drawn: of it, or of a longer text of which it is the first part.
  package func tokens(ofGeneration generation: String, drawn: DrawnTokens? = nil) -> [Int32] {
    func tokens(_ text: String) -> [Int32] {
      self.text(ofGeneration: text).continuationTokens(tokenizer)
    }
    guard let part = drawn?.part(generation, tokenizer) else {
      return tokens(generation)
    }
    return part.rest.isEmpty ? part.ids : part.ids + tokens(part.rest)
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

extension Row {
  /// Errors of a body that knows no row, with this one's id.
  func inputErrors<T>(_ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let error as InputError { throw InputError("row `\(id)`: \(error)") }
  }
}

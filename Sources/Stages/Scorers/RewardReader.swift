// A row's prompt and generation as the ids that a reward model reads, up to the token at which the score is read.

import Experiments
import Models

package struct RewardReader {
  private let text: RewardText
  private let template: ScoringTemplate
  private let reader: PromptReader
  private let tokenizer: Tokenizer
  private var limit: LengthLimit
  private let end: Int32?

  /// - Throws: `InputError` for an option that is wrong, or that the model contradicts.
  /// - Parameter columns: of the rows.
  package init(
    _ text: RewardText, _ tokenizer: Tokenizer, contextLength: Int, chat: ChatFormat? = nil,
    columns: ColumnTable = ColumnTable()
  ) throws {
    self.text = text
    reader = PromptReader(text.prompts, tokenizer, chat: chat)
    self.tokenizer = tokenizer
    template = try ScoringTemplate(text.template, textMarkers: text.textMarkers, columns: columns)
    limit = try LengthLimit(text.prompts.length, of: "texts", tokenizer, contextLength: contextLength)
    guard let token = text.readBefore else {
      end = nil
      return
    }
    guard tokenizer.isAddedToken(token), let id = tokenizer.id(of: token) else {
      throw InputError("`read_before` is `\(token)`, which is no special token of the model")
    }
    end = id
  }

  /// Of each item, in order; nil where it is left out. Warns of markers that the model has no token for.
  /// - Throws: `InputError` when a text does not fit, or cannot be read.
  mutating func texts(of items: [RowItem], log: (String) -> Void) throws -> [FittedText?] {
    warnOfUnreadMarkers([template.literal], tokenizer, log: log)
    let texts = try items.map { try fit($0) }
    try limit.requireFit()
    return texts
  }

  /// One item's; nil where it is left out, or too long. No token after the one at which the score is read has a part in it, so those are
  /// left out.
  /// - Throws: `InputError` naming the row.
  package mutating func fit(_ item: RowItem) throws -> FittedText? {
    guard let fitted = limit.fit(try whole(of: item), named: "row `\(item.row.id)`") else { return nil }
    guard !fitted.tokens.isEmpty else {
      throw InputError("row `\(item.row.id)`: the text to score is empty")
    }
    guard let end, let first = fitted.tokens.firstIndex(of: end) else { return fitted }
    guard first > 0 else {
      throw InputError(
        "row `\(item.row.id)`: the text to score begins with `\(text.readBefore ?? "")`, so no token stands before it at which the score could be read"
      )
    }
    return FittedText(tokens: Array(fitted.tokens[..<first]), isCut: fitted.isCut)
  }

  /// All that is read.
  private func whole(of item: RowItem) throws -> ModelText {
    if let chat = reader.chat {
      let (conversation, answer) = (
        try reader.texts.conversation(of: item.row),
        reader.texts.cuttableText(ofGeneration: try item.generation())
      )
      return try item.row.inputErrors { ModelText(try chat.whole(conversation, answer: answer)) }
    }
    let (prompt, generation) = try fields(of: item)
    return try template.text(of: item, prompt: prompt, generation: generation)
  }

  /// What stands for `{prompt}` and `{generation}`.
  private func fields(of item: RowItem) throws -> (prompt: ModelText, generation: ModelText) {
    var prompt = try reader.texts.prompt(of: item.row)
    var generation = reader.texts.cuttableText(ofGeneration: try item.generation())
    if text.strips { (prompt, generation) = (prompt.stripped(), generation.stripped()) }
    guard let separator = text.separator else { return (prompt, generation) }
    var whole = prompt
    if text.strips { whole.append(field: " ") }
    whole.append(generation)
    let searched = text.split == .prompt ? prompt.text : whole.text
    let places = occurrences(of: separator, in: Array(searched.utf8))
    guard let place = text.split == .prompt ? places.last : places.first else {
      throw InputError(
        "row `\(item.row.id)`: its prompt has no `\(separator)`, which `separator` says ends it")
    }
    let end = text.split == .everywhere && places.count > 1 ? places[1].lowerBound : whole.text.utf8.count
    let pieces = (whole[0..<place.lowerBound], whole[place.upperBound..<end])
    return text.strips ? (pieces.0.stripped(), pieces.1.stripped()) : pieces
  }

  /// Where it stands, from the left, none inside another.
  private func occurrences(of separator: String, in bytes: [UInt8]) -> [Range<Int>] {
    let wanted = Array(separator.utf8)
    guard !wanted.isEmpty else { return [] }
    var found: [Range<Int>] = []
    var start = 0
    while start + wanted.count <= bytes.count {
      let place = start..<start + wanted.count
      if bytes[place].elementsEqual(wanted) { found.append(place) }
      start += found.last == place ? wanted.count : 1
    }
    return found
  }
}

// A row's prompt and generation as the ids that a reward model reads, up to the token at which the score is read.

import Models
import Runner

package struct RewardReader {
  private let text: RewardText
  private let template: ScoringTemplate
  private let reader: PromptReader
  private let tokenizer: Tokenizer
  private let contextLength: Int
  private let end: Int32?

  /// - Throws: `InputError` for an option that is wrong, or that the model contradicts.
  package init(_ text: RewardText, _ tokenizer: Tokenizer, contextLength: Int, chat: ChatFormat? = nil) throws
  {
    self.text = text
    reader = PromptReader(text.prompts, tokenizer, chat: chat)
    self.tokenizer = tokenizer
    self.contextLength = contextLength
    template = try ScoringTemplate(text.template, textMarkers: text.textMarkers)
    if let maximumLength = text.maximumLength, maximumLength > contextLength {
      throw InputError("`max_length` is \(maximumLength), but the model's context is \(contextLength) tokens")
    }
    guard let token = text.readBefore else {
      end = nil
      return
    }
    guard tokenizer.isAddedToken(token), let id = tokenizer.id(of: token) else {
      throw InputError("`read_before` is `\(token)`, which is no special token of the model")
    }
    end = id
  }

  /// Of each item, in order. Warns of markers that the model has no token for, and says how many texts were cut.
  /// - Throws: `InputError` naming the row.
  func tokens(of items: [RowItem], log: (String) -> Void) throws -> [[Int32]] {
    warnOfUnreadMarkers([template.literal], tokenizer, log: log)
    let texts = try items.map { try tokens(of: $0) }
    let cut = texts.count { $0.isCut }
    if let length = text.maximumLength, cut > 0 {
      log(
        "\(cut) of \(items.count) texts have more than `max_length` \(length) tokens and are cut at their \(text.truncation == .right ? "end" : "beginning")"
      )
    }
    return texts.map(\.tokens)
  }

  /// No token after the one at which the score is read has a part in it, so those are left out.
  /// - Throws: `InputError` naming the row.
  package func tokens(of item: RowItem) throws -> (tokens: [Int32], isCut: Bool) {
    var tokens = try whole(of: item).tokens(tokenizer)
    let isCut = text.maximumLength.map { tokens.count > $0 } ?? false
    if isCut, let length = text.maximumLength { tokens = truncated(tokens, to: length) }
    guard tokens.count <= contextLength, !tokens.isEmpty else {
      throw InputError(
        "row `\(item.row.id)`: the text to score has \(tokens.count) tokens; 1 to \(contextLength) are allowed, since the model's context is \(contextLength); `max_length` cuts longer ones"
      )
    }
    guard let end, let first = tokens.firstIndex(of: end) else { return (tokens, isCut) }
    guard first > 0 else {
      throw InputError(
        "row `\(item.row.id)`: the text to score begins with `\(text.readBefore ?? "")`, so no token stands before it at which the score could be read"
      )
    }
    return (Array(tokens[..<first]), isCut)
  }

  /// The token that begins every text stays where it is, as in transformers.
  private func truncated(_ tokens: [Int32], to length: Int) -> [Int32] {
    if text.truncation == .right { return Array(tokens.prefix(length)) }
    let begin = tokenizer.addsBeginToken && tokens.first == tokenizer.beginToken ? 1 : 0
    return tokens.prefix(begin) + tokens.suffix(length - begin)
  }

  /// All that is read.
  private func whole(of item: RowItem) throws -> ModelText {
    if let chat = reader.chat {
      let (conversation, answer) = (
        try reader.conversation(of: item.row), reader.text(ofGeneration: try item.generation())
      )
      return try item.row.inputErrors { ModelText(try chat.whole(conversation, answer: answer)) }
    }
    let (prompt, generation) = try fields(of: item)
    return template.text(prompt: prompt, generation: generation)
  }

  /// What stands for `{prompt}` and `{generation}`.
  private func fields(of item: RowItem) throws -> (prompt: ModelText, generation: ModelText) {
    var prompt = try reader.prompt(of: item.row)
    var generation = reader.text(ofGeneration: try item.generation())
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

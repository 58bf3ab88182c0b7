// A model's chat format: what its template makes of a conversation, and how the assistant's turns end in it.

import Experiments
import JSON
import Models

/// Made once for a run of a stage.
package struct ChatFormat: Sendable {
  private let template: ChatTemplate
  private let settings: JSONObject
  private let option: ChatOption
  private let now: Int?
  private let tokenizer: Tokenizer
  /// Of the model, for errors.
  private let path: String

  /// - Parameter now: seconds since 1970, for templates that write the date; nil for what the option says.
  /// - Throws: `InputError` when the model has no chat template, or one that cannot be read.
  package init(
    _ option: ChatOption, of checkpoint: Checkpoint, _ tokenizer: Tokenizer, now: Int? = nil
  ) throws {
    guard let source = checkpoint.chatTemplate else {
      throw InputError(
        "\(checkpoint.path): the model has no chat template; give it prompts in the format that it was trained on"
      )
    }
    path = checkpoint.path
    self.option = option
    self.tokenizer = tokenizer
    self.now =
      try now
      ?? option.date.map { date in
        guard let seconds = ChatOption.seconds(of: date) else {
          throw InputError("`chat.date` is `\(date)`, which is no date; expected one such as 2024-07-26")
        }
        return seconds
      }
    var settings = JSONObject()
    for (name, id) in [
      ("bos_token", tokenizer.beginToken), ("eos_token", tokenizer.endToken),
      ("pad_token", tokenizer.padToken), ("unk_token", tokenizer.unknownToken),
    ] {
      if let spelling = id.flatMap(tokenizer.spelling) { settings[name] = .string(spelling) }
    }
    self.settings = settings
    do {
      template = try ChatTemplate(source)
    } catch let error as ChatTemplateError { throw InputError("\(path): \(error)") }
  }

  /// - Parameter asks: whether the text goes on to where the assistant answers.
  /// - Throws: `InputError` where the template refuses the messages.
  private func render(_ messages: [ChatMessage], asks: Bool) throws -> RenderedChat {
    var settings = settings
    settings["add_generation_prompt"] = .bool(asks)
    do {
      return try template.render(messages, settings: settings, now: now)
    } catch let error as ChatTemplateError {
      throw InputError(
        "\(path): \(error)" + (error.needsTime ? "; `chat: {date: YYYY-MM-DD}` says which one" : ""))
    }
  }

  /// What is put into the model so that the assistant answers.
  func ask(_ conversation: Conversation, after conditioning: ModelText = ModelText()) throws -> RenderedChat {
    var conversation = completed(conversation)
    try conversation.condition(conditioning)
    return try render(conversation.marked, asks: true)
  }

  /// The same of a user's text alone.
  package func prompt(user text: ModelText, after conditioning: ModelText = ModelText()) throws -> ModelText {
    ModelText(try ask(Conversation(user: text), after: conditioning))
  }

  /// The conversation with its answer, as whoever judges it reads it.
  func whole(_ conversation: Conversation, answer: ModelText) throws -> RenderedChat {
    var conversation = completed(conversation)
    conversation.answer(answer)
    return try render(conversation.marked, asks: false)
  }

  /// With the system's text of the option.
  private func completed(_ conversation: Conversation) -> Conversation {
    var conversation = conversation
    if let system = option.system { conversation.addSystem(system) }
    return conversation
  }

  // MARK: Turns of the assistant

  /// A turn of the assistant in what a template wrote.
  private struct Turn {
    /// Its text, as far as the template writes it.
    var text: Range<Int>
    /// Where the token stands that ends it.
    var end: Range<Int>
    var token: Int32
  }

  /// The token that ends the assistant's turn: the first one that the template writes after its text.
  /// - Throws: `InputError` where the template writes none.
  package func turnEnd() throws -> Int32 {
    let conversation = Conversation(user: ModelText(field: "a"))
    guard let turn = turns(in: try whole(conversation, answer: ModelText(field: "b"))).last else {
      throw InputError(
        "\(path): its chat template writes no special token after the assistant's text, so it is not known what ends a turn; `end: never` trains without an end"
      )
    }
    return turn.token
  }

  /// An answer as the template writes it after the prompt that asks for it, up to the token that ends its turn, or to the end of its text.
  /// - Returns: nil where the template writes an answered conversation in another way than it asks for the answer.
  func answer(_ text: ModelText, to conversation: Conversation, prompt: RenderedChat, ends: Bool) throws
    -> ModelText?
  {
    let chat = try whole(conversation, answer: text)
    let start = prompt.text.utf8.count
    guard chat.text.utf8.starts(with: prompt.text.utf8), let turn = turns(in: chat).last,
      turn.text.lowerBound >= start
    else { return nil }
    return ModelText(chat)[start..<(ends ? turn.end.lowerBound : turn.text.upperBound)]
  }

  /// A prompt cut where earlier turns of the assistant begin and end: each from where the model would be asked for it to the token that
  /// ends it.
  /// - Throws: `InputError` where the template does not write all of them.
  func pieces(_ conversation: Conversation) throws -> [(text: ModelText, isAnswer: Bool)] {
    let chat = try ask(conversation)
    let (text, turns, end) = (ModelText(chat), turns(in: chat), try turnEnd())
    let answers = conversation.answers
    guard turns.count == answers.count, turns.allSatisfy({ $0.token == end }) else {
      throw InputError(
        "\(path): of \(answers.count) earlier turns of the assistant its chat template writes \(turns.count) with a token at the end; `turns: last` trains on the generations alone"
      )
    }
    var pieces: [(text: ModelText, isAnswer: Bool)] = []
    var done = 0
    for (turn, index) in zip(turns, answers) {
      let asked = try ask(conversation.before(index)).text.utf8
      let isPrefix = asked.count <= turn.text.lowerBound && chat.text.utf8.starts(with: asked)
      let start = max(isPrefix ? asked.count : turn.text.lowerBound, done)
      pieces.append((text[done..<start], false))
      pieces.append((text[start..<turn.end.upperBound], true))
      done = turn.end.upperBound
    }
    return pieces + [(text[done..<text.text.utf8.count], false)]
  }

  /// The assistant's turns that the template wrote and ended, in order. Their texts must be marked.
  private func turns(in chat: RenderedChat) -> [Turn] {
    var texts: [(mark: MarkedRange.Mark, range: Range<Int>)] = []
    for part in chat.marked where part.mark != .cuttable {
      // A template may have written something inside a text.
      if let last = texts.last, last.mark == part.mark {
        texts[texts.count - 1].range = last.range.lowerBound..<part.range.upperBound
      } else {
        texts.append((part.mark, part.range))
      }
    }
    return texts.compactMap { turn(of: $0.range, in: chat) }
  }

  private func turn(of text: Range<Int>, in chat: RenderedChat) -> Turn? {
    // What the template wrote itself, up to the next text of a message.
    guard let literal = chat.literals.first(where: { $0.lowerBound == text.upperBound }) else { return nil }
    let tail = Array(chat.text.utf8)[literal]
    let ids = tokenizer.encode(
      String(decoding: tail, as: UTF8.self), parseSpecial: true, isContinuation: true)
    guard let token = ids.first(where: tokenizer.isMarker), let spelling = tokenizer.spelling(token),
      let end = tail.firstRange(of: Array(spelling.utf8))
    else { return nil }
    return Turn(text: text, end: end, token: token)
  }
}

extension Tokenizer {
  /// Whether it is an added token that shows, as those are that begin and end turns; runs of spaces are added tokens of some models.
  fileprivate func isMarker(_ id: Int32) -> Bool {
    guard let spelling = spelling(id) else { return false }
    return isAddedToken(spelling) && spelling.unicodeScalars.contains { !$0.properties.isWhitespace }
  }
}

extension ModelText {
  /// What the template wrote is the author's, what the messages hold is not.
  init(_ chat: RenderedChat) {
    self.init()
    let bytes = Array(chat.text.utf8)
    func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    var end = 0
    for literal in chat.literals {
      append(field: part(end..<literal.lowerBound))
      append(literal: part(literal))
      end = literal.upperBound
    }
    append(field: part(end..<bytes.count))
    allowCutting(chat.marked.filter { $0.mark == .cuttable }.map(\.range))
  }
}

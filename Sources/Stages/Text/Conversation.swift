// A row's conversation: its column `messages`, or else its prompt as what a user says.

import Experiments
import JSON
import Models

struct Conversation {
  /// The column: `[{"role": …, "content": …}, …]`.
  static let column = "messages"

  private(set) var messages: [ChatMessage]
  /// Whether they are the row's own; else the prompt is one message.
  let isOfRow: Bool

  /// - Parameters:
  ///   - prompt: the row's prompt, which is the user's text where the row has no messages.
  ///   - isLiteral: whether special tokens that the messages spell are read.
  /// - Throws: `InputError` naming the row.
  init(of row: Row, prompt: () throws -> ModelText, isLiteral: Bool) throws {
    guard let value = row[Self.column], !value.isNull else {
      messages = [ChatMessage(role: "user", try prompt())]
      isOfRow = false
      return
    }
    isOfRow = true
    guard let turns = value.arrayValue, !turns.isEmpty else {
      throw InputError("row `\(row.id)`: `\(Self.column)` is \(value.kind); expected a list of messages")
    }
    messages = try turns.enumerated().map { index, turn in
      guard let role = turn["role"]?.stringValue, let text = turn["content"]?.stringValue else {
        throw InputError(
          "row `\(row.id)`: entry \(index) of `\(Self.column)` is no message: expected `role` and `content`, both texts"
        )
      }
      return ChatMessage(role: role, isLiteral ? ModelText(literal: text) : ModelText(field: text))
    }
  }

  init(user text: ModelText) {
    messages = [ChatMessage(role: "user", text)]
    isOfRow = false
  }

  /// The user's last text may be cut where the conversation is too long.
  mutating func allowCuttingLastQuestion() {
    guard let index = messages.lastIndex(where: { $0.role == "user" }) else { return }
    messages[index].marks = [MarkedRange(.cuttable, 0..<messages[index].text.utf8.count)]
  }

  /// Says it first, unless the system says something.
  mutating func addSystem(_ text: String) {
    guard !messages.contains(where: { $0.role == "system" || $0.role == "developer" }) else { return }
    messages.insert(ChatMessage(role: "system", ModelText(literal: text)), at: 0)
  }

  /// Puts conditioning before the user's last text: a template's own first tokens stay first, and no turn is added that the model was
  /// never trained on.
  /// - Throws: `InputError` without a place where the user says nothing.
  mutating func condition(_ conditioning: ModelText) throws {
    if conditioning.text.isEmpty { return }
    guard let index = messages.lastIndex(where: { $0.role == "user" }) else {
      throw InputError("its `\(Self.column)` have no turn of the user, before which conditioning stands")
    }
    let message = messages[index]
    let shift = conditioning.text.utf8.count
    func moved(_ range: Range<Int>) -> Range<Int> { range.lowerBound + shift..<range.upperBound + shift }
    messages[index] = ChatMessage(
      role: message.role, text: conditioning.text + message.text,
      literals: conditioning.literals + message.literals.map(moved),
      marks: message.marks.map { MarkedRange($0.mark, moved($0.range)) })
  }

  /// What was said before a turn.
  func before(_ index: Int) -> Conversation {
    var conversation = self
    conversation.messages = Array(messages[..<index])
    return conversation
  }

  mutating func answer(_ text: ModelText) { messages.append(ChatMessage(role: "assistant", text)) }

  /// Turns of the assistant, in order.
  var answers: [Int] { messages.indices.filter { messages[$0].role == "assistant" } }

  /// The same with the assistant's texts marked, but for one that may be cut.
  var marked: [ChatMessage] {
    var messages = messages
    for (number, index) in answers.enumerated() where messages[index].marks.isEmpty {
      messages[index].marks = [
        MarkedRange(number % 2 == 0 ? .answer : .nextAnswer, 0..<messages[index].text.utf8.count)
      ]
    }
    return messages
  }
}

extension ChatMessage {
  init(role: String, _ text: ModelText) {
    self.init(
      role: role, text: text.text, literals: text.literals,
      marks: text.cuttable.map { MarkedRange(.cuttable, $0) })
  }
}

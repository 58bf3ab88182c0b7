// `messages:` of `data`: the conversation that a record holds, and the answers that end it.

import Experiments
import JSON
import Models

/// One field with a conversation, several with conversations that differ in their last turn, or one with the turns that are shared and
/// others with the answers.
struct RecordMessages {
  /// What becomes of the assistant's turn at a conversation's end.
  enum LastTurn: String, CaseIterable { case generation, drop }

  /// Which fields hold what.
  struct Fields {
    /// The field with the turns before the answers; nil where each of `conversations` has them too.
    var prompt: String?
    var conversations: [String]

    var all: [String] { (prompt.map { [$0] } ?? []) + conversations }
  }

  private static let promptField = StageOption(
    "prompt", .string, default: "prompt",
    summary: "the field with the turns before the answers: a list of messages, or a text of the user")
  private static let answers = StageOption<[String]>(
    "answers", .either(.mapped(.string) { [$0] }, .list(.string, count: 1...16)),
    summary:
      "the field, or the fields, with an answer each: a list of one message of the assistant, or of a whole conversation that begins with the turns of `prompt`"
  )

  static let field = StageOption<Fields?>(
    "messages",
    .optional(
      .either(
        .mapped(.string) { Fields(conversations: [$0]) },
        .mapped(.list(.string, count: 2...16)) { Fields(conversations: $0) },
        .object([promptField.field, answers.field]) {
          Fields(prompt: $0[promptField], conversations: $0[answers])
        })), default: nil,
    addedLater: true, aliases: ["conversations", "conversation", "chat"],
    summary:
      "the field with a row's conversation, a list of `{role, content}` or `{from, value}`: it becomes the column `messages`, and `prompt` is by default the last text of the user. Of several fields, such as `[chosen, rejected]`, it is the part that they share, and their last turns are the generations; `{prompt: prompt, answers: [chosen, rejected]}` where the turns before the answers stand in a field of their own, as TRL has them"
  )
  static let lastTurn = StageOption(
    "last_turn", .choice(LastTurn.self), default: "generation", addedLater: true,
    summary:
      "what becomes of the assistant's turn at the end of a conversation: `generation`, the row's generation, and there must be one; `drop`, it is left out where there is one"
  )

  private let names: Fields
  let last: LastTurn

  var fields: [String] { names.all }

  /// Nil where rows have no conversations.
  init?(_ options: StageOptions) {
    guard let fields = options[Self.field] else { return nil }
    names = fields
    last = options[Self.lastTurn]
  }

  static func problem(_ options: StageOptions) -> OptionProblem? {
    let count = options[field]?.conversations.count ?? 0
    guard options[lastTurn] == .drop else { return nil }
    if options[field]?.prompt != nil {
      return OptionProblem(
        code: .conflictingOptions, option: "last_turn",
        message: "`messages` names `answers`, and `last_turn` drops these",
        label: "leaves the answers out",
        help: "write `messages: FIELD` with the field of the prompt, or remove `last_turn`")
    }
    guard count != 1 else { return nil }
    return OptionProblem(
      code: .conflictingOptions, option: "last_turn",
      message: count == 0
        ? "`last_turn` says what becomes of the last turn of `messages`, which are not read"
        : "`messages` names \(count) fields, which differ in their last turns, and `last_turn` drops these",
      label: count == 0 ? "has nothing to act on" : "leaves nothing to tell apart",
      help: count == 0 ? "write `messages: FIELD`" : "remove it, or name one field")
  }

  /// What a record becomes.
  struct Found {
    var turns: [Turn]
    /// One for each field; none where the last turn is dropped.
    var answers: [String]

    var json: JSON {
      .array(turns.map { ["role": .string($0.role), "content": .string($0.text)] })
    }

    /// The last text of the user.
    var prompt: String? { turns.last { $0.role == "user" }?.text }
  }

  struct Turn: Equatable {
    var role: String
    var text: String

    static func == (a: Turn, b: Turn) -> Bool {
      UTF8Key(a.role) == UTF8Key(b.role) && UTF8Key(a.text) == UTF8Key(b.text)
    }
  }

  /// - Throws: `BadRecord`.
  func found(in record: RecordFields) throws -> Found {
    let prompt = try names.prompt.map { try turns(ofPrompt: $0, in: record) }
    var shared = prompt
    var answers: [String] = []
    for field in names.conversations {
      func bad(_ reason: String) -> BadRecord { Self.bad(field, reason, record) }
      var turns = try turns(in: try record.field(field, option: Self.field.field.name), bad)
      if turns.last?.role == "assistant" {
        let answer = turns.removeLast()
        if last == .generation { answers.append(answer.text) }
      } else if last == .generation {
        throw bad(
          "does not end with a turn of the assistant, which is the row's generation; `last_turn: drop` makes prompts of conversations"
        )
      }
      // The answer alone follows the prompt.
      if let prompt, turns.isEmpty { turns = prompt }
      guard turns.contains(where: { $0.role == "user" }) else {
        throw bad("has no turn of the user to answer")
      }
      guard shared == nil || shared == turns else {
        throw bad(
          names.prompt.map { "does not begin with the turns of `\($0)`, or has others behind them" }
            ?? "differs from `\(names.conversations[0])` before its last turn")
      }
      shared = turns
    }
    return Found(turns: shared ?? [], answers: answers)
  }

  private func turns(ofPrompt field: String, in record: RecordFields) throws -> [Turn] {
    let value = try record.field(field, option: Self.field.field.name)
    if let text = value.stringValue { return [Turn(role: "user", text: text)] }
    let turns = try turns(in: value) { Self.bad(field, $0, record) }
    guard turns.last?.role != "assistant" else {
      throw Self.bad(field, "ends with a turn of the assistant; the answers stand in other fields", record)
    }
    guard turns.contains(where: { $0.role == "user" }) else {
      throw Self.bad(field, "has no turn of the user to answer", record)
    }
    return turns
  }

  private static func bad(_ field: String, _ reason: String, _ record: RecordFields) -> BadRecord {
    record.bad(Self.field.field.name, "`\(field)` \(reason)")
  }

  private func turns(in value: JSON, _ bad: (String) -> BadRecord) throws -> [Turn] {
    guard let entries = value.arrayValue else {
      throw bad("is \(value.kind); expected a list of messages")
    }
    guard !entries.isEmpty else { throw bad("is an empty list; expected messages") }
    return try entries.enumerated().map { index, entry in
      let isRoled = entry["role"] != nil
      guard let role = entry[isRoled ? "role" : "from"]?.stringValue, !role.isEmpty else {
        throw bad("has no `role` (or `from`) in entry \(index); expected a text")
      }
      for name in ["tool_calls", "function_call"] {
        if let calls = entry[name], !calls.isNull, calls.arrayValue?.isEmpty != true {
          throw bad("has `\(name)` in entry \(index), which is not read")
        }
      }
      let name = isRoled ? "content" : "value"
      guard let text = Self.text(entry[name]) else {
        throw bad(
          "has \(entry[name]?.kind ?? "no") `\(name)` in entry \(index); expected a text, or a list of `{type: text, text}`"
        )
      }
      return Turn(role: Self.roles[role] ?? role, text: text)
    }
  }

  /// In ShareGPT's files and their kin.
  private static let roles = [
    "human": "user", "prompter": "user", "gpt": "assistant", "chatgpt": "assistant",
  ]

  private static func text(_ value: JSON?) -> String? {
    if let text = value?.stringValue { return text }
    guard let parts = value?.arrayValue else { return nil }
    let texts = parts.map { $0["type"] == "text" ? $0["text"]?.stringValue : nil }
    return texts.contains(nil) ? nil : texts.compactMap { $0 }.joined()
  }
}

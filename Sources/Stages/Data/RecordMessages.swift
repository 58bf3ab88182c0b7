// `messages:` of `data`: the conversation that a record holds, and the answers that end it.

import JSON
import Models
import Runner

/// One field with a conversation, or several with conversations that differ in their last turn.
struct RecordMessages {
  /// What becomes of the assistant's turn at a conversation's end.
  enum LastTurn: String, CaseIterable { case generation, drop }

  static let field = StageOption(
    "messages",
    .optional(.either(.mapped(.string) { [$0] }, .list(.string, count: 2...16))), default: nil,
    addedLater: true, aliases: ["conversations", "conversation", "chat"],
    summary:
      "the field with a row's conversation, a list of `{role, content}` or `{from, value}`: it becomes the column `messages`, and `prompt` is by default the last text of the user. Of several fields, such as `[chosen, rejected]`, it is the part that they share, and their last turns are the generations"
  )
  static let lastTurn = StageOption(
    "last_turn", .choice(LastTurn.self), default: "generation", addedLater: true,
    summary:
      "what becomes of the assistant's turn at the end of a conversation: `generation`, the row's generation, and there must be one; `drop`, it is left out where there is one"
  )

  let fields: [String]
  let last: LastTurn

  /// Nil where rows have no conversations.
  init?(_ options: StageOptions) {
    guard let fields = options[Self.field] else { return nil }
    self.fields = fields
    last = options[Self.lastTurn]
  }

  static func problem(_ options: StageOptions) -> OptionProblem? {
    let count = options[field]?.count ?? 0
    guard options[lastTurn] == .drop, count != 1 else { return nil }
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
    var shared: [Turn]?
    var answers: [String] = []
    for field in fields {
      func bad(_ reason: String) -> BadRecord {
        record.bad(Self.field.field.name, "`\(field)` \(reason)")
      }
      var turns = try turns(in: try record.field(field, option: Self.field.field.name), bad)
      if turns.last?.role == "assistant" {
        let answer = turns.removeLast()
        if last == .generation { answers.append(answer.text) }
      } else if last == .generation {
        throw bad(
          "does not end with a turn of the assistant, which is the row's generation; `last_turn: drop` makes prompts of conversations"
        )
      }
      guard turns.contains(where: { $0.role == "user" }) else {
        throw bad("has no turn of the user to answer")
      }
      guard shared == nil || shared == turns else {
        throw bad("differs from `\(fields[0])` before its last turn")
      }
      shared = turns
    }
    return Found(turns: shared ?? [], answers: answers)
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

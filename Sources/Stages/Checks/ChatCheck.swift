// `chat:` of a stage, before it runs: whether the model has a template that can be used, and what the rows hold.

import Experiments
import JSON
import Models

extension StageFindings {
  /// - Parameters:
  ///   - path: where the option stands.
  ///   - rows: the port whose rows' conversations the stage reads in chat.
  ///   - needsEnd: whether it must be known what ends the assistant's turn.
  mutating func want(
    chat: ChatOption?, at path: String = "chat", model: String, rows: String? = nil, needsEnd: Bool = false,
    in stage: StageCheck
  ) {
    guard let chat else {
      if let rows { warn(ofUnreadMessagesAt: rows, path, in: stage) }
      return
    }
    let written = stage.artifacts(rows ?? "rows").flatMap { $0.facts[Fact.markers]?.arrayValue ?? [] }
      .compactMap(\.stringValue).filter(ModelText.marksTurns)
    if let marker = written.first {
      error(
        .conflictingOptions,
        "`chat` writes the turns of a conversation, and the prompts spell `\(marker)` themselves",
        at: .option(path), label: "writes them again",
        help: "leave the markers out of the prompts of `data`, or remove `chat`")
      return
    }
    if let date = chat.date, ChatOption.seconds(of: date) == nil {
      error(
        .wrongValue, "`chat.date` is `\(date)`, which is no date", at: .option("\(path).date"),
        label: "no date", help: "write one such as 2024-07-26")
      return
    }
    guard let facts = stage.artifact(model)?.facts, facts[Fact.hasChatTemplate] != nil else { return }
    guard facts[Fact.hasChatTemplate] == true else {
      error(
        .wrongModel, "`chat` is set, but the model at `\(model)` has no chat template", at: .option(path),
        label: "needs a template",
        help: "remove it, and give the model prompts in the format that it was trained on", inInput: true)
      return
    }
    guard let place = facts[Fact.tokenizerPath]?.stringValue, let checkpoint = try? openCheckpoint(place),
      let tokenizer = checkpoint.tokenizer
    else { return }
    do {
      let format = try ChatFormat(chat, of: checkpoint, tokenizer)
      _ = try format.prompt(user: ModelText(field: "a"))
      if needsEnd { _ = try format.turnEnd() }
    } catch {
      self.error(
        .wrongModel, "\(error)", at: .option(path), label: "cannot be used with this model", inInput: true)
    }
  }

  /// Of a conversation a model without `chat` is given the last text of the user alone.
  private mutating func warn(ofUnreadMessagesAt port: String, _ path: String, in stage: StageCheck) {
    guard stage.artifacts(port).contains(where: { $0.columns.contains(Conversation.column) }) else { return }
    warning(
      .unreadMessages,
      "the rows at `\(port)` have `\(Conversation.column)`, but without `chat` the model is given `prompt` alone, the last text of the user",
      at: .input(port), label: "conversations", help: "write `\(path): true`")
  }
}

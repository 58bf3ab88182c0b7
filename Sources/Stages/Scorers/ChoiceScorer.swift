// `kind: choice`: the probability that a language model gives one label among several.

import Experiments
import JSON
import Models

/// Softmax over the labels' log-probabilities after the filled template.
struct ChoiceScorer: Scorer {
  static let kind = "choice"
  static let summary = "the probability a language model gives one label, normalised over the labels"
  static let options = [template.field, labels.field, reward.field, by.field] + PromptOptions.fields
  static let inputs = [InputPort("model", .model, summary: "the language model that chooses")]
  static let columns = ["prompt", "generations"]
  static let computes = true

  private static let template = StageOption(
    "template", .string,
    summary:
      "the question, with `{prompt}`, `{generation}` and, by name, other columns; may contain special tokens")
  private static let labels = StageOption(
    "labels", .list(.string, count: 2...1000), summary: "the answers to choose between")
  private static let reward = StageOption(
    "reward", .string, summary: "the label whose probability is the reward")

  private static let by = StageOption(
    "by", .choice(By.self), default: "probability", addedLater: true,
    summary:
      "how a model behind a server is asked: `probability`, by the probabilities of its first token, which not every server gives; `reply`, by what it replies at temperature 0, which gives 1, or 0 for any other label"
  )

  enum By: String, CaseIterable { case probability, reply }

  let template: String
  let labels: [String]
  let reward: String
  let by: By
  let prompts: PromptOptions

  init(_ options: StageOptions) {
    template = options[Self.template]
    labels = options[Self.labels]
    reward = options[Self.reward]
    by = options[Self.by]
    prompts = PromptOptions(options)
  }

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    let isAsked = findings.want(
      server: ServerDemand(path: "scorer.", prompts: prompts), at: "model", interfaces,
      help: "it gives no probabilities; write `by: reply`", in: stage)
    if !isAsked {
      findings.want(.language, at: "model", in: stage)
      findings.want(prompts.length, below: "scorer.", promptsAt: "rows", readBy: ["model"], in: stage)
      findings.want(chat: prompts.chat, at: "scorer.chat", model: "model", in: stage)
      if by == .reply, stage.isBound("model"), stage.artifact("model")?.head != nil {
        findings.error(
          .conflictingOptions,
          "`by: reply` is for a model behind a server, and the weights of this one are here",
          at: .option("scorer.by"), label: "has nothing to act on", help: "remove it")
      }
    }
    findings.want(template: template, in: stage)
    var seen: Set<UTF8Key> = []
    for (index, label) in labels.enumerated() {
      let place = StageFindings.Place.option("scorer.labels.\(index)")
      if label.isEmpty {
        findings.error(.wrongValue, "a label of `labels` is empty", at: place, label: "empty")
      } else if !seen.insert(UTF8Key(label)).inserted {
        findings.error(
          .wrongValue, "`labels` contains `\(label)` twice",
          at: place, label: "given twice")
      }
    }
    if wanted == nil {
      findings.error(
        .wrongValue, "`reward` is `\(reward)`, which is none of `labels`", at: .option("scorer.reward"),
        label: "not a label",
        help: Suggestion.nearest(to: reward, among: labels).map { "did you mean `\($0)`?" }
          ?? "the labels are: \(labelList)")
    }
  }

  /// Anthropic's gives no probabilities.
  private var interfaces: [ServerModel.Interface] {
    by == .reply ? [.chat, .completions, .messages] : [.chat, .completions]
  }

  var wanted: Int? { labels.firstIndex { $0.utf8.elementsEqual(reward.utf8) } }
  var labelList: String { labels.map { "`\($0)`" }.joined(separator: ", ") }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    let rows = input.input("rows")
    return Estimates.asking(
      input, "model", requests: rows.items ?? rows.rows, tokens: Estimates.templateTokens(rows, template),
      reply: by == .reply ? Self.tokensOfReply : 1)
      ?? Estimates.scoringWithModel(input, template: template)
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    if let server = try AskedServer("model", context) {
      return try score(items, by: server, context, emit: emit)
    }
    let checkpoint = try context.checkpoint("model")
    let tokenizer = try checkpoint.requireTokenizer()
    let labelTokens = labels.map { tokenizer.encode($0, parseSpecial: true, isContinuation: true) }
    let texts = try texts(of: items, checkpoint, tokenizer, labels: labelTokens, context)
    let fitting = zip(items, texts).compactMap { item, text in text.map { (item: item, text: $0) } }
    let progress = ScoreProgress(context, total: fitting.count, tokens: fitting.map(\.text.tokens.count))
    guard let wanted else {
      throw InputError("`reward` is `\(reward)`, which is none of `labels`: \(labelList)")
    }
    guard !labelTokens.contains(where: \.isEmpty) else { throw InputError("a label of `labels` is empty") }
    try context.showInputs(fitting.count, tokenizer) {
      ModelInput(
        "\(fitting[$0].item.row.id)#\(fitting[$0].item.item)", fitting[$0].text.tokens,
        predicts: labelTokens[wanted])
    }
    for (item, text) in zip(items, texts) where text == nil { try emit(item, .leftOut) }
    if fitting.isEmpty { return }
    let engine = SequenceScorer(
      try context.decoder(checkpoint), memory: context.engineMemory(), tokenBudget: context.engineBatch(1024))
    do {
      try engine.score(
        fitting.map { ScoringItem(context: $0.text.tokens, continuations: labelTokens) },
        checkpoint: context.checkCancellation
      ) { index, scores in
        let probabilities = softmax(scores.map { $0.reduce(0) { $0 + Double($1) } })
        try emit(fitting[index].item, Score(probabilities[wanted], of: fitting[index].text))
        progress.finish(index)
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(fitting[error.index].item.row.id)`")
    }
    progress.close()
  }

  /// Of each item; nil where it is left out.
  /// - Throws: `InputError` when a text does not fit.
  private func texts(
    of items: [RowItem], _ checkpoint: Checkpoint, _ tokenizer: Tokenizer, labels: [[Int32]],
    _ context: StageContext
  ) throws -> [FittedText?] {
    let template = try ScoringTemplate(template, columns: context.input("rows").columns)
    warnOfUnreadMarkers([template.literal], tokenizer, log: context.log)
    let reader = try PromptReader(prompts, checkpoint, tokenizer)
    let longest = labels.map(\.count).max() ?? 0
    var limit = try LengthLimit(
      prompts.length, of: "texts", tokenizer, contextLength: checkpoint.configuration.contextLength,
      reserving: LengthLimit.Reserved(
        count: longest, name: "the longest label", remedy: "use a model with a longer context"))
    let texts = try items.map { item in
      let text = limit.fit(
        try reader.asked(try template.text(of: item, reader.texts), about: item.row),
        named: "row `\(item.row.id)`")
      guard text?.tokens.isEmpty != true else {
        throw InputError("row `\(item.row.id)`: the text to score is empty")
      }
      return text
    }
    try limit.requireFit()
    return texts
  }
}

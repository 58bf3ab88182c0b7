// Items of `sample` drawn by a server: the texts are its, and so are the limits of what can be promised of them.

import Experiments
import JSON
import Models
import Servers

struct AskedSampleRun {
  private let items: [RowItem]
  private let server: AskedServer
  private let context: StageContext
  private let texts: RowTexts
  private let chat: ChatOption?
  private let condition: ConditionChoice

  init(_ items: [RowItem], _ server: AskedServer, _ context: StageContext) {
    (self.items, self.server, self.context) = (items, server, context)
    let options = PromptOptions(context.options)
    texts = RowTexts(options: options)
    chat = options.chat
    condition = context.options[SampleStage.condition]
  }

  /// Hands each sample's result over as it comes.
  func draw(_ emit: (RowItem, JSON) throws -> Void) throws {
    let prefixes = try items.map { try prefix(of: $0.row) }
    let settings = Self.settings(context.options)
    let questions = try zip(items, prefixes).map { item, prefix in
      server.question(try prompt(of: item.row, after: prefix), settings, item)
    }
    var done = 0
    try server.ask(questions, unit: "samples") { index, outcome, _ in
      try emit(items[index], Self.result(of: outcome, prefixes[index].text))
      done += 1
      context.progress(done, of: items.count, unit: "samples")
      return false
    }
  }

  private func prompt(of row: Row, after prefix: ModelText) throws -> Ask.Prompt {
    guard server.model.interface != .completions else {
      let text = prefix + (try texts.prompt(of: row))
      guard !text.text.isEmpty else { throw InputError("row `\(row.id)`: the prompt is empty") }
      return .text(text.text)
    }
    var conversation = try texts.conversation(of: row)
    if let system = chat?.system { conversation.addSystem(system) }
    try row.inputErrors { try conversation.condition(prefix) }
    return server.prompt(conversation)
  }

  private func prefix(of row: Row) throws -> ModelText {
    switch condition {
    case .text(let text): return ModelText(literal: text)
    case .column(let column, let template?):
      guard let value = row[column] else { throw InputError("row `\(row.id)`: no column `\(column)`") }
      if value.isNull { return ModelText() }
      return try row.inputErrors { try ValueTemplate(template).text(value) }
    // Refused before anything is asked: the model's classes are behind the server.
    case .none, .best, .numbered, .column: return ModelText()
    }
  }

  static func settings(_ options: StageOptions) -> SamplingSettings {
    var settings = SamplingSettings()
    settings.maximumTokens = options[SampleStage.maxNewTokens]
    settings.temperature = options[SampleStage.temperature]
    settings.set(zip(logitsFilters, SampleStage.filters).map { $0(options[$1]) })
    settings.stop = options[SampleStage.stop]
    return settings
  }

  /// What the journal keeps of a sample; what the server does not say is null.
  static func result(of outcome: AskOutcome, _ prefix: String?) -> JSON {
    switch outcome {
    case .failure(let failure): return [failed: .string("\(failure)")]
    case .reply(let reply, _):
      let finish =
        switch reply.finish {
        case .end: "end"
        case .length: "length"
        case .stop: "stop"
        // The model ended it, by declining.
        case .refusal: "end"
        case .other: "other"
        }
      return [
        "text": .string(reply.text), "tokens": nil,
        "length": reply.usage.map { .int(Int64($0.completion)) } ?? .null,
        "finished": .bool(reply.finish == .end), "finish": .string(finish),
        "conditioning": prefix.map { $0.isEmpty ? .null : .string($0) } ?? .null,
      ]
    }
  }

  private static let failed = "failed"

  /// Why a sample is not there; nil where it is.
  static func failure(of result: JSON) -> String? { result[failed]?.stringValue }
}

extension SampleStage {
  /// What no server is asked for here.
  /// - Parameter isServed: whether the model's folder is here, and the server is given tokens.
  static func demand(_ options: StageOptions, isServed: Bool = false) -> ServerDemand {
    ServerDemand(
      prompts: isServed ? PromptOptions() : PromptOptions(options),
      filters: zip(logitsFilters, filters).map { $0(options[$1]) },
      stop: options[stop],
      others: [
        ("repetition_penalty", options[repetitionPenalty] != 1),
        ("presence_penalty", options[presencePenalty] != 0),
        ("frequency_penalty", options[frequencyPenalty] != 0), ("bad_words", !options[badWords].isEmpty),
        ("min_new_tokens", options[minNewTokens] != 0), ("keep_stop", options[keepStop]),
        ("statistics", options[statistics]),
      ])
  }

  /// The classes of a model stand in its folder, which a server does not show.
  static func check(_ choice: ConditionChoice, forServer port: String, _ findings: inout StageFindings) {
    let isKnown =
      switch choice {
      case .none, .text, .column(_, template: .some): true
      case .best, .numbered, .column(_, template: nil): false
      }
    guard !isKnown else { return }
    findings.error(
      .conflictingOptions,
      "`condition` needs what the model was conditioned on, and the model at `\(port)` is behind a server",
      at: .option("condition"), label: "cannot be known",
      help: "write `condition: {text: …}`, or `{column: …, template: …}`")
  }

  /// Of the port `server`: a server that is started.
  static func check(server stage: StageCheck, _ findings: inout StageFindings) {
    guard let server = stage.artifact("server") else { return }
    guard let described = server.server, described.serve != nil else {
      findings.error(
        .wrongModel, "input `server` needs a model with `serve`: a server that is started on the policy",
        at: .input("server"), label: "is not started here",
        help: "a server that runs already is bound to `model`")
      return
    }
    _ = findings.want(
      server: demand(stage.options, isServed: true), at: "server", [.completions], in: stage)
  }

  func report(asked results: [[JSON]], to context: StageContext) throws {
    let failures = results.compactMap { row in row.lazy.compactMap(AskedSampleRun.failure).first }
    context.leaveOut(failures.count, "prompts that the server did not answer")
    if context.options[SampleStage.temperature] > 0 {
      let drawn = results.filter { $0.count > 1 }
      let equal = drawn.count { row in
        Set(row.compactMap { $0["text"]?.stringValue.map { UTF8Key($0) } }).count == 1
      }
      context.log(
        "each sample was a request of its own; no server promises to keep to a seed"
      )
      if equal > 0 {
        context.log(
          "of \(equal) of \(drawn.count) prompts all samples are equal: the server may take no seed, or answer from a cache"
        )
      }
    }
    guard let first = failures.first else { return }
    context.log("the first: \(first)")
    guard failures.count < results.count else {
      throw InputError("the server answered no prompt: \(first)")
    }
  }
}

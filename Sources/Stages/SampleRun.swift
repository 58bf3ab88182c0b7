// One run of the sampling engine for items of `sample`: requests, parameters, and what is kept of each sample.

import Experiments
import JSON
import Models
import Servers

struct SampleRun {
  private let context: StageContext
  private let checkpoint: Checkpoint
  private let tokenizer: Tokenizer
  private let prefix: PromptPrefix
  private let reader: PromptReader
  /// The items of each row.
  private let groups: [[RowItem]]
  private let itemCount: Int

  /// - Throws: `InputError` when the model cannot be sampled from under these options.
  init(_ items: [RowItem], _ context: StageContext) throws {
    self.context = context
    checkpoint = try context.checkpoint("model")
    tokenizer = try checkpoint.requireTokenizer()
    prefix = try PromptPrefix(
      context.options[SampleStage.condition], of: checkpoint, tokenizer, seed: context.seed,
      note: context.log)
    reader = try PromptReader(PromptOptions(context.options), checkpoint, tokenizer)
    var groups: [[RowItem]] = []
    for item in items {
      if groups.last?.last?.rowIndex == item.rowIndex {
        groups[groups.count - 1].append(item)
      } else {
        groups.append([item])
      }
    }
    self.groups = groups
    itemCount = items.count
  }

  /// The same by a server that is started on the model: it is given the tokens, and its texts are what is kept.
  func drawByServer(_ emit: (RowItem, JSON) throws -> Void) throws {
    let prompts = try fittedPrompts()
    let fitting = zip(groups, prompts).flatMap { group, prompt in
      prompt.map { prompt in group.map { (item: $0, prompt: prompt) } } ?? []
    }
    try context.showInputs(fitting.count, tokenizer) {
      ModelInput("\(fitting[$0].item.row.id)#\(fitting[$0].item.item)", fitting[$0].prompt.tokens)
    }
    for (group, prompt) in zip(groups, prompts) where prompt == nil {
      for item in group { try emit(item, Self.leftOut) }
    }
    if fitting.isEmpty { return }
    var started: StartedServer?
    guard let described = context.inputs["server"]?.server else { return }
    var server = try AskedServer(described, "server", context)
    let settings = AskedSampleRun.settings(context.options)
    let questions = fitting.map { item, prompt in
      server.question(.tokens(prompt.tokens), settings, item)
    }
    // Where all is kept, nothing is started.
    if context.mayAsk, try server.missing(questions) > 0 {
      let running = try StartedServer(described, model: checkpoint.path, context)
      started = running
      server = try AskedServer(running.model, "server", context)
    }
    defer { started?.end() }
    var done = itemCount - fitting.count
    try server.ask(questions, unit: "samples") { index, outcome, _ in
      let (item, prompt) = fitting[index]
      let prefix = try prefix.prefix(of: item.row).text
      var result = AskedSampleRun.result(of: outcome, prefix)
      if prompt.isCut, case .object(var object) = result {
        object["cut"] = true
        result = .object(object)
      }
      try emit(item, result)
      done += 1
      context.progress(done, of: itemCount, unit: "samples")
      return false
    }
  }

  /// Hands each sample's result over as it ends.
  func draw(_ emit: (RowItem, JSON) throws -> Void) throws {
    let prompts = try fittedPrompts()
    let fitting = zip(groups, prompts).compactMap { group, prompt in prompt.map { (group, $0) } }
    let requests = fitting.map { group, prompt in
      SamplingRequest(row: hash64(group[0].row.id), prompt: prompt.tokens, samples: group.map(\.item))
    }
    try context.showInputs(requests.count, tokenizer) {
      ModelInput(fitting[$0].0[0].row.id, requests[$0].prompt)
    }
    for (group, prompt) in zip(groups, prompts) where prompt == nil {
      for item in group { try emit(item, Self.leftOut) }
    }
    if fitting.isEmpty { return }
    let groups = fitting.map(\.0)
    let cut = fitting.map(\.1.isCut)
    let engine = try engine()
    let started = ContinuousClock.now
    var done = itemCount - groups.reduce(0) { $0 + $1.count }
    var tokens = 0
    func report() {
      let seconds = (ContinuousClock.now - started) / .seconds(1)
      context.progress(
        done, of: itemCount, unit: "samples",
        message: "\(Int(Double(engine.drawnTokens) / max(seconds, 1e-3))) tokens/s")
    }
    // Samples of one length end together, so that every pass is reported and not their ends alone.
    func betweenPasses() throws {
      try context.checkCancellation()
      report()
    }
    do {
      try engine.run(requests, checkpoint: betweenPasses) { sample in
        guard let item = groups[sample.request].first(where: { $0.item == sample.sample }) else {
          preconditionFailure("sample \(sample.sample) was not asked for")
        }
        done += 1
        tokens += sample.tokens.count + (sample.finish == .end ? 1 : 0)
        try emit(item, result(of: sample, item.row, isCut: cut[sample.request]))
        report()
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(groups[error.index][0].row.id)`")
    } catch let error as NoTokenLeft {
      throw InputError(
        "row `\(groups[error.request][0].row.id)`, sample \(error.sample): no token is left to draw after \(error.position); `bad_words` excludes all"
      )
    }
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    context.measure("tokens", Double(tokens))
    context.measure("tokens_per_second", Double(tokens) / max(seconds, 1e-3))
  }

  /// Of each group; nil where it is left out.
  /// - Throws: `InputError` when a prompt does not fit, or there is nothing to go on from.
  private func fittedPrompts() throws -> [FittedText?] {
    let prompts = try groups.map {
      try reader.text(of: $0[0].row, after: prefix.prefix(of: $0[0].row).written)
    }
    warnOfUnreadMarkers(prompts, tokenizer, log: context.log)
    var limit = try LengthLimit(
      reader.options.length, of: "prompts", tokenizer,
      contextLength: checkpoint.configuration.contextLength,
      reserving: LengthLimit.Reserved(
        count: context.options[SampleStage.maxNewTokens], name: "`max_new_tokens`",
        remedy: "lower `max_new_tokens`"))
    let fitted = try zip(groups, prompts).map { group, text in
      let name = "row `\(group[0].row.id)`"
      let fitted = limit.fit(text, named: name)
      guard fitted?.tokens.isEmpty != true else { throw InputError("\(name): the prompt is empty") }
      return fitted
    }
    try limit.requireFit()
    return fitted
  }

  private func engine() throws -> SamplingEngine {
    let options = context.options
    let limit = options[SampleStage.maxNewTokens]
    return SamplingEngine(
      try context.decoder(checkpoint),
      parameters: SamplingParameters(
        temperature: Float(options[SampleStage.temperature]),
        filters: zip(logitsFilters, SampleStage.filters).map { $0(options[$1]) },
        penalties: Penalties(
          repetition: Float(options[SampleStage.repetitionPenalty]),
          presence: Float(options[SampleStage.presencePenalty]),
          frequency: Float(options[SampleStage.frequencyPenalty]))),
      minimumNewTokens: min(limit, options[SampleStage.minNewTokens]), maximumNewTokens: limit,
      endTokens: reader.endTokens(of: checkpoint), bannedTokens: prefix.bannedTokens,
      texts: SampleTexts(
        stops: options[SampleStage.stop], banned: options[SampleStage.badWords], tokenizer),
      keepsStatistics: options[SampleStage.statistics],
      seed: context.seed,
      memory: context.engineMemory(), batch: context.engineBatch(64))
  }

  /// What the journal keeps of a sample whose prompt is left out.
  private static let leftOut: JSON = nil

  static func isLeftOut(_ results: [JSON]) -> Bool { results.first?.isNull ?? false }
  static func isCut(_ results: [JSON]) -> Bool { results.first?["cut"] != nil }

  /// What the journal keeps of a sample.
  private func result(of sample: SampledSequence, _ row: Row, isCut: Bool) throws -> JSON {
    let conditioning = try prefix.prefix(of: row).text
    var result = JSONObject([
      ("text", .string(sample.text(tokenizer, keepsStop: context.options[SampleStage.keepStop]))),
      ("tokens", .array((sample.tokens + [sample.end].compactMap { $0 }).map { .int(Int64($0)) })),
      ("length", .int(Int64(sample.tokens.count))), ("finished", .bool(sample.finish == .end)),
      ("finish", .string(sample.finish.rawValue)),
      ("conditioning", conditioning.map { .string($0) } ?? .null),
    ])
    if isCut { result["cut"] = true }
    if context.options[SampleStage.statistics] {
      result["log_probabilities"] = Self.numbers(sample.statistics.logProbabilities)
      result["entropies"] = Self.numbers(sample.statistics.entropies)
      result["sampling_log_probabilities"] = Self.numbers(sample.statistics.samplingLogProbabilities)
    }
    return .object(result)
  }

  private static func numbers(_ values: [Float]) -> JSON { .array(values.map { .double(Double($0)) }) }
}

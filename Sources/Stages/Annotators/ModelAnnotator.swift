// `kind: model`: what a language model says of each generation when it is asked.

import Experiments
import JSON
import Models
import Servers
import System

/// Source: METHODS 1.6.2 and 1.6.3, with a model that runs here. Deviation: a question that is asked again is drawn with other random
/// numbers, where the originals' repetitions at temperature 0 were the same reply.
struct ModelAnnotator: Annotator {
  static let kind = "model"
  static let summary = "what a language model replies to a question about each generation"
  static let options =
    [
      QuestionTemplate.template.field, QuestionTemplate.fields.field,
      TextReplacements.option.field.originally(["__": "\n"]),
    ]
    + [maxNewTokens.field, temperature.field] + filters.map(\.field)
    + [stop.field, attempts.field, schemaFile.field]
    + PromptOptions.fields
  static let inputs = [InputPort("model", .model, summary: "the language model that is asked")]
  static let computes = true
  static let columns = ["replies", "outcomes"]

  private static let maxNewTokens = StageOption(
    "max_new_tokens", .integer(1...1_000_000), aliases: ["max_tokens", "max_completion_tokens"],
    summary: "number of tokens at which a reply is cut")
  private static let temperature = StageOption(
    "temperature", .number(0...100, single: true), default: 0.0, summary: "0 is greedy")
  private static let filters = logitsFilters.map(\.option)
  private static let stop = StageOption(
    "stop", .list(.string, count: 0...64), default: [], aliases: ["stop_strings", "stop_sequences"],
    summary: "texts that end a reply, regardless of token boundaries; they are not part of it")
  private static let attempts = StageOption(
    "attempts", .integer(1...100), default: 1, aliases: ["retries", "max_retries"],
    summary:
      "how often a question is asked, each time with other random numbers, until the parser can use the reply; more than 1 needs a `temperature` above 0"
  )

  private static let schemaFile = StageOption<String?>(
    "schema", .optional(.file), default: nil, addedLater: true, aliases: ["json_schema", "response_format"],
    summary:
      "a file with a JSON schema that replies have to satisfy: sent to a server that takes one, and checked here always; a reply that does not is unparsable"
  )

  let question: QuestionTemplate
  let maxNewTokens: Int
  let temperature: Double
  let filters: [FilterSetting]
  let stop: [String]
  let attempts: Int
  let prompts: PromptOptions
  let schemaPath: String?

  init(_ options: StageOptions) {
    question = QuestionTemplate(options)
    maxNewTokens = options[Self.maxNewTokens]
    temperature = options[Self.temperature]
    filters = zip(logitsFilters, Self.filters).map { $0(options[$1]) }
    stop = options[Self.stop]
    attempts = options[Self.attempts]
    prompts = PromptOptions(options)
    schemaPath = options[Self.schemaFile]
  }

  let columnsRead = ["generations"]
  var isRandom: Bool { temperature > 0 }

  /// Most replies end before they are cut.
  var bytesPerReply: Int { maxNewTokens.multipliedReportingOverflow(by: 2).partialValue }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    let rows = input.input("rows")
    if let asked = Estimates.asking(
      input, "model", requests: rows.items ?? rows.rows,
      tokens: Estimates.templateTokens(rows, question.source), reply: maxNewTokens)
    {
      return asked
    }
    var estimate = Estimates.scoringWithModel(input, template: question.source)
    let replies = (rows.items ?? rows.rows).map { Double($0) * Double(maxNewTokens) }
    let drawing = Estimates.seconds(
      tokens: replies, parameters: input.input("model").items, passes: 2, rate: Estimates.sampling,
      input.threads)
    estimate.seconds = estimate.seconds.flatMap { reading in drawing.map { reading + $0 } }
    return estimate
  }

  func reply(to items: [RowItem], _ context: StageContext, take: (RowItem, Reply) throws -> Bool) throws {
    if let server = try AskedServer("model", context) {
      return try reply(to: items, from: server, context, take: take)
    }
    let checkpoint = try context.checkpoint("model")
    let tokenizer = try checkpoint.requireTokenizer()
    let reader = try PromptReader(prompts, checkpoint, tokenizer)
    let texts = try fitted(items, checkpoint, reader, context)
    var questions = zip(items, texts).compactMap { item, text in text.map { (item: item, tokens: $0.tokens) }
    }
    try context.showInputs(questions.count, tokenizer) {
      ModelInput("\(questions[$0].item.row.id)#\(questions[$0].item.item)", questions[$0].tokens)
    }
    var done = 0
    func finish(_ item: RowItem, _ reply: Reply) throws -> Bool {
      guard try take(item, reply) else { return false }
      done += 1
      context.progress(done, of: items.count, unit: "replies")
      return true
    }
    for (item, text) in zip(items, texts) where text == nil {
      _ = try finish(item, Reply(.failure("the question is too long and was left out")))
    }
    if questions.isEmpty { return }
    let schema = try schema()
    let decoder = try context.decoder(checkpoint)
    let started = ContinuousClock.now
    var tokens = 0
    for attempt in 1...(isRandom ? attempts : 1) where !questions.isEmpty {
      let engine = try engine(decoder, checkpoint, reader, seed: seed(attempt, context), context)
      var again: [Int] = []
      do {
        try engine.run(
          questions.map {
            SamplingRequest(row: hash64($0.item.row.id), prompt: $0.tokens, samples: [$0.item.item])
          }, checkpoint: context.checkCancellation
        ) { sample in
          tokens += sample.tokens.count + (sample.finish == .end ? 1 : 0)
          let reply = Reply(
            Self.content(sample.text(tokenizer, keepsStop: false), schema), attempts: attempt,
            isLast: !isRandom || attempt == attempts, isTruncated: sample.finish == .length)
          if try !finish(questions[sample.request].item, reply) { again.append(sample.request) }
        }
      } catch let error as LogitsNotFinite {
        throw checkpoint.inputError(error, for: "row `\(questions[error.index].item.row.id)`")
      } catch let error as NoTokenLeft {
        throw InputError(
          "row `\(questions[error.request].item.row.id)`, sample \(error.sample): no token is left to draw after \(error.position)"
        )
      }
      questions = again.sorted().map { questions[$0] }
    }
    context.measure("tokens", Double(tokens))
    context.measure(
      "tokens_per_second", Double(tokens) / max((ContinuousClock.now - started) / .seconds(1), 1e-3))
  }

  /// What replies have to satisfy as JSON.
  /// - Throws: `InputError` for a file that holds no schema that is understood.
  func schema() throws -> JSON? {
    guard let schemaPath else { return nil }
    let schema: JSON
    do { schema = try JSON(parsing: try File.readUserFile(schemaPath, upTo: 1 << 20)) } catch {
      throw InputError("\(schemaPath): \(error)")
    }
    if let problem = JSONSchemaCheck.problem(in: schema) { throw InputError("\(schemaPath): \(problem)") }
    return schema
  }

  static func content(_ text: String, _ schema: JSON?) -> Reply.Content {
    guard let schema else { return .text(text) }
    do {
      let value = try JSON(parsing: Array(text.utf8))
      return JSONSchemaCheck.failure(value, schema).map {
        .unusable(text, "does not satisfy the schema: \($0)")
      }
        ?? .text(text)
    } catch { return .unusable(text, "is no JSON: \(error)") }
  }

  /// The first attempt is drawn as any stage draws.
  private func seed(_ attempt: Int, _ context: StageContext) -> UInt64 {
    attempt == 1 ? context.seed : randomNumber(seed: context.seed, .askAgain, id: "", element: attempt)
  }

  private func engine(
    _ decoder: Decoder, _ checkpoint: Checkpoint, _ reader: PromptReader, seed: UInt64,
    _ context: StageContext
  ) throws -> SamplingEngine {
    SamplingEngine(
      decoder, parameters: SamplingParameters(temperature: Float(temperature), filters: filters),
      maximumNewTokens: maxNewTokens, endTokens: reader.endTokens(of: checkpoint),
      bannedTokens: try undrawableTokens(checkpoint, reader.tokenizer),
      texts: SampleTexts(stops: stop, reader.tokenizer), seed: seed, memory: context.engineMemory(),
      batch: context.engineBatch(64))
  }

  /// The question of each item; nil where it is left out.
  /// - Throws: `InputError` when one does not fit, or cannot be made.
  private func fitted(
    _ items: [RowItem], _ checkpoint: Checkpoint, _ reader: PromptReader, _ context: StageContext
  ) throws -> [FittedText?] {
    let template = try question.template()
    warnOfUnreadMarkers([template.literal], reader.tokenizer, log: context.log)
    let table = context.input("rows").columns
    var limit = try LengthLimit(
      prompts.length, of: "questions", reader.tokenizer,
      contextLength: checkpoint.configuration.contextLength,
      reserving: LengthLimit.Reserved(
        count: maxNewTokens, name: "`max_new_tokens`", remedy: "lower `max_new_tokens`"))
    let texts = try items.map { item in
      let text = limit.fit(
        try reader.asked(
          try question.text(template, of: item, table, reader.texts), about: item.row),
        named: "row `\(item.row.id)`")
      guard text?.tokens.isEmpty != true else {
        throw InputError("row `\(item.row.id)`: the question is empty")
      }
      return text
    }
    try limit.requireFit()
    return texts
  }
}

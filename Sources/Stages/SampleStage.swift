// `sample`: continuations of prompts, drawn from a policy.

import JSON
import Models
import Runner

package struct SampleStage: RowStage {
  package init() {}

  package static let rowsPort = "prompts"

  static let n = StageOption(
    "n", .integer(1...100_000), default: 1,
    aliases: ["num_samples", "num_return_sequences", "num_generations", "samples", "best_of"],
    summary: "samples of each prompt")
  static let temperature = StageOption(
    "temperature", .number(0...100, single: true), default: 1.0,
    summary: "0 is greedy; of equal logits the lowest id is taken")
  static let topK = StageOption("top_k", .integer(0...10_000_000), default: 0, summary: "0 keeps all")
  static let topP = StageOption(
    "top_p", .number(0...1, exclusiveMinimum: true, single: true), default: 1.0,
    summary: "the smallest set of most probable tokens with this mass")
  static let minP = StageOption(
    "min_p", .number(0...1, single: true), default: 0.0,
    summary: "drops tokens whose probability is less than this share of the highest")
  static let typicalP = StageOption(
    "typical_p", .number(0...1, exclusiveMinimum: true, single: true), default: 1.0,
    summary: "the smallest set of tokens with this mass whose surprisal is closest to the entropy")
  static let repetitionPenalty = StageOption(
    "repetition_penalty", .number(0...100, exclusiveMinimum: true, single: true), default: 1.0,
    aliases: ["repeat_penalty"],
    summary: "divides positive logits of tokens in prompt or sample, multiplies negative ones")
  static let presencePenalty = StageOption(
    "presence_penalty", .number(-100...100, single: true), default: 0.0,
    summary: "subtracted from the logits of tokens that are in the sample")
  static let frequencyPenalty = StageOption(
    "frequency_penalty", .number(-100...100, single: true), default: 0.0,
    summary: "subtracted once for each time a token is in the sample")
  static let badWords = StageOption(
    "bad_words", .list(.string, count: 0...1000), default: [], aliases: ["bad_words_ids"],
    summary: "texts that no sample contains, regardless of token boundaries")
  static let minNewTokens = StageOption(
    "min_new_tokens", .integer(0...1_000_000), default: 0, aliases: ["min_tokens", "min_length"],
    summary: "no sample ends before it has this many tokens")
  static let maxNewTokens = StageOption(
    "max_new_tokens", .integer(1...1_000_000),
    aliases: ["max_tokens", "max_length", "max_completion_tokens", "num_predict"],
    summary: "number of tokens at which a sample is cut")
  static let stop = StageOption(
    "stop", .list(.string, count: 0...64), default: [], aliases: ["stop_strings", "stop_sequences"],
    summary:
      "texts that end a sample, regardless of token boundaries; the first one that is complete counts")
  static let keepStop = StageOption(
    "keep_stop", .bool, default: false, aliases: ["include_stop_str_in_output"],
    summary: "whether the text that ended a sample stays at its end")
  static let statistics = StageOption(
    "statistics", .bool, default: false, aliases: ["logprobs"],
    summary:
      "adds the columns log_probabilities and entropies: for each token of each sample, the end token included, its log-probability and the entropy of its distribution at temperature 1, unfiltered, in nats"
  )
  static let condition = StageOption<ConditionChoice>(
    "condition",
    .either(
      .mapped(.choice(ConditionWord.self)) { $0 == .best ? .best : .none },
      .object([prefix.field]) { .text($0[prefix]) },
      .object([classNumber.field]) { .numbered($0[classNumber]) }),
    default: "none",
    summary: "what is put before the prompt; `best` means none for a model that was never conditioned")

  private enum ConditionWord: String, CaseIterable { case none, best }
  private static let prefix = StageOption("text", .string, summary: "a prefix of your own")
  private static let classNumber = StageOption(
    "class", .integer(0...1_000_000), summary: "a class of the model, 0 the best")

  package static let declaration = StageDeclaration(
    name: "sample",
    summary: "Draws continuations of each prompt from a model.",
    version: 2,
    inputs: [
      InputPort("model", .model, summary: "the policy"),
      InputPort("prompts", .rows, columns: ["prompt"], summary: "one prompt per row"),
    ],
    outputs: [
      OutputPort(
        "rows", .rows, passesThrough: "prompts",
        samples: ["generations", "lengths", "finished", "finish", "conditioning"], replacesSamples: true,
        summary: "the prompts with their samples")
    ],
    options: [
      n.field, temperature.field, topK.field, topP.field, minP.field, typicalP.field,
      repetitionPenalty.field, presencePenalty.field, frequencyPenalty.field, badWords.field,
      minNewTokens.field, maxNewTokens.field, stop.field, keepStop.field, statistics.field, condition.field,
    ],
    isRandom: true, numerics: .ofModels, numericModes: NumericMode.allCases.map(\.rawValue),
    rowsAreIndependent: true, estimate: Estimates.sample)

  package static func declaration(for options: JSON) -> StageDeclaration {
    statistics.value(in: options) ?? false
      ? declaration.giving("rows", samples: ["log_probabilities", "entropies"]) : declaration
  }

  package func itemCount(of row: Row, options: StageOptions) throws -> Int { options[Self.n] }

  package func process(
    _ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void
  ) throws {
    let options = context.options
    let checkpoint = try context.checkpoint("model")
    let tokenizer = try checkpoint.requireTokenizer()
    let prefix = try PromptPrefix(options[Self.condition], of: checkpoint, tokenizer, note: context.log)
    let limit = options[Self.maxNewTokens]

    var groups: [[RowItem]] = []
    for item in items {
      if groups.last?.last?.rowIndex == item.rowIndex {
        groups[groups.count - 1].append(item)
      } else {
        groups.append([item])
      }
    }
    let prompts = try groups.map { try ModelText(promptOf: $0[0].row) }
    warnOfUnreadMarkers(prompts, tokenizer, log: context.log)
    let requests = try zip(groups, prompts).map { group, text in
      let row = group[0].row
      let prompt = try prefix.promptTokens(
        text, named: "row `\(row.id)`", tokenizer, newTokens: limit,
        contextLength: checkpoint.configuration.contextLength)
      return SamplingRequest(row: hash64(row.id), prompt: prompt, samples: group.map(\.item))
    }
    let engine = SamplingEngine(
      try context.decoder(checkpoint),
      parameters: SamplingParameters(
        temperature: Float(options[Self.temperature]), topK: options[Self.topK],
        topP: Float(options[Self.topP]), minP: Float(options[Self.minP]),
        typicalP: Float(options[Self.typicalP]),
        penalties: Penalties(
          repetition: Float(options[Self.repetitionPenalty]),
          presence: Float(options[Self.presencePenalty]),
          frequency: Float(options[Self.frequencyPenalty]))),
      minimumNewTokens: min(limit, options[Self.minNewTokens]), maximumNewTokens: limit,
      endTokens: checkpoint.endTokens, bannedTokens: prefix.bannedTokens,
      texts: SampleTexts(stops: options[Self.stop], banned: options[Self.badWords], tokenizer),
      keepsStatistics: options[Self.statistics],
      seed: context.seed,
      memory: context.engineMemory(), batch: context.engineBatch(64))
    let started = ContinuousClock.now
    var done = 0
    var tokens = 0
    func report() {
      let seconds = (ContinuousClock.now - started) / .seconds(1)
      context.progress(
        done, of: items.count, unit: "samples",
        message: "\(Int(Double(engine.drawnTokens) / max(seconds, 1e-3))) tokens/s")
    }
    // Samples of one length end together, so that every pass is reported and not their ends alone.
    func betweenPasses() throws {
      try context.checkCancellation()
      report()
    }
    do {
      try engine.run(requests, checkpoint: betweenPasses) { sample in
        let group = groups[sample.request]
        guard let item = group.first(where: { $0.item == sample.sample }) else {
          preconditionFailure("sample \(sample.sample) was not asked for")
        }
        done += 1
        tokens += sample.tokens.count + (sample.finish == .end ? 1 : 0)
        var result = JSONObject([
          ("text", .string(sample.text(tokenizer, keepsStop: options[Self.keepStop]))),
          ("length", .int(Int64(sample.tokens.count))), ("finished", .bool(sample.finish == .end)),
          ("finish", .string(sample.finish.rawValue)),
          ("conditioning", prefix.text.map { .string($0) } ?? .null),
        ])
        if options[Self.statistics] {
          result["log_probabilities"] = Self.numbers(sample.statistics.logProbabilities)
          result["entropies"] = Self.numbers(sample.statistics.entropies)
        }
        try emit(item, .object(result))
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

  private static func numbers(_ values: [Float]) -> JSON { .array(values.map { .double(Double($0)) }) }

  package func assemble(_ row: Row, results: [JSON], options: StageOptions) throws -> Row {
    var row = row
    row["generations"] = .array(results.map { $0["text"] ?? .null })
    row["lengths"] = .array(results.map { $0["length"] ?? .null })
    row["finished"] = .array(results.map { $0["finished"] ?? .null })
    row["finish"] = .array(results.map { $0["finish"] ?? .null })
    row["conditioning"] = .array(results.map { $0["conditioning"] ?? .null })
    if options[Self.statistics] {
      for column in ["log_probabilities", "entropies"] {
        row[column] = .array(results.map { $0[column] ?? .null })
      }
    }
    return row
  }
}

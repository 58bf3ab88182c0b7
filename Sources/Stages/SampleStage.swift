// `sample`: continuations of prompts, drawn from a policy.

import Experiments
import JSON
import Models

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
  /// Those of `logitsFilters`, in their order.
  static let filters = logitsFilters.map(\.option)
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
    aliases: ["max_tokens", "max_completion_tokens", "num_predict"],
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
      "adds for each token of each sample, the end token included, in nats: log_probabilities and entropies, its log-probability under the model and the entropy of the model's distribution, at temperature 1 and unfiltered; and sampling_log_probabilities, its log-probability in what it was drawn from, at the temperature, after penalties and filters"
  )
  static let condition = StageOption<ConditionChoice>(
    "condition",
    .either(
      .mapped(.choice(ConditionWord.self)) { $0 == .best ? .best : .none },
      .object([prefix.field]) { .text($0[prefix]) },
      .object([classNumber.field]) { .numbered($0[classNumber]) },
      .object([column.field, template.field]) { .column($0[column], template: $0[template]) }),
    default: "none",
    summary:
      "what is put before the prompt; `best` means none for a model that was never conditioned, and one of its exemplars, drawn by the row's id, for a model that was trained with texts of the samples' own"
  )

  private enum ConditionWord: String, CaseIterable { case none, best }
  private static let prefix = StageOption("text", .string, summary: "a prefix of your own")
  private static let column = StageOption(
    "column", .string,
    summary:
      "a column with a text for each row, such as `exemplar`; a row that has null is sampled without condition"
  )
  private static let template = StageOption(
    "template", .optional(.string), default: nil,
    summary: "text around `{value}`, that of the column; with null the model's own, as it was trained")
  private static let classNumber = StageOption(
    "class", .integer(0...1_000_000), summary: "a class of the model, 0 the best")

  package static let declaration = StageDeclaration(
    name: "sample",
    summary: "Draws continuations of each prompt from a model.",
    version: 3,
    inputs: [
      InputPort("model", .model, summary: "the policy"),
      InputPort(
        "server", .model, required: false,
        summary:
          "a model with `serve`: the server that is started on the policy, asked and ended; it draws in the place of this program"
      ),
      InputPort("prompts", .rows, columns: ["prompt"], summary: "one prompt per row"),
    ],
    outputs: [
      OutputPort(
        "rows", .rows, passesThrough: "prompts",
        samples: ["generations", "tokens", "lengths", "finished", "finish", "conditioning"],
        replacesSamples: true,
        summary: "the prompts with their samples")
    ],
    options: [n.field, temperature.field] + filters.map(\.field) + [
      repetitionPenalty.field, presencePenalty.field, frequencyPenalty.field, badWords.field,
      minNewTokens.field, maxNewTokens.field, stop.field, keepStop.field, statistics.field, condition.field,
    ] + PromptOptions.fields,
    isRandom: true, numerics: .ofModels(),
    rowsAreIndependent: true, estimate: estimate)

  package static func declaration(for options: JSON) -> StageDeclaration {
    statistics.value(in: options) ?? false
      ? declaration.giving("rows", samples: statisticsColumns) : declaration
  }

  private static let statisticsColumns = ["log_probabilities", "entropies", "sampling_log_probabilities"]

  package func itemCount(of row: Row, options: StageOptions) throws -> Int { options[Self.n] }

  package func process(
    _ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void
  ) throws {
    if let server = try AskedServer("model", context) {
      return try AskedSampleRun(items, server, context).draw(emit)
    }
    let run = try SampleRun(items, context)
    if context.inputs["server"]?.server != nil { return try run.drawByServer(emit) }
    try run.draw(emit)
  }

  package func report(_ results: [[JSON]], to context: StageContext) throws {
    if context.input("model").server != nil { return try report(asked: results, to: context) }
    let checkpoint = try context.checkpoint("model")
    let tokenizer = try checkpoint.requireTokenizer()
    context.declareTokenizer(
      tokenizer.identity(without: try TrainedTokens(checkpoint).all), ofColumn: "tokens", of: "rows")
    let leftOut = results.count { SampleRun.isLeftOut($0) }
    context.leaveOut(leftOut, "prompts that are too long")
    context.cut(results.count { SampleRun.isCut($0) }, "prompts")
    if case .column(let column, _) = context.options[Self.condition] {
      let bare = results.count { $0.first?["conditioning"]?.isNull ?? false }
      if bare > 0 {
        context.log(
          "\(bare) of \(results.count) prompts have no `\(column)`, and are sampled without condition")
      }
    }
    guard leftOut == 0 || leftOut < results.count else {
      throw InputError(
        "all \(leftOut) prompts are too long and left out, so there is nothing to sample; raise `max_length`, or write `overflow: cut`"
      )
    }
  }

  package func assemble(_ row: Row, results: [JSON], options: StageOptions) throws -> Row? {
    if SampleRun.isLeftOut(results) || results.contains(where: { AskedSampleRun.failure(of: $0) != nil }) {
      return nil
    }
    var row = row
    row["generations"] = .array(results.map { $0["text"] ?? .null })
    row["tokens"] = .array(results.map { $0["tokens"] ?? .null })
    row["lengths"] = .array(results.map { $0["length"] ?? .null })
    row["finished"] = .array(results.map { $0["finished"] ?? .null })
    row["finish"] = .array(results.map { $0["finish"] ?? .null })
    row["conditioning"] = .array(results.map { $0["conditioning"] ?? .null })
    if options[Self.statistics] {
      for column in Self.statisticsColumns {
        row[column] = .array(results.map { $0[column] ?? .null })
      }
    }
    return row
  }
}

extension SampleStage {
  static let estimate: StageEstimate.Function = { input in
    let (model, prompts) = (input.input("model"), input.input("prompts"))
    let n = Double(input.options[SampleStage.n])
    let new = Double(input.options[SampleStage.maxNewTokens])
    let tokens = prompts.rows.map { Double($0) * n * new }
    let items = prompts.rows.flatMap { Estimates.integer(Double($0) * n) }
    let bytes = tokens.flatMap { tokens in
      Estimates.integer(
        Double(prompts.bytes ?? 0) + tokens * Estimates.bytesPerToken + Double(items ?? 0)
          * Double(Estimates.bytesPerItem))
    }
    let outputs = ["rows": ArtifactSize(rows: prompts.rows, items: items, bytes: bytes)]
    if var asked = Estimates.asking(
      input, "model", requests: items, tokens: Estimates.tokens(prompts).map { $0 * n }, reply: Int(new))
    {
      asked.outputs = outputs
      return asked
    }
    // What a server takes that is started here is not known.
    if input.input("server").facts[KnownArtifact.serverFact] != nil { return StageEstimate(outputs: outputs) }
    return StageEstimate(
      outputs: outputs,
      memoryBytes: ModelMemory(model, input.numericMode)?.reading,
      seconds: Estimates.seconds(
        tokens: tokens, parameters: model.items, passes: 2, rate: Estimates.sampling, input.threads))
  }
}

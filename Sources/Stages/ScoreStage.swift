// `score`: a number for each generation, by a model.

import JSON
import Models
import Runner

package struct ScoreStage: RowStage {
  package init() {}

  package static let rowsPort = "rows"

  package static let declaration = StageDeclaration(
    name: "score",
    summary: "Scores each generation with a model.",
    version: 2,
    inputs: [
      InputPort("model", .model, summary: "the language model that chooses, or the reward model"),
      InputPort("rows", .rows, columns: ["prompt", "generations"], summary: "rows to score"),
    ],
    outputs: [
      OutputPort(
        "rows", .rows, passesThrough: "rows", samples: ["rewards"], summary: "the rows with their rewards")
    ],
    options: [
      OptionField(
        "scorer",
        .variant([
          OptionVariant(
            "choice",
            [
              OptionField(
                "template", .string,
                summary: "the question, with `{prompt}` and `{generation}`; may contain special tokens"),
              OptionField(
                "labels", .list(.string, count: 2...1000), summary: "the answers to choose between"),
              OptionField("reward", .string, summary: "the label whose probability is the reward"),
            ],
            summary: "the probability a language model gives one label, normalised over the labels"),
          OptionVariant(
            "reward",
            [
              OptionField(
                "template", .string, default: "{prompt}{generation}",
                summary: "the text to score, with `{prompt}` and `{generation}`")
            ],
            summary:
              "the score of a reward model (a sequence classification head of one output) at the last token"),
        ]), summary: "how the score is made")
    ],
    numerics: .ofModels, numericModes: NumericMode.allCases.map(\.rawValue), rowsAreIndependent: true,
    estimate: Estimates.score)

  package func itemCount(of row: Row, options: StageOptions) throws -> Int {
    guard let generations = row["generations"]?.arrayValue else {
      throw InputError("row `\(row.id)`: `generations` is not a list")
    }
    return generations.count
  }

  package func process(
    _ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void
  ) throws {
    let scorer = context.options.object("scorer")
    let isChoice = scorer.string("kind") == "choice"
    let checkpoint = try context.checkpoint("model", allowingRewardModel: !isChoice)
    let tokenizer = try checkpoint.requireTokenizer()
    let template = try ScoringTemplate(scorer.string("template"))
    let labels = isChoice ? scorer.strings("labels") : []
    let labelTokens = labels.map { tokenizer.encode($0, parseSpecial: true) }
    let longest = labelTokens.map(\.count).max() ?? 0
    let limit = checkpoint.configuration.contextLength - longest
    warnOfUnreadMarkers([template.literal], tokenizer, log: context.log)
    let texts = try items.map { item -> [Int32] in
      let tokens = try template.text(of: item).tokens(tokenizer)
      guard tokens.count <= limit, !tokens.isEmpty else {
        throw InputError(
          "row `\(item.row.id)`: the text to score has \(tokens.count) tokens; 1 to \(limit) are allowed, since the model's context is \(checkpoint.configuration.contextLength)"
            + (isChoice ? " and the longest label has \(longest)" : ""))
      }
      return tokens
    }
    let counter = ScoreProgress(context, total: items.count, tokens: texts.map(\.count))
    guard isChoice else {
      let model = try RewardModel(checkpoint, decoder: try context.decoder(checkpoint))
      do {
        try model.score(texts, memory: context.engineMemory(), checkpoint: context.checkCancellation) {
          index, score in
          try emit(items[index], .double(Double(score)))
          counter.finish(index)
        }
      } catch let error as LogitsNotFinite {
        throw checkpoint.inputError(error, for: "row `\(items[error.index].row.id)`")
      }
      counter.close()
      return
    }
    guard let wanted = labels.firstIndex(where: { $0.utf8.elementsEqual(scorer.string("reward").utf8) })
    else {
      throw InputError(
        "`reward` is `\(scorer.string("reward"))`, which is none of `labels`: \(labels.map { "`\($0)`" }.joined(separator: ", "))"
      )
    }
    guard !labelTokens.contains(where: \.isEmpty) else { throw InputError("a label of `labels` is empty") }
    let engine = SequenceScorer(
      try context.decoder(checkpoint), memory: context.engineMemory(), tokenBudget: context.engineBatch(1024))
    do {
      try engine.score(
        texts.map { ScoringItem(context: $0, continuations: labelTokens) },
        checkpoint: context.checkCancellation
      ) { index, scores in
        let probabilities = softmax(scores.map { $0.reduce(0) { $0 + Double($1) } })
        try emit(items[index], .double(probabilities[wanted]))
        counter.finish(index)
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(items[error.index].row.id)`")
    }
    counter.close()
  }

  package func assemble(_ row: Row, results: [JSON], options: StageOptions) throws -> Row {
    var row = row
    row["rewards"] = .array(results)
    return row
  }
}

/// Progress of scoring, with tokens a second.
final class ScoreProgress {
  private let context: StageContext
  private let total: Int
  private let tokens: [Int]
  private let started = ContinuousClock.now
  private var done = 0
  private var doneTokens = 0

  init(_ context: StageContext, total: Int, tokens: [Int]) {
    self.context = context
    self.total = total
    self.tokens = tokens
  }

  private var rate: Double { Double(doneTokens) / max((ContinuousClock.now - started) / .seconds(1), 1e-3) }

  func finish(_ index: Int) {
    done += 1
    doneTokens += tokens[index]
    context.progress(done, of: total, unit: "generations", message: "\(Int(rate)) tokens/s")
  }

  func close() {
    context.measure("tokens", Double(doneTokens))
    context.measure("tokens_per_second", rate)
  }
}

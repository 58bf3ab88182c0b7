// `kind: likelihood`: how probable a language model finds the generation after its prompt.

import Experiments
import JSON
import Models

/// Source: METHODS 1.13 for the perplexity of each generation.
struct LikelihoodScorer: Scorer {
  static let kind = "likelihood"
  static let summary =
    "how probable a language model finds the generation after its prompt, without conditioning and end token; one without tokens has no score"
  static let options = [output.field, TargetSource.option.field.originally("text")] + PromptOptions.fields
  static let inputs = [InputPort("model", .model, summary: "the language model that reads")]
  static let columns = ["prompt", "generations"]
  static let computes = true

  private static let output = StageOption(
    "output", .choice(Output.self), default: "mean", aliases: ["reduction", "aggregate"],
    summary:
      "of its tokens' log-probabilities, in nats, the `mean` or the `sum`, or the `perplexity`, `exp(-mean)`")

  private enum Output: String, CaseIterable { case mean, sum, perplexity }

  private let output: Output
  private let targets: TargetSource
  private let prompts: PromptOptions

  init(_ options: StageOptions) {
    output = options[Self.output]
    targets = options[TargetSource.option]
    prompts = PromptOptions(options)
  }

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    findings.want(.language, at: "model", in: stage)
    findings.want(prompts.length, below: "scorer.", promptsAt: "rows", readBy: ["model"], in: stage)
    findings.want(chat: prompts.chat, at: "scorer.chat", model: "model", rows: "rows", in: stage)
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    Estimates.scoringWithModel(tokens: Estimates.tokens(input.input("rows")), by: input.input("model"), input)
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    let checkpoint = try context.checkpoint("model")
    let tokenizer = try checkpoint.requireTokenizer()
    var reader = try ContinuationReader(
      prompts, targets, context.input("rows").columns, checkpoint, tokenizer)
    let readings = try items.map { try reader.read(try $0.generation(), $0.item, of: $0.row) }
    try reader.close(context)
    var fitting: [(item: RowItem, text: ScoringItem, isCut: Bool)] = []
    for case (let item, .item(let text, let isCut)) in zip(items, readings) {
      fitting.append((item, text, isCut))
    }
    let progress = ScoreProgress(
      context, total: fitting.count,
      tokens: fitting.map { $0.text.context.count + $0.text.continuations[0].count })
    try context.showInputs(fitting.count, tokenizer) {
      ModelInput(
        "\(fitting[$0].item.row.id)#\(fitting[$0].item.item)", fitting[$0].text.context,
        predicts: fitting[$0].text.continuations[0])
    }
    for (item, reading) in zip(items, readings) {
      switch reading {
      case .item: break
      case .empty: try emit(item, .missing)
      case .tooLong: try emit(item, .leftOut)
      }
    }
    if fitting.isEmpty { return }
    let engine = SequenceScorer(
      try context.decoder(checkpoint), memory: context.engineMemory(), tokenBudget: context.engineBatch(1024))
    do {
      try engine.score(fitting.map(\.text), checkpoint: context.checkCancellation) { index, scores in
        let (item, _, isCut) = fitting[index]
        let score = score(of: scores[0])
        guard score.isFinite else {
          throw InputError(
            "\(checkpoint.path): the perplexity of row `\(item.row.id)` overflows for generation \(item.item); write `output: mean`"
          )
        }
        try emit(item, isCut ? .rewardOfCutText(score) : .reward(score))
        progress.finish(index)
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(fitting[error.index].item.row.id)`")
    }
    progress.close()
  }

  private func score(of logProbabilities: [Float]) -> Double {
    let sum = logProbabilities.reduce(0) { $0 + Double($1) }
    let mean = sum / Double(logProbabilities.count)
    return switch output {
    case .mean: mean
    case .sum: sum
    case .perplexity: exponential(-mean)
    }
  }
}

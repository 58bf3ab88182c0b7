// `perplexity`: how probable a reference model finds the generations.

import JSON
import Models
import Runner

/// The mean over generations of exp(-mean log-probability of the generation's tokens after its prompt, without conditioning). Empty
/// generations have no perplexity and are counted as left out.
/// Source: METHODS 1.13.
struct PerplexityMetric: Metric {
  static let name = "perplexity"
  static let summary = "under `reference`, the mean over generations"
  static let numbers = ["perplexity"]
  static let inputs = [
    InputPort("reference", .model, required: false, summary: "the model whose perplexity is measured")
  ]

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    findings.want(.language, at: "reference", in: stage)
    findings.want(chat: stage.options[ChatOption.option], model: "reference", rows: "rows", in: stage)
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate? {
    let reference = input.input("reference")
    guard reference.items != nil else { return nil }
    return Estimates.scoringWithModel(
      tokens: Estimates.tokens(input.input("rows")), by: reference, input)
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let checkpoint = try context.checkpoint("reference")
    let (items, ids) = try items(of: generations, checkpoint, PromptOptions(context.options))
    guard !items.isEmpty else {
      throw InputError("\(generations.path): all generations are empty, so there is no perplexity")
    }
    context.leaveOut(generations.samples.count - items.count, "empty generations")
    let progress = ScoreProgress(
      context, total: items.count, tokens: items.map { $0.context.count + $0.continuations[0].count })
    var sum = 0.0
    let scorer = SequenceScorer(
      try context.decoder(checkpoint), memory: context.engineMemory(), tokenBudget: context.engineBatch(1024))
    do {
      try scorer.score(items, checkpoint: context.checkCancellation) { index, scores in
        let logProbabilities = scores[0]
        let mean = logProbabilities.reduce(0) { $0 + Double($1) } / Double(logProbabilities.count)
        let perplexity = exponential(-mean)
        guard perplexity.isFinite else {
          throw InputError(
            "\(checkpoint.path): the perplexity of row `\(ids[index])` overflows: the reference gives a token of its generation a log-probability of \(mean) on average"
          )
        }
        sum += perplexity
        progress.finish(index)
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(ids[error.index])`")
    }
    progress.close()
    return [.double(sum / Double(items.count))]
  }

  /// What the model reads, and the ids of the rows it is from.
  private func items(of generations: Generations, _ checkpoint: Checkpoint, _ options: PromptOptions) throws
    -> (items: [ScoringItem], ids: [String])
  {
    let tokenizer = try checkpoint.requireTokenizer()
    let reader = try PromptReader(options, checkpoint, tokenizer)
    var items: [ScoringItem] = []
    var ids: [String] = []
    for (row, text) in generations.samples {
      let prompt = try reader.text(of: row).tokens(tokenizer)
      let generation = reader.tokens(ofGeneration: text)
      if generation.isEmpty || prompt.isEmpty { continue }
      guard prompt.count + generation.count <= checkpoint.configuration.contextLength else {
        throw InputError(
          "row `\(row.id)`: prompt and generation exceed the reference's context of \(checkpoint.configuration.contextLength) tokens"
        )
      }
      items.append(ScoringItem(context: prompt, continuations: [generation]))
      ids.append(row.id)
    }
    return (items, ids)
  }
}

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
  static func numbers(for options: JSON) -> [String] {
    numbers + LengthPolicy.lossNames(of: name, options)
  }
  static let inputs = [
    InputPort("reference", .model, required: false, summary: "the model whose perplexity is measured")
  ]

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    findings.want(.language, at: "reference", in: stage)
    findings.want(chat: stage.options[ChatOption.option], model: "reference", rows: "rows", in: stage)
    findings.want(
      PromptOptions(stage.options).length, promptsAt: "rows", readBy: ["reference"], in: stage)
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate? {
    let reference = input.input("reference")
    guard reference.items != nil else { return nil }
    return Estimates.scoringWithModel(
      tokens: Estimates.tokens(input.input("rows")), by: reference, input)
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let checkpoint = try context.checkpoint("reference")
    let read = try read(generations, checkpoint, context)
    let (items, ids) = (read.items, read.ids)
    guard !items.isEmpty else {
      throw InputError(
        "\(generations.path): all generations are \(read.dropped == 0 ? "empty" : read.empty == 0 ? "too long" : "empty or too long"), so there is no perplexity"
      )
    }
    context.leaveOut(read.empty, "empty generations")
    context.leaveOut(read.dropped, "generations that are too long")
    context.cut(read.cut, "generations")
    let progress = ScoreProgress(
      context, total: items.count, tokens: items.map { $0.context.count + $0.continuations[0].count })
    try context.showInputs(items.count, checkpoint.requireTokenizer()) {
      ModelInput(ids[$0], items[$0].context, predicts: items[$0].continuations[0])
    }
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
    let losses = Self.numbers(for: context.options.json).dropFirst()
    let lost = PromptOptions(context.options).length.overflow == .cut ? read.cut : read.dropped
    return [.double(sum / Double(items.count))] + losses.map { _ in .int(Int64(lost)) }
  }

  /// What the model reads.
  private struct Read {
    var items: [ScoringItem] = []
    /// Of the rows that the items are from.
    var ids: [String] = []
    var empty = 0
    var dropped = 0
    var cut = 0
  }

  /// - Throws: `InputError` when a generation and its prompt are too long.
  private func read(_ generations: Generations, _ checkpoint: Checkpoint, _ context: StageContext) throws
    -> Read
  {
    let options = PromptOptions(context.options)
    let tokenizer = try checkpoint.requireTokenizer()
    var drawnTokens = try DrawnTokensReader(
      context.options[TargetSource.option], generations.table, checkpoint, tokenizer)
    let reader = try PromptReader(options, checkpoint, tokenizer)
    var limit = try LengthLimit(
      options.length, of: "generations with their prompts", tokenizer,
      contextLength: checkpoint.configuration.contextLength)
    var read = Read()
    for (row, index, text) in generations.samples {
      let prompt = try reader.text(of: row)
      let tokens = prompt.tokens(tokenizer)
      let drawn = try drawnTokens.tokens(
        SampleLists(row, generations.table), index, of: row, text: text)
      let generation = reader.tokens(ofGeneration: text, drawn: drawn)
      if tokens.isEmpty || generation.isEmpty {
        read.empty += 1
        continue
      }
      func left(_ cut: TextCut?) -> [Int32] { cut.map { prompt.cut($0).tokens(tokenizer) } ?? tokens }
      let fitted = try limit.fit(
        prompt,
        count: { cut in
          let left = left(cut)
          return left.isEmpty ? nil : left.count
        }, generation: text, output: generation, end: nil, reader, named: "row `\(row.id)`",
        tokens: { reader.tokens(ofGeneration: $0, drawn: drawn) })
      guard let fitted else {
        read.dropped += 1
        continue
      }
      if fitted.isCut { read.cut += 1 }
      read.items.append(ScoringItem(context: left(fitted.promptCut), continuations: [fitted.output]))
      read.ids.append(row.id)
    }
    try limit.requireFit()
    drawnTokens.report(to: context)
    return read
  }
}

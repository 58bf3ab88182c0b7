// `perplexity`: how probable a reference model finds the generations.

import Experiments
import JSON
import Models

/// The mean over generations of exp(-mean log-probability of the generation's tokens after its prompt, without conditioning). Empty
/// generations have no perplexity and are counted as left out.
/// Source: METHODS 1.13, with `below: 10000` that of the toxicity task.
struct PerplexityMetric: Metric {
  static let name = "perplexity"
  static let summary =
    "under `reference`, the mean over generations (`perplexity`); with `below`, how many are left out by it (`perplexity_discarded`)"
  static let languageModels = ["reference"]
  static let inputs = [
    InputPort("reference", .model, required: false, summary: "the model whose perplexity is measured")
  ]

  static let options = [below.field]
  private static let below = StageOption(
    "below", .optional(.number(0...1e300, exclusiveMinimum: true)), default: nil, aliases: ["cap", "max"],
    summary: "generations with this perplexity or more are left out of the mean and counted")

  private let below: Double?

  init(_ options: StageOptions) { below = options[Self.below] }

  func numbers(for options: JSON) -> [String] {
    MeanNumbers.names(Self.name, options) + (below == nil ? [] : ["\(Self.name)_discarded"])
      + LengthPolicy.lossNames(of: Self.name, options)
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
    var perplexities = [Double](repeating: 0, count: items.count)
    let scorer = SequenceScorer(
      try context.decoder(checkpoint), memory: context.engineMemory(), tokenBudget: context.engineBatch(1024))
    do {
      try scorer.score(items, checkpoint: context.checkCancellation) { index, scores in
        let logProbabilities = scores[0]
        let mean = logProbabilities.reduce(0) { $0 + Double($1) } / Double(logProbabilities.count)
        let perplexity = exponential(-mean)
        guard perplexity.isFinite || below != nil else {
          throw InputError(
            "\(checkpoint.path): the perplexity of row `\(ids[index])` overflows: the reference gives a token of its generation a log-probability of \(mean) on average"
          )
        }
        perplexities[index] = perplexity
        progress.finish(index)
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(ids[error.index])`")
    }
    progress.close()
    let kept = perplexities.map { perplexity in below.map { perplexity < $0 } ?? true ? perplexity : nil }
    let discarded = kept.count { $0 == nil }
    context.leaveOut(discarded, "generations with too high a perplexity")
    let losses = LengthPolicy.lossNames(of: Self.name, context.options.json)
    let lost = PromptOptions(context.options).length.overflow == .cut ? read.cut : read.dropped
    return try MeanNumbers.values(of: ClusteredMean(Self.byRow(kept, ids)), context)
      + (below == nil ? [] : [.int(Int64(discarded))]) + losses.map { _ in .int(Int64(lost)) }
  }

  /// - Parameter ids: of each value's row, those of one row side by side.
  private static func byRow(_ values: [Double?], _ ids: [String]) -> [[Double]] {
    var rows: [[Double]] = []
    for (index, value) in values.enumerated() {
      if index == 0 || UTF8Key(ids[index]) != UTF8Key(ids[index - 1]) { rows.append([]) }
      if let value { rows[rows.count - 1].append(value) }
    }
    return rows
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
    var reader = try ContinuationReader(
      PromptOptions(context.options), context.options[TargetSource.option], generations.table, checkpoint,
      checkpoint.requireTokenizer())
    var read = Read()
    for (row, index, text) in generations.samples {
      switch try reader.read(text, index, of: row) {
      case .empty: read.empty += 1
      case .tooLong: read.dropped += 1
      case .item(let item, let isCut):
        if isCut { read.cut += 1 }
        read.items.append(item)
        read.ids.append(row.id)
      }
    }
    try reader.close(context)
    return read
  }
}

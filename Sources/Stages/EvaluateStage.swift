// `evaluate`: numbers about a set of generations.

import JSON
import Models
import Runner

/// Source: METHODS 1.13. Rewards and perplexities are means over generations, distinct-n is pooled.
package struct EvaluateStage: Stage {
  package init() {}

  enum Metric: String, CaseIterable { case reward, perplexity, distinct }

  static let metrics = StageOption(
    "metrics", .list(.choice(Metric.self), count: 1...3),
    default: ["reward", "perplexity", "distinct"], summary: "what to measure")

  package static let declaration = StageDeclaration(
    name: "evaluate",
    summary: "Measures generations: reward, perplexity under a reference, distinct n-grams.",
    version: 2,
    inputs: [
      InputPort(
        "rows", .rows, columns: ["prompt", "generations"], summary: "rows, scored if `metrics` names `reward`"
      ),
      InputPort("reference", .model, required: false, summary: "the model whose perplexity is measured"),
    ],
    outputs: [
      OutputPort(
        "metrics", .metrics, summary: "`reward`, `perplexity`, `distinct_1` to `distinct_3`, `generations`")
    ],
    options: [metrics.field],
    numerics: .ofModels, numericModes: NumericMode.allCases.map(\.rawValue), estimate: Estimates.evaluate)

  package func run(_ context: StageContext) throws {
    let wanted = context.options[Self.metrics]
    let rows = try readRows(
      context.input("rows").path,
      requiring: ["prompt", "generations"] + (wanted.contains(.reward) ? ["rewards"] : []))
    let samples = try rows.flatMap { row in
      let prompt = try ModelText(promptOf: row)
      return try Self.generations(of: row).map { (row: row, prompt: prompt, text: $0) }
    }
    guard !samples.isEmpty else {
      throw InputError("\(context.input("rows").path): there are no generations to evaluate")
    }
    var metrics = JSONObject([("generations", .int(Int64(samples.count)))])
    if wanted.contains(.reward) { try addReward(rows, &metrics, context) }
    if wanted.contains(.perplexity) { metrics["perplexity"] = .double(try perplexity(samples, context)) }
    if wanted.contains(.distinct) {
      for n in 1...3 {
        metrics["distinct_\(n)"] = distinctN(samples.map(\.text), n: n).map { .double($0) } ?? .null
      }
    }
    try writeMetrics(.object(metrics), to: context.output("metrics", .metrics))
  }

  /// - Throws: `InputError` naming the row and the entry.
  private static func generations(of row: Row) throws -> [String] {
    let value = row["generations"]
    guard let values = value?.arrayValue else {
      throw InputError(
        "row `\(row.id)`: `generations` is \(value?.kind ?? "missing"); expected a list of strings")
    }
    return try values.enumerated().map { index, value in
      guard let text = value.stringValue else {
        throw InputError("row `\(row.id)`: generation \(index) is \(value.kind); expected a string")
      }
      return text
    }
  }

  private func addReward(_ rows: [Row], _ metrics: inout JSONObject, _ context: StageContext) throws {
    let table = context.input("rows").columns
    let rewards = try rows.flatMap { try rewardList(of: $0, table) }
    let known = rewards.compactMap { $0 }
    guard !known.isEmpty else {
      throw InputError("\(context.input("rows").path): no generation has a reward")
    }
    context.leaveOut(rewards.count - known.count, "generations without reward")
    let (mean, deviation) = meanAndDeviation(known)
    metrics["reward"] = .double(mean)
    metrics["reward_deviation"] = .double(deviation)
  }

  /// The mean over generations of exp(-mean log-probability of the generation's tokens after its prompt, without
  /// conditioning). Empty generations have no perplexity and are counted in the log.
  private func perplexity(
    _ samples: [(row: Row, prompt: ModelText, text: String)], _ context: StageContext
  ) throws -> Double {
    guard context.inputs["reference"] != nil else {
      throw InputError("`metrics` asks for perplexity, which needs the input `reference`")
    }
    let checkpoint = try context.checkpoint("reference")
    let tokenizer = try checkpoint.requireTokenizer()
    var items: [ScoringItem] = []
    var ids: [String] = []
    for (row, prompt, text) in samples {
      let prompt = prompt.tokens(tokenizer)
      let generation = tokenizer.encode(text)
      if generation.isEmpty || prompt.isEmpty { continue }
      guard prompt.count + generation.count <= checkpoint.configuration.contextLength else {
        throw InputError(
          "row `\(row.id)`: prompt and generation exceed the reference's context of \(checkpoint.configuration.contextLength) tokens"
        )
      }
      items.append(ScoringItem(context: prompt, continuations: [generation]))
      ids.append(row.id)
    }
    guard !items.isEmpty else {
      throw InputError("\(context.input("rows").path): all generations are empty, so there is no perplexity")
    }
    context.leaveOut(samples.count - items.count, "empty generations")
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
    return sum / Double(items.count)
  }
}

/// Of the population. Divided by the largest one's power of two on the way, which changes no digit, so that no square overflows or
/// vanishes.
func meanAndDeviation(_ numbers: [Double]) -> (mean: Double, deviation: Double) {
  let largest = numbers.reduce(0) { max($0, $1.magnitude) }
  let scale = largest.isNormal ? largest.binade : 1
  let scaled = numbers.map { $0 / scale }
  let count = Double(numbers.count)
  let mean = scaled.reduce(0, +) / count
  let squares = scaled.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (mean * scale, (squares / count).squareRoot() * scale)
}

// `kl`: how far the policy that wrote the generations is from a reference model.

import Experiments
import JSON
import Models

/// The Kullback-Leibler divergence of the policy from the reference, KL(policy || reference), estimated from the policy's own samples: the mean over their
/// tokens of log p_policy - log p_reference. It is that divergence where generations were drawn from the policy at temperature 1 and without
/// filters; from other samples it is a difference of likelihoods. The policy reads each generation's `conditioning`, the reference never does; the end token is not
/// counted.
/// Source: METHODS 1.10, direction of the KL term; the estimator is the first of Schulman, "Approximating KL divergence", 2020.
struct DivergenceMetric: Metric {
  static let name = "kl"
  static let summary =
    "KL(policy || reference) by the log-probabilities of the generations under the models `policy`, with the rows' conditioning, and `reference`, without, in nats: the mean over tokens (`kl`) and, summed over each generation's tokens, over generations (`kl_sum`)"
  static let languageModels = ["policy", "reference"]
  static let inputs = [
    InputPort("policy", .model, required: false, summary: "the model that wrote the generations, for `kl`"),
    InputPort("reference", .model, required: false, summary: "the model that it is compared with"),
  ]

  init(_ options: StageOptions) {}

  func numbers(for options: JSON) -> [String] {
    ["kl", "kl_sum"].flatMap { MeanNumbers.names($0, options) }
      + LengthPolicy.lossNames(of: Self.name, options)
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate? {
    let models = Self.languageModels.map { input.input($0) }
    guard models.allSatisfy({ $0.items != nil }) else { return nil }
    let tokens = Estimates.tokens(input.input("rows"))
    let estimates = models.map { Estimates.scoringWithModel(tokens: tokens, by: $0, input) }
    return StageEstimate(
      memoryBytes: estimates.compactMap(\.memoryBytes).max(),
      seconds: estimates.compactMap(\.seconds).reduce(0, +))
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let options = PromptOptions(context.options)
    let checkpoints = try Self.languageModels.map { try context.checkpoint($0) }
    let read = try checkpoints.enumerated().map { index, checkpoint in
      try self.read(generations, checkpoint, context, conditioned: index == 0)
    }
    // By place among all generations.
    let places = generations.samples.indices.filter { place in read.allSatisfy { $0.items[place] != nil } }
    guard !places.isEmpty else {
      throw InputError(
        "\(generations.path): all generations are empty or too long, so there is no divergence")
    }
    try requireSameTokens(read, places, generations)
    context.leaveOut(read[0].empty, "empty generations")
    let lost = options.length.overflow == .cut
    let tooLong = generations.samples.count - places.count - read[0].empty
    context.leaveOut(tooLong, "generations that are too long")
    let cut = places.count { place in read.contains { $0.isCut[place] } }
    context.cut(cut, "generations")
    let tokenizer = try checkpoints[0].requireTokenizer()
    let items = read.map { read in places.compactMap { read.items[$0] } }
    try context.showInputs(places.count, tokenizer) {
      ModelInput(
        generations.samples[places[$0]].row.id, items[0][$0].context, predicts: items[0][$0].continuations[0])
    }
    let names = places.map { generations.samples[$0].row.id }
    let progress = ScoreProgress(
      context, total: 2 * places.count,
      tokens: items.joined().map { $0.context.count + $0.continuations[0].count })
    let policy = try logProbabilities(items[0], checkpoints[0], names, context) { progress.finish($0) }
    let reference = try logProbabilities(items[1], checkpoints[1], names, context) {
      progress.finish(places.count + $0)
    }
    progress.close()
    var differences = [[Double]?](repeating: nil, count: generations.samples.count)
    for (place, (p, q)) in zip(places, zip(policy, reference)) {
      differences[place] = zip(p, q).map { Double($0) - Double($1) }
    }
    let sums = differences.map { $0.map { $0.reduce(0, +) } }
    return try MeanNumbers.values(of: ClusteredMean(byPrompt(differences, generations)), context)
      + MeanNumbers.values(of: ClusteredMean(generations.byRow(sums)), context)
      + LengthPolicy.lossNames(of: Self.name, context.options.json).map { _ in
        .int(Int64(lost ? cut : tooLong))
      }
  }

  /// All tokens of a prompt's generations.
  private func byPrompt(_ values: [[Double]?], _ generations: Generations) -> [[Double]] {
    var rest = values[...]
    return generations.rows.map { row in
      let count = row["generations"]?.arrayValue?.count ?? 0
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count).flatMap { $0 ?? [] }
    }
  }

  /// What a model reads, by place among all generations.
  private struct Read {
    var items: [ScoringItem?] = []
    var isCut: [Bool] = []
    var empty = 0
  }

  private func read(
    _ generations: Generations, _ checkpoint: Checkpoint, _ context: StageContext, conditioned: Bool
  ) throws -> Read {
    var reader = try ContinuationReader(
      PromptOptions(context.options), context.options[TargetSource.option], generations.table, checkpoint,
      checkpoint.requireTokenizer())
    let known = conditioned ? try Conditioning(checkpoint) : nil
    // What the model's own prefixes stand after is not in the rows.
    func prefix(_ text: String) -> ModelText {
      let own = known.flatMap { known in
        known.prefixes.contains { $0.utf8.elementsEqual(text.utf8) } ? known : nil
      }
      return own?.text(text) ?? ModelText(literal: text)
    }
    var read = Read()
    for row in generations.rows {
      let lists = try SampleLists(row, generations.table)
      for (index, generation) in (lists["generations"] ?? []).enumerated() {
        let conditioning = conditioned ? lists["conditioning"]?[index].stringValue : nil
        let reading = try reader.read(
          generation.stringValue ?? "", index, of: row, after: conditioning.map(prefix) ?? ModelText())
        if case .empty = reading { read.empty += 1 }
        if case .item(let item, let isCut) = reading {
          read.items.append(item)
          read.isCut.append(isCut)
        } else {
          read.items.append(nil)
          read.isCut.append(false)
        }
      }
    }
    try reader.close(context)
    return read
  }

  private func requireSameTokens(_ read: [Read], _ places: [Int], _ generations: Generations) throws {
    for place in places {
      let outputs = read.map { $0.items[place]?.continuations[0] ?? [] }
      guard outputs[0] != outputs[1] else { continue }
      throw InputError(
        "row `\(generations.samples[place].row.id)`: `policy` and `reference` do not read the same tokens of a generation, \(outputs[0].count) and \(outputs[1].count); `kl` needs models with one tokenizer"
      )
    }
  }

  private func logProbabilities(
    _ items: [ScoringItem], _ checkpoint: Checkpoint, _ rows: [String], _ context: StageContext,
    finish: (Int) -> Void
  ) throws -> [[Float]] {
    var found = [[Float]](repeating: [], count: items.count)
    let scorer = SequenceScorer(
      try context.decoder(checkpoint), memory: context.engineMemory(), tokenBudget: context.engineBatch(1024))
    do {
      try scorer.score(items, checkpoint: context.checkCancellation) { index, scores in
        found[index] = scores[0]
        finish(index)
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(rows[error.index])`")
    }
    return found
  }
}

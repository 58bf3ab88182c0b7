// What a training is given to train on, with the counts of what it was not given: outputs after their prompts, or whole texts.

import Experiments
import JSON
import Models

struct TrainingData {
  let examples: [TrainingExample]
  /// For the metrics: of what was left out or cut.
  let counts: [(name: String, count: Int)]
  /// Of a conditioning without classes: the best texts.
  let exemplars: [String]

  /// From the rows at a port, as the policy reads them.
  /// - Throws: `InputError` naming the row, or when there is nothing to train on.
  init(at port: String, for policy: StartingPolicy, _ context: StageContext) throws {
    let (options, artifact) = (context.options, context.input(port))
    let rows = try readRows(artifact.path, requiring: ["prompt", "generations"])
    if let texts = options[TrainStage.objective].texts {
      let read = try texts.examples(
        rows,
        TextReading(
          checkpoint: policy.checkpoint, tokenizer: policy.tokenizer, table: artifact.columns,
          context: context))
      examples = read.examples
      counts = Array(zip(type(of: texts).countNames, read.counts))
      exemplars = []
      return
    }
    let reader = try PromptReader(PromptOptions(options), policy.checkpoint, policy.tokenizer)
    let turns = TrainStage.trainedTurns(options)
    if turns == .all, policy.conditioning != nil {
      throw InputError("`turns: all` trains on turns that have no class; conditioning needs `turns: last`")
    }
    let read = try TrainingRows(
      tokenizer: policy.tokenizer, reader: reader,
      conditioning: try SampleConditioning(options[TrainStage.conditioning]),
      endToken: try Self.endToken(policy.checkpoint, reader, options),
      endRule: EndRule(options[TrainStage.end], maximumNewTokens: options[TrainStage.maxNewTokens]),
      turns: turns,
      contextLength: policy.configuration.contextLength, table: artifact.columns,
      drawnTokens: try DrawnTokensReader(
        options[TargetSource.option], artifact.columns, policy.checkpoint, policy.tokenizer)
    ).examples(rows, context: context)
    examples = read.examples
    exemplars = read.exemplars
    let length = reader.options.length
    counts = length.lossNames(of: "samples").map {
      ($0, length.overflow == .cut ? read.cut : read.dropped)
    }
  }

  /// The names of `counts`.
  static func countNames(for chosen: ChosenObjective, _ options: JSON) -> [String] {
    chosen.texts.map { type(of: $0).countNames } ?? LengthPolicy.lossNames(of: "samples", options)
  }

  /// In chat the one that ends the assistant's turn, wherever one is appended.
  private static func endToken(
    _ checkpoint: Checkpoint, _ reader: PromptReader, _ options: StageOptions
  ) throws -> Int32? {
    guard let chat = reader.chat else { return checkpoint.endTokens.first }
    return options[TrainStage.end] == .never ? nil : try chat.turnEnd()
  }

  /// How many sequences the policy reads: of an objective of whole texts, the texts.
  var inputCount: Int { examples.count * textsPerExample }

  /// One of them, for whoever looks at them.
  func input(_ index: Int) -> ModelInput {
    let example = examples[index / textsPerExample]
    if !example.texts.isEmpty {
      let text = example.texts[index % textsPerExample]
      // The head is read at neighbouring places.
      return ModelInput(
        example.id, text.tokens, targets: text.rows.first.map { [$0..<$0 + text.rows.count] } ?? [])
    }
    let start = example.context.count
    return ModelInput(
      example.id, example.tokens(conditioned: true),
      targets: example.targets.map { $0.lowerBound + start..<$0.upperBound + start })
  }

  /// The same of all.
  private var textsPerExample: Int { max(1, examples.first?.texts.count ?? 1) }
}

// `kind: reward`: the score of a reward model or a classifier.

import Experiments
import JSON
import Models

struct RewardScorer: Scorer {
  static let kind = "reward"
  static let summary =
    "the score of a reward model: its value head (`v_head.weight`), or a label of its classification head (`score.weight`), at the last token"
  static let options = RewardText.options + LabelScore.options
  static let inputs = [InputPort("model", .model, summary: "the reward model")]
  static let columns = ["prompt", "generations"]
  static let computes = true

  let text: RewardText
  let label: LabelScore.LabelName?
  let output: LabelScore.Output

  init(_ options: StageOptions) {
    text = RewardText(options)
    label = options[LabelScore.label]
    output = options[LabelScore.output]
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    Estimates.scoringWithModel(input, template: text.template)
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    let checkpoint = try context.checkpoint("model", .reward)
    let configuration = checkpoint.configuration
    let score: LabelScore
    do {
      score = try LabelScore(
        label: label, output: output, of: configuration.head, problemType: configuration.problemType)
    } catch { throw InputError("\(checkpoint.path): \(error)" + (error.help.map { "; \($0)" } ?? "")) }
    let tokenizer = try checkpoint.requireTokenizer()
    var reader = try RewardReader(
      text, tokenizer, contextLength: configuration.contextLength,
      chat: text.prompts.chat.map { try ChatFormat($0, of: checkpoint, tokenizer) },
      columns: context.input("rows").columns)
    if let trained = checkpoint.plumb?[RewardText.trainedKey] {
      for name in text.differences(from: trained) {
        context.log(
          "warning: `\(name)` is \((text.written[name] ?? .null).text()), but the model was trained with \((trained[name] ?? .null).text())"
        )
      }
    }
    let texts = try reader.texts(of: items, log: context.log)
    let fitting = zip(items, texts).compactMap { item, text in text.map { (item: item, text: $0) } }
    let progress = ScoreProgress(context, total: fitting.count, tokens: fitting.map(\.text.tokens.count))
    try context.showInputs(fitting.count, tokenizer) {
      ModelInput("\(fitting[$0].item.row.id)#\(fitting[$0].item.item)", fitting[$0].text.tokens)
    }
    for (item, text) in zip(items, texts) where text == nil { try emit(item, .leftOut) }
    if fitting.isEmpty { return }
    let model = RewardModel(try context.decoder(checkpoint))
    do {
      try model.score(
        fitting.map(\.text.tokens), memory: context.engineMemory(), checkpoint: context.checkCancellation
      ) { index, outputs in
        try emit(fitting[index].item, Score(score.score(outputs), of: fitting[index].text))
        progress.finish(index)
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(fitting[error.index].item.row.id)`")
    }
    progress.close()
  }
}

extension DecoderConfiguration {
  /// What the labels of a classifier are to each other, where its `config.json` says.
  var problemType: String? { carried["problem_type"]?.stringValue }
}

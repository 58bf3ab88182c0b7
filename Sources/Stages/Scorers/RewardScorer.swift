// `kind: reward`: the score of a reward model.

import JSON
import Models
import Runner

struct RewardScorer: Scorer {
  static let kind = "reward"
  static let summary =
    "the score of a reward model (a sequence classification head of one output) at the last token"
  static let options = [template.field]
  static let inputs = [InputPort("model", .model, summary: "the reward model")]
  static let columns = ["prompt", "generations"]
  static let computes = true

  private static let template = StageOption(
    "template", .string, default: "{prompt}{generation}",
    summary: "the text to score, with `{prompt}` and `{generation}`")

  private let template: String

  init(_ options: StageOptions) { template = options[Self.template] }

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    findings.want(.reward, at: "model", in: stage)
    findings.want(template: template, in: stage)
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    Estimates.scoringWithModel(input, template: template)
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Double?) throws -> Void) throws {
    let checkpoint = try context.checkpoint("model", .reward)
    let tokenizer = try checkpoint.requireTokenizer()
    let texts = try ScoringTemplate(template).tokens(of: items, checkpoint, tokenizer, context)
    let progress = ScoreProgress(context, total: items.count, tokens: texts.map(\.count))
    let model = RewardModel(try context.decoder(checkpoint))
    do {
      try model.score(texts, memory: context.engineMemory(), checkpoint: context.checkCancellation) {
        index, outputs in
        try emit(items[index], Double(outputs[0]))
        progress.finish(index)
      }
    } catch let error as LogitsNotFinite {
      throw checkpoint.inputError(error, for: "row `\(items[error.index].row.id)`")
    }
    progress.close()
  }
}

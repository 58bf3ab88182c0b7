// `score` with a reward model, before it runs: options against each other, and against the model's head and context.

import Models
import Runner

extension RewardScorer {
  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    findings.want(.reward, at: "model", in: stage)
    findings.want(template: text.template, textMarkers: text.textMarkers, in: stage)
    checkMarkers(stage, &findings)
    findings.want(text.prompts.length, below: "scorer.", promptsAt: "rows", readBy: ["model"], in: stage)
    checkTruncation(&findings)
    findings.want(chat: text.prompts.chat, at: "scorer.chat", model: "model", rows: "rows", in: stage)
    checkChat(&findings)
    if text.separator?.isEmpty == true {
      findings.error(
        .wrongValue, "`separator` is an empty text", at: .option("scorer.separator"), label: "empty",
        help: "remove it")
    }
    if text.split == .everywhere, text.separator == nil {
      findings.error(
        .conflictingOptions, "`split` is `everywhere`, but there is no `separator` at which to cut",
        at: .option("scorer.split"), label: "has nothing to act on")
    }
    guard let model = stage.artifact("model"), let head = model.head, WantedHead.reward.fits(head) else {
      return
    }
    do {
      _ = try LabelScore(
        label: label, output: output, of: head, problemType: model.facts[Fact.problemType]?.stringValue)
    } catch {
      findings.error(.wrongValue, error.description, at: .option("scorer.\(error.option)"), help: error.help)
    }
  }

  /// In chat the text is the template's of the model.
  private func checkChat(_ findings: inout StageFindings) {
    guard text.prompts.chat != nil else { return }
    let others: [(name: String, isSet: Bool)] = [
      ("template", text.template != "{prompt}{generation}"), ("text_markers", !text.textMarkers.isEmpty),
      ("strip", text.strips), ("separator", text.separator != nil),
    ]
    for other in others where other.isSet {
      findings.error(
        .conflictingOptions,
        "`\(other.name)` says how the text is made that is scored, but with `chat` the model's own template makes it",
        at: .option("scorer.\(other.name)"), label: "has nothing to act on", help: "remove it, or `chat`")
    }
  }

  private func checkMarkers(_ stage: StageCheck, _ findings: inout StageFindings) {
    for (index, marker) in text.textMarkers.enumerated()
    where marker.isEmpty || !text.template.contains(marker) {
      findings.error(
        .wrongValue, "`text_markers` contains `\(marker)`, which `template` does not contain",
        at: .option("scorer.text_markers.\(index)"), label: "not in the template")
    }
    guard let token = text.readBefore,
      let path = stage.artifact("model")?.facts[Fact.tokenizerPath]?.stringValue,
      let tokenizer = (try? openCheckpoint(path))?.tokenizer, !tokenizer.isAddedToken(token)
    else { return }
    findings.error(
      .wrongValue, "`read_before` is `\(token)`, which is no special token of the model at `model`",
      at: .option("scorer.read_before"), label: "no such token")
  }

  private func checkTruncation(_ findings: inout StageFindings) {
    let length = text.prompts.length
    guard length.truncation == .left else { return }
    let reason: String
    if length.overflow != .truncate {
      reason = "`overflow` is `\(length.overflow.rawValue)`, so no text is truncated"
    } else if length.maximum == nil {
      reason = "without `max_length` no text is cut"
    } else {
      return
    }
    findings.error(
      .conflictingOptions, "`truncation` is `left`, but \(reason)", at: .option("scorer.truncation"),
      label: "has nothing to act on", help: length.overflow == .truncate ? "write `max_length`" : "remove it")
  }
}

// `score` with a reward model, before it runs: options against each other, and against the model's head and context. How its texts are
// made is checked alike where a model is trained on such texts.

import Experiments
import JSON
import Models

extension RewardScorer {
  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    findings.want(.reward, at: "model", in: stage)
    text.check(below: "scorer.", stage, &findings)
    checkTrainedTexts(stage, &findings)
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

  private func checkTrainedTexts(_ stage: StageCheck, _ findings: inout StageFindings) {
    guard let trained = stage.artifact("model")?.facts[Fact.texts] else { return }
    for name in text.differences(from: trained) {
      findings.warning(
        .conflictingOptions,
        "`\(name)` is \((text.written[name] ?? .null).text()), but the model at `model` was trained with \((trained[name] ?? .null).text())",
        at: .option("scorer.\(name)"), label: "another text than in training",
        help: "write what `objective` of its `train` has")
    }
  }
}

extension RewardText {
  /// - Parameter path: below which the options stand: `scorer.`
  func check(below path: String, _ stage: StageCheck, _ findings: inout StageFindings) {
    findings.want(template: template, textMarkers: textMarkers, below: path, in: stage)
    checkMarkers(path, stage, &findings)
    findings.want(prompts.length, below: path, promptsAt: "rows", readBy: ["model"], in: stage)
    checkTruncation(path, &findings)
    findings.want(chat: prompts.chat, at: path + "chat", model: "model", rows: "rows", in: stage)
    checkChat(path, &findings)
    if separator?.isEmpty == true {
      findings.error(
        .wrongValue, "`separator` is an empty text", at: .option(path + "separator"), label: "empty",
        help: "remove it")
    }
    if split == .everywhere, separator == nil, stage.isWritten(path + "split") {
      findings.error(
        .conflictingOptions, "`split` is `everywhere`, but there is no `separator` at which to cut",
        at: .option(path + "split"), label: "has nothing to act on")
    }
  }

  /// In chat the text is the template's of the model.
  private func checkChat(_ path: String, _ findings: inout StageFindings) {
    guard prompts.chat != nil else { return }
    let others: [(name: String, isSet: Bool)] = [
      ("template", template != "{prompt}{generation}"), ("text_markers", !textMarkers.isEmpty),
      ("strip", strips), ("separator", separator != nil),
    ]
    for other in others where other.isSet {
      findings.error(
        .conflictingOptions,
        "`\(other.name)` says how the text is made that is read, but with `chat` the model's own template makes it",
        at: .option(path + other.name), label: "has nothing to act on", help: "remove it, or `chat`")
    }
  }

  private func checkMarkers(_ path: String, _ stage: StageCheck, _ findings: inout StageFindings) {
    for (index, marker) in textMarkers.enumerated()
    where marker.isEmpty || !template.contains(marker) {
      findings.error(
        .wrongValue, "`text_markers` contains `\(marker)`, which `template` does not contain",
        at: .option("\(path)text_markers.\(index)"), label: "not in the template")
    }
    guard let token = readBefore,
      let model = stage.artifact("model")?.facts[Fact.tokenizerPath]?.stringValue,
      let added = try? openAddedTokens(model),
      !added.contains(where: { UTF8Key($0.content) == UTF8Key(token) })
    else { return }
    findings.error(
      .wrongValue, "`read_before` is `\(token)`, which is no special token of the model at `model`",
      at: .option(path + "read_before"), label: "no such token")
  }

  private func checkTruncation(_ path: String, _ findings: inout StageFindings) {
    let length = prompts.length
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
      .conflictingOptions, "`truncation` is `left`, but \(reason)", at: .option(path + "truncation"),
      label: "has nothing to act on", help: length.overflow == .truncate ? "write `max_length`" : "remove it")
  }
}

// What a stage does with long texts, before it runs: its options against each other, against the models' contexts, and against the
// fields that the prompts have.

import Experiments
import JSON

extension StageFindings {
  /// - Parameters:
  ///   - path: below which the options stand: `scorer.`, or nothing.
  ///   - models: the ports of the models that read the texts.
  ///   - reserved: tokens of the context that what follows a text takes, and the option that says how many.
  mutating func want(
    _ length: LengthPolicy, below path: String = "", promptsAt rows: String, readBy models: [String],
    readsGenerations: Bool = true, beside reserved: (count: Int, option: String)? = nil, in stage: StageCheck
  ) {
    if let maximum = length.maximum {
      want(maximum, .option(path + LengthPolicy.maximum.field.name), models, reserved, in: stage)
    }
    let (overflow, cut) = (LengthPolicy.overflow.field.name, LengthPolicy.cut.field.name)
    if length.hasUnusedCut, stage.isWritten(path + cut) {
      error(
        .conflictingOptions,
        "`\(cut)` says what is cut, but `\(overflow)` is `\(length.overflow.rawValue)`, so nothing is",
        at: .option(path + cut), label: "has nothing to act on",
        help: "write `\(overflow): cut`, or remove it")
    }
    guard length.overflow == .cut else { return }
    guard let wanted = length.cut else {
      error(
        .conflictingOptions, "`\(overflow)` is `cut`, but `\(cut)` does not say what is cut",
        at: .option(path + overflow), label: "needs `\(cut)`",
        help:
          "write `\(cut): {side: left}` or `{side: right}`, and with `field` the field of the prompt that is cut"
      )
      return
    }
    guard let field = wanted.field, field != LengthPolicy.prompt else { return }
    if field == LengthPolicy.generation {
      check(cutOfGeneration: wanted, .option("\(path)\(cut)"), readsGenerations)
    } else {
      check(field, isIn: stage.artifacts(rows), .option("\(path)\(cut).field"), readsGenerations)
    }
  }

  private mutating func want(
    _ maximum: Int, _ place: Place, _ models: [String], _ reserved: (count: Int, option: String)?,
    in stage: StageCheck
  ) {
    for port in models {
      guard let context = stage.artifact(port)?.facts[Fact.context]?.intValue else { continue }
      guard let reserved else {
        if maximum > context {
          error(
            .wrongValue,
            "`max_length` is \(maximum), but the context of the model at `\(port)` is \(context) tokens",
            at: place, label: "more than \(context)", help: "lower it, or leave it out for \(context)")
        }
        continue
      }
      let available = context - reserved.count
      if available > 0, maximum > available {
        error(
          .conflictingOptions,
          "`max_length` is \(maximum) and `\(reserved.option)` \(reserved.count), but the context of the model at `\(port)` is \(context) tokens",
          at: place, label: "more than \(available)",
          help:
            "lower one of them: `max_length` does not count the new tokens; without it \(available) are read"
        )
      }
    }
  }

  private mutating func check(cutOfGeneration cut: LengthPolicy.Cut, _ place: Place, _ isRead: Bool) {
    if !isRead {
      error(
        .wrongValue, "`cut` names the field `generation`, which this stage does not read", at: place,
        label: "not read here", help: "name a field of the prompt, or leave `field` out for the whole prompt")
    } else if cut.side == .left {
      error(
        .wrongValue, "`cut` cuts `generation` at its left, but a generation is cut at its right alone",
        at: place, label: "wrong side", help: "write `side: right`")
    }
  }

  private mutating func check(
    _ field: String, isIn artifacts: [KnownArtifact], _ place: Place, _ readsGenerations: Bool
  ) {
    for artifact in artifacts {
      guard let all = artifact.facts[Fact.templateFields]?.arrayValue?.compactMap(\.stringValue) else {
        continue
      }
      let cuttable = artifact.facts[Fact.cuttableFields]?.arrayValue?.compactMap(\.stringValue) ?? []
      if cuttable.contains(where: { UTF8Key($0) == UTF8Key(field) }) { continue }
      if all.contains(where: { UTF8Key($0) == UTF8Key(field) }) {
        error(
          .unknownField, "`cut` names the field `\(field)`, of which the rows do not say where it stands",
          at: place, label: "place not known",
          help: "write `cuttable: [\(field)]` in the `data` stage that makes the prompts")
      } else {
        let names = all + [LengthPolicy.prompt] + (readsGenerations ? [LengthPolicy.generation] : [])
        error(
          .unknownField, "`cut` names the field `\(field)`, which the prompts do not have", at: place,
          label: "no such field",
          help: Suggestion.helpOrList(for: field, among: names, what: "there are"))
      }
      return
    }
  }
}

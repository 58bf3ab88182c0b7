// The options of the conditional objective.

import Models
import Runner

private enum ReferenceConditioning: String, CaseIterable { case strip, keep }

private let kl = StageOption(
  "kl", .number(0...1000, single: true), default: 0.0,
  aliases: ["kl_coef", "kl_coefficient", "init_kl_coef", "kl_weight"],
  summary: "weight of the KL term")
private let entropy = StageOption(
  "entropy", .number(0...1000, single: true), default: 0.0,
  aliases: ["entropy_coef", "entropy_coefficient"], summary: "weight of the entropy bonus")
private let klDirection = StageOption(
  "kl_direction", .choice(KLDirection.self), default: "reference_policy",
  summary: "KL(reference || policy), or KL(policy || reference)")
private let referenceConditioning = StageOption(
  "reference_conditioning", .choice(ReferenceConditioning.self), default: "strip",
  summary: "whether the reference reads the conditioning")

let conditional = OptionCase(
  "conditional", [kl.field, entropy.field, klDirection.field, referenceConditioning.field],
  summary: "the mean over target tokens of lm + kl * KL - entropy * H; terms `lm`, `kl`, `entropy`"
) { options in
  ChosenObjective(
    "conditional",
    ConditionalObjective(
      kl: options[kl], entropy: options[entropy], klDirection: options[klDirection],
      referenceConditioned: options[referenceConditioning] == .keep),
    referenceOption: ReferenceOption(
      name: "objective.kl", value: "\(options[kl])", reader: "the KL term", alternative: "set `kl: 0`"))
}

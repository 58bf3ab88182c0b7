// The options of the conditional objective.

import Experiments
import Models

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
  "reference_conditioning", .choice(ReferenceConditioning.self), default: "strip", original: "keep",
  summary: "whether the reference reads the conditioning")

private let klTarget = StageOption(
  "kl_target", .optional(.number(0...1e6, exclusiveMinimum: true)), default: nil,
  summary: "the KL of a whole generation that the coefficient `kl` aims at, in nats; null keeps `kl`")
private let entropyTarget = StageOption(
  "entropy_target", .optional(.number(0...1e6, exclusiveMinimum: true)), default: nil,
  summary: "the entropy of a whole generation that `entropy` aims at, in nats; null keeps `entropy`")
private let horizon = StageOption(
  "horizon", .integer(1...1_000_000_000), default: 2500,
  summary: "samples over which a coefficient moves by a fifth at most; at least those of a batch")
private let adaptive = StageOption(
  "adaptive",
  .optional(
    .object([klTarget.field, entropyTarget.field, horizon.field]) {
      ConditionalObjective.Adaptation(
        klTarget: $0[klTarget], entropyTarget: $0[entropyTarget], horizon: Double($0[horizon]))
    }), default: nil, addedLater: true, aliases: ["adap_kl_ctrl", "adaptive_kl"],
  summary:
    "after each step a coefficient is multiplied by 1 + clip(measured / target - 1, -0.2, 0.2) * batch / horizon, that of the entropy by 1 - …; the metrics have `kl_coefficient` and `entropy_coefficient`"
)

let conditional = OptionCase(
  "conditional", [kl.field, entropy.field, klDirection.field, referenceConditioning.field, adaptive.field],
  summary: "the mean over target tokens of lm + kl * KL - entropy * H; terms `lm`, `kl`, `entropy`"
) { options in
  ChosenObjective(
    "conditional",
    ConditionalObjective(
      kl: options[kl], entropy: options[entropy], klDirection: options[klDirection],
      referenceConditioned: options[referenceConditioning] == .keep, adaptation: options[adaptive]),
    referenceOption: ReferenceOption(
      name: "objective.kl", value: "\(options[kl])", reader: "the KL term", alternative: "set `kl: 0`"))
}

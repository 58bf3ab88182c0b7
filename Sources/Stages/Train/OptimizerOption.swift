// `optimizer:` and `adam:` of `train`: how a gradient changes parameters, and which of them decay.

import Experiments
import JSON
import Models

/// What `optimizer:` says, as a value.
struct ChosenOptimizer: Sendable {
  let kind: String
  let optimizer: any Optimizer
  /// Parts of tensor names: tensors with one of them do not decay.
  var excluded: [String] = []
  let weightDecay: Double

  /// Names of the tensors among these that do not decay.
  /// - Throws: `InputError` naming a part of a name that none has.
  func undecayed(of trainable: [String]) throws -> Set<String> {
    var result: Set<String> = []
    for part in excluded {
      let found = trainable.filter { $0.utf8.contains(part.utf8) }
      guard !found.isEmpty else {
        throw InputError(
          "`optimizer.no_decay` has \(JSON.string(part).text()), which is in the name of no tensor that trains; they are \(names(of: trainable))"
        )
      }
      result.formUnion(found)
    }
    return result
  }

  /// The first few.
  private func names(of trainable: [String]) -> String {
    trainable.prefix(12).map { "`\($0)`" }.joined(separator: ", ") + (trainable.count > 12 ? ", …" : "")
  }
}

extension TrainStage {
  static let adam = StageOption(
    "adam",
    .object([beta1.field, beta2.field, epsilon.field, decoupledDecay.field]) {
      AdamW(
        beta1: $0[beta1], beta2: $0[beta2], epsilon: $0[epsilon], weightDecay: $0[decoupledDecay])
    }, default: ["beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0],
    summary: "AdamW, unless `optimizer` is set")

  static let optimizer = StageOption(
    "optimizer",
    .optional(
      .variant([
        OptionCase(
          "adamw", [beta1.field, beta2.field, epsilon.field, decoupledDecay.field, noDecay.field],
          summary: "AdamW: the weight decay stands beside the step"
        ) { adam("adamw", .decoupled, $0[decoupledDecay], $0) },
        OptionCase(
          "adam", [beta1.field, beta2.field, epsilon.field, l2Decay.field, noDecay.field],
          summary: "Adam: the weight decay is an L2 term in the gradient"
        ) { adam("adam", .inGradient, $0[l2Decay], $0) },
        OptionCase(
          "rmsprop", [alpha.field, epsilon.field, l2Decay.field, noDecay.field],
          summary: "RMSprop as PyTorch has it, not centered and without momentum"
        ) {
          ChosenOptimizer(
            kind: "rmsprop",
            optimizer: RMSProp(alpha: $0[alpha], epsilon: $0[epsilon], weightDecay: $0[l2Decay]),
            excluded: $0[noDecay], weightDecay: $0[l2Decay])
        },
      ])), default: nil, addedLater: true, aliases: ["optim"],
    summary: "the optimizer; null is AdamW as `adam` says")

  private static func adam(
    _ kind: String, _ decay: AdamW.Decay, _ weightDecay: Double, _ options: StageOptions
  ) -> ChosenOptimizer {
    ChosenOptimizer(
      kind: kind,
      optimizer: AdamW(
        beta1: options[beta1], beta2: options[beta2], epsilon: options[epsilon], weightDecay: weightDecay,
        decay: decay), excluded: options[noDecay], weightDecay: weightDecay)
  }

  static func chosenOptimizer(_ options: StageOptions) -> ChosenOptimizer {
    options[optimizer]
      ?? ChosenOptimizer(
        kind: "adamw", optimizer: options[adam], weightDecay: options[adam].weightDecay)
  }
}

private let beta1 = StageOption(
  "beta1", .number(0...0.999999, single: true), default: 0.9, aliases: ["adam_beta1"],
  summary: "decay of the first moment")
private let beta2 = StageOption(
  "beta2", .number(0...0.999999, single: true), default: 0.999, aliases: ["adam_beta2"],
  summary: "decay of the second moment")
private let alpha = StageOption(
  "alpha", .number(0...0.999999, single: true), default: 0.99, summary: "decay of the second moment")
private let epsilon = StageOption(
  "epsilon", .number(0...1, exclusiveMinimum: true, single: true), default: 1e-8,
  aliases: ["adam_epsilon", "eps"], summary: "added to the square root of the second moment")
private let decoupledDecay = StageOption(
  "weight_decay", .number(0...1, single: true), default: 0.0, summary: "decoupled weight decay")
private let l2Decay = StageOption(
  "weight_decay", .number(0...1, single: true), default: 0.0,
  summary: "times the weight, it is added to the gradient after clipping")
private let noDecay = StageOption(
  "no_decay", .list(.string, count: 0...1000), default: [],
  summary:
    "parts of tensor names: a tensor whose name contains one of them has no weight decay, such as `[norm, bias]`"
)

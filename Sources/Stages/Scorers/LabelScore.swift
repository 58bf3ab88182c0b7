// One number of a head's outputs: which label, and its logit or its probability.

import Experiments
import JSON
import Models

/// Source of the probabilities: transformers' `TextClassificationPipeline`, softmax over several labels of which one is right;
/// each label's own sigmoid where there is one label, or any number may be right.
struct LabelScore: Sendable {
  static let options = [label.field, output.field]

  static let label = StageOption<LabelName?>(
    "label",
    .optional(.either(.mapped(.integer(0...65_535)) { .index($0) }, .mapped(.string) { .name($0) })),
    default: nil, addedLater: true, aliases: ["class"],
    summary:
      "of a model with several labels the one whose score is wanted, by its name or number in `id2label`")
  static let output = StageOption(
    "output", .choice(Output.self), default: "logit", addedLater: true,
    summary: "the head's number as it is, or the label's probability or its logarithm")

  enum LabelName: Sendable {
    case index(Int)
    case name(String)

    var text: String {
      switch self {
      case .index(let index): "\(index)"
      case .name(let name): name
      }
    }
  }

  enum Output: String, CaseIterable {
    case logit, probability
    case logProbability = "log_probability"
  }

  /// An option that the head contradicts.
  struct Problem: Error, CustomStringConvertible {
    let option: String
    let description: String
    var help: String?
  }

  private let index: Int
  private let output: Output
  private let isSoftmax: Bool

  /// - Parameter problemType: `problem_type` of the model's `config.json`.
  init(label: LabelName?, output: Output, of head: Head, problemType: String?) throws(Problem) {
    self.output = output
    guard case .classification(let labels) = head else {
      if let label {
        throw Problem(
          option: "label",
          description: "`label` is `\(label.text)`, but the model is \(head.modelKind), which has no labels",
          help: "remove it")
      }
      try Self.check(output, hasProbabilities: false, "the model is \(head.modelKind)")
      (index, isSoftmax) = (0, false)
      return
    }
    index = try Self.index(of: label, among: labels)
    try Self.check(
      output, hasProbabilities: problemType != "regression", "its `problem_type` is `regression`")
    isSoftmax = labels.count > 1 && problemType != "multi_label_classification"
  }

  private static func check(_ output: Output, hasProbabilities: Bool, _ reason: String) throws(Problem) {
    guard !hasProbabilities, output != .logit else { return }
    throw Problem(
      option: "output",
      description: "`output` is `\(output.rawValue)`, but \(reason), so its number is no probability",
      help: "write `logit`")
  }

  private static func index(of label: LabelName?, among labels: [String]) throws(Problem) -> Int {
    let list = labels.prefix(20).map { "`\($0)`" }.joined(separator: ", ") + (labels.count > 20 ? ", …" : "")
    switch label {
    case nil where labels.count == 1: return 0
    case nil:
      throw Problem(
        option: "label",
        description: "the model has \(labels.count) labels, and `label` does not say which one is the reward",
        help: "the labels are: \(list)")
    case .index(let index)?:
      if labels.indices.contains(index) { return index }
    case .name(let name)?:
      if let index = labels.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) }) { return index }
    }
    let text = label?.text ?? ""
    throw Problem(
      option: "label", description: "`label` is `\(text)`, which is none of the model's",
      help: Suggestion.nearest(to: text, among: labels).map { "did you mean `\($0)`?" }
        ?? "the labels are: \(list)")
  }

  /// - Parameter outputs: a logit of each label, or one value.
  func score(_ outputs: [Float]) -> Double {
    let logits = outputs.map { Double($0) }
    // The sigmoid is the softmax of the logit and 0.
    let compared = isSoftmax ? logits : [logits[index], 0]
    let place = isSoftmax ? index : 0
    switch output {
    case .logit: return logits[index]
    case .probability: return softmax(compared)[place]
    case .logProbability:
      let top = compared.max() ?? 0
      return compared[place] - top - naturalLogarithm(compared.reduce(0) { $0 + exponential($1 - top) })
    }
  }
}

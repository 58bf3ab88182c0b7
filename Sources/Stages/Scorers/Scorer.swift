// What a scorer is: one way in which `score` makes a number of a generation, with its own options and inputs.

import Experiments
import JSON

/// One value of `scorer.kind`. A scorer is made from its options alone; what it computes of a generation may depend on these, its
/// inputs and the generation's row, and on nothing else.
package protocol Scorer: Sendable {
  /// The word that is written.
  static var kind: String { get }
  static var summary: String { get }
  /// Its options beside `kind`.
  static var options: [OptionField] { get }
  /// Its inputs beside `rows`.
  static var inputs: [InputPort] { get }
  /// The columns that it reads of every row.
  static var columns: [String] { get }
  /// Whether it computes in floating point with a model; only then does the numeric mode enter the key.
  static var computes: Bool { get }

  /// Further columns that it reads of every row under its options.
  var columns: [String] { get }
  /// Whether it draws random numbers.
  var isRandom: Bool { get }
  /// Variables of the run's environment that it is given: see `StageDeclaration`.
  var environment: [String] { get }

  init(_ options: StageOptions)

  /// What is wrong before anything has run. Its options stand below `scorer`: `.option("scorer.template")`.
  func check(_ stage: StageCheck, _ findings: inout StageFindings)

  /// Memory and time for all samples of the rows; its outputs are not looked at.
  func estimate(_ input: StageEstimate.Input) -> StageEstimate

  /// The score of each item, handed to `emit` as soon as it is final, in any order.
  /// - Throws: `InputError` naming the row.
  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws
}

/// What a scorer makes of a generation.
package enum Score: Sendable, Equatable {
  case reward(Double)
  /// Of a text that was cut to what the model reads.
  case rewardOfCutText(Double)
  /// The text was too long, and has no reward.
  case leftOut
  /// What the score is made of is null.
  case missing
}

extension Score {
  /// As the journal keeps it.
  var json: JSON {
    switch self {
    case .reward(let reward): .double(reward)
    case .rewardOfCutText(let reward): ["reward": .double(reward), "cut": true]
    case .leftOut: nil
    case .missing: ["missing": true]
    }
  }

  init(_ json: JSON) {
    if json.isNull {
      self = .leftOut
    } else if json["missing"] != nil {
      self = .missing
    } else if let reward = json["reward"]?.doubleValue {
      self = .rewardOfCutText(reward)
    } else {
      self = .reward(json.doubleValue ?? .nan)
    }
  }

  var reward: Double? {
    switch self {
    case .reward(let reward), .rewardOfCutText(let reward): reward
    case .leftOut, .missing: nil
    }
  }

  init(_ reward: Double, of text: FittedText) {
    self = text.isCut ? .rewardOfCutText(reward) : .reward(reward)
  }
}

/// In the order in which pages list them.
package let scorers: [any Scorer.Type] = [
  ChoiceScorer.self, RewardScorer.self, LikelihoodScorer.self, LexiconScorer.self, RegexScorer.self,
  LengthScorer.self, RepetitionScorer.self, ReplyScorer.self, EndpointScorer.self, CommandScorer.self,
  SumScorer.self,
]

extension Scorer {
  static var inputs: [InputPort] { [] }
  static var computes: Bool { false }
  var columns: [String] { [] }
  var isRandom: Bool { false }
  var environment: [String] { [] }
  func check(_ stage: StageCheck, _ findings: inout StageFindings) {}
  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    StageEstimate(seconds: Estimates.reading(input.input("rows")))
  }
}

extension RowItem {
  /// - Throws: `InputError` naming the row.
  func generation() throws -> String {
    guard let generations = row["generations"]?.arrayValue, generations.indices.contains(item),
      let generation = generations[item].stringValue
    else { throw InputError("row `\(row.id)`: generation \(item) is not text") }
    return generation
  }
}

// The objectives that `train` knows, each with its options.

import Experiments
import Models

/// As the reference page shows them. An objective is a file in Models/Training/Objectives/ and an entry here; its options, where it has
/// any, stand in a file beside this one.
let objectives: [OptionCase<ChosenObjective>] = [
  conditional,
  OptionCase("sft", [], summary: "supervised fine-tuning: the mean over target tokens of lm; term `lm`") {
    _ in
    ChosenObjective("sft", SupervisedFineTuning())
  },
  pairwise,
  classify,
]

/// What `objective:` says, as a value.
struct ChosenObjective: Sendable {
  let kind: String
  let objective: any Objective
  /// Where the kind can read a reference: what makes it do so.
  let referenceOption: ReferenceOption?
  /// What it is trained on, where it is not outputs after their prompts.
  let texts: (any WholeTexts)?

  init(
    _ kind: String, _ objective: any Objective, referenceOption: ReferenceOption? = nil,
    texts: (any WholeTexts)? = nil
  ) {
    self.kind = kind
    self.objective = objective
    self.referenceOption = referenceOption
    self.texts = texts
  }
}

/// An option of an objective that decides whether a reference is read, as messages name it.
struct ReferenceOption: Sendable {
  /// `objective.kl`
  let name: String
  let value: String
  /// What reads the reference: `the KL term`.
  let reader: String
  /// What to write instead of a reference.
  let alternative: String
}

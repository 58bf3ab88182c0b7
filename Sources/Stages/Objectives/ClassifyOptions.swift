// The options of classification.

import Experiments
import Models

private let labels = StageOption(
  "labels", .list(.string, count: 2...1000),
  summary: "the labels, in the order of the head's outputs")
private let column = StageOption(
  "column", .string,
  summary:
    "the column with the label, one for the row or one for each generation; integers and booleans are spelled as in JSON. A generation with null is left out"
)

let classify = OptionCase(
  "classify", [labels.field, column.field] + RewardText.options,
  summary:
    "for classifiers: the mean over texts of -log p(label), by a head with a number for each label, read at the last token; a language model gets one in the place of its head. Terms `cross_entropy`, `accuracy`"
) { options in
  ChosenObjective(
    "classify", Classification(),
    texts: LabelRows(
      text: RewardText(options), labels: options[labels], labelColumn: options[column]))
}

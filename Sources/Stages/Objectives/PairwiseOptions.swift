// The options of the pairwise objective.

import Experiments
import Models

private let positions = StageOption(
  "positions", .choice(PreferencePair.Positions.self), default: "diverging",
  summary:
    "where the two values of a pair are compared: `diverging`, at every position from the first at which the texts differ to the end of the longer one, of which the mean is taken, both texts at the same ones and so the shorter one in its padding; `last`, each at its own last token, as `score` reads it"
)
private let preferred = StageOption(
  "preferred", .choice(PreferenceRows.Preferred.self), default: "highest",
  summary:
    "which generation is preferred: `highest`, the one with the higher number in `column`; `first`, the first of the row, as in `generations: [\"{chosen}\", \"{rejected}\"]`"
)
private let column = StageOption(
  "column", .string, default: "rewards",
  summary:
    "with `preferred: highest`: the column with a number for each generation; one with null is in no pair")
private let pairs = StageOption(
  "pairs", .choice(PreferenceRows.Pairs.self), default: "extremes",
  summary:
    "the pairs of a row: `extremes`, the best and the worst one; `all`, every two of which one is preferred")
private let minimumWords = StageOption(
  "min_words", .integer(0...1_000_000), default: 0,
  summary: "a pair with a generation of fewer words, between white space, is left out")
private let pad = StageOption(
  "pad", .optional(.string), default: nil,
  summary:
    "with `positions: diverging`: the special token that stands after the shorter text; with null that of `read_before`, else the model's end token"
)

let pairwise = OptionCase(
  "pairwise",
  [positions.field, preferred.field, column.field, pairs.field, minimumWords.field, pad.field]
    + RewardText.options,
  summary:
    "for reward models: the mean over pairs of -log sigmoid(chosen - rejected), of the values that a value head gives; a language model gets one in the place of its head. Terms `pairwise`, `accuracy`, `margin`"
) { options in
  ChosenObjective(
    "pairwise", PairwiseObjective(),
    texts: PreferenceRows(
      text: RewardText(options), positions: options[positions], preferred: options[preferred],
      comparedColumn: options[column], pairs: options[pairs], minimumWords: options[minimumWords],
      pad: options[pad]))
}

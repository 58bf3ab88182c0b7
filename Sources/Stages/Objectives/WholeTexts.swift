// What objectives of whole texts are trained on: rows as texts, made as `score: {kind: reward}` makes them.

import Experiments
import JSON
import Models

/// The part of such an objective that knows rows. It has the options of `RewardText`, so that a model is scored on what it was trained on.
protocol WholeTexts: Sendable {
  /// What its counts are called in a training's metrics, in the order of `TextExamples.counts`.
  static var countNames: [String] { get }

  var text: RewardText { get }
  /// The head that reads the texts.
  var head: WantedHead { get }
  /// The column that says what is right; nil where none is read.
  var column: String? { get }

  /// What is wrong before anything has run, beside `text` and `column`. Its options stand below `objective`.
  func check(_ stage: StageCheck, _ findings: inout StageFindings)

  /// - Throws: `InputError` naming the row, or when there is nothing to train on.
  func examples(_ rows: [Row], _ reading: TextReading) throws -> TextExamples
}

/// The model that reads the texts, and where they come from.
struct TextReading {
  let checkpoint: Checkpoint
  let tokenizer: Tokenizer
  /// Of the rows.
  let table: ColumnTable
  let context: StageContext

  func reader(_ text: RewardText) throws -> RewardReader {
    try RewardReader(
      text, tokenizer, contextLength: checkpoint.configuration.contextLength,
      chat: text.prompts.chat.map { try ChatFormat($0, of: checkpoint, tokenizer) })
  }
}

struct TextExamples {
  let examples: [TrainingExample]
  /// Of what was left out or cut, in the order of `countNames`.
  let counts: [Int]
}

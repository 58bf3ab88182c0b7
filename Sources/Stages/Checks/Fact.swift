// The names by which stages tell each other, before anything runs, what their artifacts will be.

import Experiments
import JSON

/// What is not known has no entry. Facts of rows stand first, then those of models.
enum Fact {
  /// How many rows, where that is certain.
  static let rows = "rows"
  /// The column `quantiles` holds classes from 0 up to one less than this.
  static let classes = "classes"

  /// What the prompts' template spells in the manner of special tokens.
  static let markers = "markers"

  /// The fields that the prompts' template names.
  static let templateFields = "template_fields"
  /// Those of them whose places in the prompt are known, so that a stage can cut them.
  static let cuttableFields = "cuttable_fields"
  static func isOfFields(_ name: String) -> Bool { name == templateFields || name == cuttableFields }

  /// A model with the same tokenizer lies here.
  static let tokenizerPath = "tokenizer_path"
  /// Why a model cannot be read.
  static let problem = "problem"
  static let parameters = "parameters"
  /// Why a model cannot be computed in the integers of its file.
  static let noIntegers = "no_integers"
  /// Of its weights' files.
  static let bytes = "bytes"
  /// Positions.
  static let context = "context"
  /// `language`, `value`, or the labels of a classifier.
  static let head = "head"
  /// `problem_type` of a classifier's configuration.
  static let problemType = "problem_type"
  /// What its README says; for people alone.
  static let licence = "licence"
  static let hasTokenizer = "tokenizer"
  static let hasChatTemplate = "chat_template"
  /// How the texts were made on which a reward model or classifier was trained: options of `score` with their values.
  static let texts = "texts"
  /// How many classes a model was conditioned on; 0 for none, null for texts of the samples' own of which it keeps no best.
  static let conditionedClasses = "conditioned_classes"
}

extension Fact {
  /// Of the state of a training: steps of all trainings that went on from each other.
  static let trainedSteps = "trained_steps"
  /// Of the state of a training: names of the optimizer's moments; none in one without them.
  static let moments = "moments"
  /// Of the state of a training with moments: whether embeddings trained.
  static let trainedEmbeddings = "trained_embeddings"
}

extension StageFindings {
  /// Rows that come from these, all of them, have what these have in common; how many there are is known of one alone.
  /// - Parameters:
  ///   - models: that made something of the rows.
  ///   - isPassed: of a fact's name, whether the rows still have it.
  mutating func pass(
    _ artifacts: [KnownArtifact], and models: [KnownArtifact] = [], to output: String,
    where isPassed: (String) -> Bool = { _ in true }
  ) {
    passPrompts(of: artifacts, and: models, to: output)
    guard let first = artifacts.first else { return }
    let ofPrompts = [Fact.prompts, Fact.trainedPrompts]
    for (name, value) in first.facts.objectValue?.members ?? []
    where isPassed(name) && !ofPrompts.contains(name) {
      let isShared = artifacts.allSatisfy { $0.facts[name] == value }
      if isShared, name != Fact.rows || artifacts.count == 1 { declare(name, value, of: output) }
    }
  }

  /// Each of the artifacts at a port must have a column that an option makes necessary; rows of a program that declares no
  /// such column may have it.
  mutating func want(
    column: String, of port: String, in stage: StageCheck, because reason: String, help: String
  ) {
    let artifacts = stage.artifacts(port)
    if artifacts.contains(where: { $0.lacks(column) }) {
      error(
        .missingColumn, "\(reason) reads the column `\(column)`, which the rows at `\(port)` do not have",
        at: .input(port), label: "rows without `\(column)`", help: help)
    } else if artifacts.contains(where: { $0.mayLack(column) }) {
      warning(
        .unknownColumn,
        "\(reason) reads the column `\(column)`, which no earlier stage declares for the rows at `\(port)`",
        at: .input(port), label: "fails unless the rows have more columns than are declared", help: help)
    }
  }
}

// The model that an objective compares the policy with: opened, and checked against what it will read.

import Experiments
import Models

extension TrainStage {
  /// Nil where the objective reads none.
  /// - Throws: `InputError` when it is not bound, or cannot read an example.
  func reference(
    for chosen: ChosenObjective, _ policy: StartingPolicy, reading examples: [TrainingExample],
    _ context: StageContext, on backend: any Backend
  ) throws -> ReferenceModel? {
    guard let use = chosen.objective.reference else { return nil }
    guard context.inputs["reference"] != nil else {
      let reason = chosen.referenceOption.map { "`\($0.name)` is \($0.value), which" }
      throw InputError("\(reason ?? "objective `\(chosen.kind)`") needs the input `reference`")
    }
    let checkpoint = try context.checkpoint("reference")
    try check(checkpoint, reads: examples, conditioned: use.conditioned)
    return ReferenceModel(
      try context.decoder(checkpoint, on: backend),
      sharedColumns: min(
        policy.baseVocabulary,
        try TrainedTokens(checkpoint).baseVocabulary(
          checkpoint.tokenizer, checkpoint.configuration.vocabularySize)))
  }

  /// Token ids are the policy's; a reference with a smaller vocabulary lacks the last of them, and may have a shorter context.
  private func check(_ reference: Checkpoint, reads examples: [TrainingExample], conditioned: Bool) throws {
    let configuration = reference.configuration
    for example in examples {
      guard conditioned || !example.unconditioned.isEmpty else {
        throw InputError(
          "sample `\(example.id)` has an empty prompt, so the reference has no text before its first token; `reference_conditioning: keep` gives it the conditioning"
        )
      }
      let tokens = example.tokens(conditioned: conditioned)
      if let missing = tokens.first(where: { Int($0) >= configuration.vocabularySize }) {
        throw InputError(
          "\(reference.path): the reference has \(configuration.vocabularySize) tokens, but sample `\(example.id)` has token \(missing)"
            + (conditioned
              ? "; `reference_conditioning: keep` needs a reference with the conditioning's tokens" : ""))
      }
      guard tokens.count <= configuration.contextLength else {
        throw InputError(
          "\(reference.path): sample `\(example.id)` has \(tokens.count) tokens, more than the reference's context of \(configuration.contextLength); write `max_length: \(configuration.contextLength)`, and what `overflow` does with longer ones"
        )
      }
    }
  }
}

// A reward model and a classifier are trained on a few texts, score them, and agree with them more often than before.

import JSON
import Runner
import Testing
import TinyModel

@Suite struct RewardModelTests {
  private static let template = #""{prompt} | {generation}""#

  /// A reward model from one step that changes nothing, with its head as it was drawn, and one from several.
  private static let experiment = """
    version: 1
    name: reward
    seed: 3
    models: {start: {path: model}}
    stages:
      pairs: {uses: data, with: {path: pairs.jsonl, prompt: "{post}", generations: ["{chosen}", "{rejected}"], id: id, samples: {feedbacks: [good, bad]}}}
      drawn: {uses: train, in: {model: start, rows: pairs}, with: &train {objective: {kind: pairwise, preferred: first, template: \(template)}, lr: 1e-30}}
      train: {in: {model: start, rows: pairs}, with: {<<: *train, lr: 1e-2, epochs: 8, batch_size: 4}}
      drawn_score: {uses: score, in: {model: drawn.model, rows: pairs}, with: &score {scorer: {kind: reward, template: \(template)}}}
      score: {in: {model: train.model, rows: pairs}, with: *score}
      before: {uses: evaluate, in: {rows: drawn_score}, with: &accuracy {metrics: [accuracy]}}
      after: {uses: evaluate, in: {rows: score}, with: *accuracy}
      classifier: {uses: train, in: {model: start, rows: pairs}, with: {objective: {kind: classify, labels: [bad, good], column: feedbacks}, lr: 1e-2, epochs: 12, batch_size: 4}}
      good: {uses: score, in: {model: classifier.model, rows: pairs}, with: {scorer: {kind: reward, label: good}}}
      told: {uses: evaluate, in: {rows: good}, with: *accuracy}
    metrics: {before: before.accuracy, after: after.accuracy, longer: after.accuracy_longer, told: told.accuracy}
    expect: [{metric: after, above: before.accuracy}, {metric: told, above: before.accuracy}]

    """

  @Test func `a reward model agrees with its pairs once it is trained, and nothing is computed twice`() throws
  {
    let plumb = try BuiltPlumb()
    try TinyModel().write(to: "\(plumb.folder)/model")
    let texts = [
      ("the old film", "counted on nobody"), ("had been fine", "had been"), ("was old, for 4", "x"),
      ("and they", "and nobody counted"), ("fine", "anyone"), ("it was fine and old", "it counted"),
      ("was for the old", "never"), ("fine and fine", "nobody, nobody"),
    ]
    try plumb.write(
      texts.enumerated().map { index, text in
        #"{"id": "p\#(index)", "post": "The film \#(index)", "chosen": "\#(text.0)", "rejected": "\#(text.1)", "good": "good", "bad": "bad"}"#
          + "\n"
      }.joined(), to: "pairs.jsonl")
    try plumb.write(Self.experiment, to: "reward.yaml")
    let check = try plumb.run("check reward.yaml")
    #expect(check.status == 0, "\(check.output)\(check.error)")
    let run = try plumb.run("run reward.yaml")
    #expect(run.status == 0, "\(run.output)\(run.error)")
    let metrics = try plumb.run("show --json")
    #expect(metrics.status == 0)
    let again = try plumb.run("plan reward.yaml --check")
    #expect(again.status == 0, "\(again.output)")
    let inputs = try plumb.run("rows reward.yaml::train --tokens --head 2")
    #expect(inputs.status == 0, "\(inputs.error)")
    #expect(inputs.output.contains("p0#0>1"), "\(inputs.output)")
  }
}

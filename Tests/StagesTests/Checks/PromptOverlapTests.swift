// Prompts that are evaluated and were trained on: what `check` says before a run, and what `overlap` counts in one.

import JSON
import Runner
import Stages
import Testing

struct PromptOverlapTests {
  let bench: CheckBench

  init() throws {
    bench = try CheckBench()
    let prompts = (1...10).map { "{\"id\": \"\($0)\", \"prompt\": \"Prompt \($0)\", \"text\": \"a\"}\n" }
    try bench.write(prompts.joined(), to: "posts.jsonl")
    try bench.write(
      "{\"prompt\": \"a new one\", \"text\": \"b\"}\n{\"prompt\": \" prompt\\t3 \", \"text\": \"b\"}\n",
      to: "others.jsonl")
  }

  /// A policy trained in two iterations on `train` and asked for `valid`, scored by a reward model trained on `pairs`.
  private func experiment(train: String, valid: String, pairs: String = "{path: others.jsonl, limit: 1}")
    -> String
  {
    func given(_ options: String, _ generations: String) -> String {
      options.replacing("}", with: ", generations: [\(generations)]}")
    }
    return """
      version: 1
      name: x
      models: {sft: {path: sft}}
      stages:
        train: {uses: data, with: \(train)}
        valid: {uses: data, with: \(valid)}
        pairs: {uses: data, with: \(given(pairs, "\"{text}\", b"))}
        reward_model: {uses: train, in: {model: sft, rows: pairs}, with: {objective: {kind: pairwise, preferred: first}, lr: 1e-3}}
        alt:
          loop: {times: 2, carry: {policy: {first: sft, next: learn.model}}}
          stages:
            draw: {in: {rows: train}, with: {count: 3}}
            sample: {in: {model: policy, prompts: draw}, with: {n: 2, max_new_tokens: 4}}
            learn: {uses: train, in: {model: policy, rows: sample}, with: {objective: {kind: sft}, conditioning: {kind: none}, lr: 1e-3}}
            answer: {uses: sample, in: {model: learn.model, prompts: valid}, with: {max_new_tokens: 4}}
            score: {in: {model: reward_model, rows: answer}, with: {scorer: {kind: reward}}}
            evaluate: {in: {rows: score}, with: {metrics: [reward]}}
      """
  }

  private func warning(_ found: Int, of all: Int) -> [String] {
    [
      "warning[trained-prompts] at 17 \"score\": stage `alt.evaluate`: \(found) of the \(all) prompts of these rows are also among those that a model was trained on"
    ]
  }

  @Test func `prompts of the policy's training are found, once for all iterations`() throws {
    let first = "{path: posts.jsonl, limit: 6}"
    #expect(try bench.check(experiment(train: first, valid: "{path: posts.jsonl, skip: 6}")).isEmpty)
    #expect(
      try bench.check(experiment(train: first, valid: "{path: posts.jsonl, skip: 4}")) == warning(2, of: 6))
    // The same data, drawn from.
    let same = experiment(train: first, valid: first)
    #expect(try bench.check(same) == warning(6, of: 6))
    // Said by the experiment itself.
    let counted = same.replacing("metrics: [reward]", with: "metrics: [reward, overlap]")
      .replacing("{rows: score}", with: "{rows: score, training: train}")
    #expect(try bench.check(counted).isEmpty)
  }

  @Test func `white space and case make no other prompt`() throws {
    #expect(
      try bench.check(
        experiment(
          train: "{path: posts.jsonl}", valid: "{path: others.jsonl}", pairs: "{path: posts.jsonl, limit: 1}")
      )
        == warning(1, of: 2))
  }

  @Test func `prompts of a reward model's training are found`() throws {
    let text = experiment(
      train: "{path: posts.jsonl, limit: 6}", valid: "{path: posts.jsonl, skip: 6}",
      pairs: "{path: posts.jsonl, skip: 7}")
    #expect(try bench.check(text) == warning(3, of: 4))
  }

  @Test func `of rows that are not certain nothing is said`() throws {
    let shuffled = "{path: posts.jsonl, shuffle: true, limit: 6}"
    #expect(try bench.check(experiment(train: shuffled, valid: shuffled)).isEmpty)
    #expect(
      try bench.check(
        experiment(train: "{path: posts.jsonl, shuffle: true}", valid: "{path: posts.jsonl, skip: 8}"))
        == warning(2, of: 2))
  }
}

// The names that other tools have for an option lead to ours, in the same message and without a second one.

import Runner
import Testing

@Suite struct AliasTests {
  @Test func `other tools' names are suggested, and what is meant is not called missing`() throws {
    let bench = try CheckBench()
    try bench.write(
      """
      version: 1
      name: x
      models: {m: {path: sft}}
      stages:
        rows: {uses: data, with: {dataset: train.jsonl}}
        s: {uses: sample, in: {model: m, prompts: rows}, with: {num_return_sequences: 4, max_tokens: 4}}
        t:
          uses: train
          in: {model: m, rows: s}
          with: {learning_rate: 1e-4, num_epochs: 3, weight_decay: 0.1, warmup: 0.1, max_grad_norm: 1}

      """, to: "experiment.yaml")
    let found = bench.diagnostics().map { "\($0.code): \($0.help ?? "")" }
    #expect(
      found == [
        "unknown-key: did you mean `path`?", "unknown-key: did you mean `n`?",
        "unknown-key: did you mean `max_new_tokens`?", "unknown-key: did you mean `lr`?",
        "unknown-key: did you mean `epochs`?",
        "unknown-key: `weight_decay` belongs one level deeper: `adam: {weight_decay: …}`",
        "wrong-type: did you mean `warmup_ratio`?", "unknown-key: did you mean `max_gradient_norm`?",
      ])
  }

  @Test func `no name of another tool is an option's own`() {
    for stage in CheckBench.registry.stages {
      let options = stage.declaration.options
      let names = Set(options.map(\.name))
      let aliases = options.flatMap(\.aliases)
      #expect(names.isDisjoint(with: aliases), "\(stage.declaration.name)")
      #expect(Set(aliases).count == aliases.count, "\(stage.declaration.name)")
    }
  }
}

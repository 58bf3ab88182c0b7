// A reward model whose weights, configuration and tokenizer lie in three places, on the built binary: CarperAI's is a bare `.bin`.

import Glibc
import JSON
import System
import Testing

@Suite struct AssembledModelTests {
  let project: CommandsFixture
  private static let goldens =
    String(#filePath.dropLast("EndToEndTests/AssembledModelTests.swift".utf8.count))
    + "ModelsTests/Fixtures/goldens"

  /// `words` has the tokenizer, `base` the configuration, `rm` the weights.
  init() throws {
    project = try CommandsFixture()
    for (from, to) in [
      ("reward/pytorch_model.bin", "rm/reward.bin"), ("gptj/config.json", "base/config.json"),
    ] {
      try File.makeDirectory(Path.parent("\(project.folder)/\(to)"))
      _ = project.shell("cp '\(Self.goldens)/\(from)' \(to)")
    }
    try File.makeDirectory("\(project.folder)/words")
    try #require(
      rename("\(project.folder)/model/tokenizer.json", "\(project.folder)/words/tokenizer.json") == 0)
    let texts = try JSON(parsing: File.read("\(Self.goldens)/reward/scores.json"))["texts"]?.arrayValue ?? []
    let rows = texts.enumerated().map { index, text -> JSON in
      ["id": .string("\(index)"), "p": text["prompt"] ?? "", "generations": [text["generation"] ?? ""]]
    }
    try project.write(rows.map { $0.text() + "\n" }.joined(), to: "rows.jsonl")
  }

  private static let parts = "path: rm/reward.bin, config: base/config.json, tokenizer: words"

  private func plumb(_ arguments: String, model: String = parts) throws -> (
    status: Int32, output: String, error: String
  ) {
    try project.write(
      """
      version: 1
      name: tiny
      numeric: fp32
      models: {reward: {\(model)}}
      stages:
        rows: {uses: data, with: {path: rows.jsonl, prompt: "{p}", id: id, samples: [generations]}}
        judge:
          uses: score
          in: {model: reward, rows: rows}
          with:
            scorer:
              kind: reward
              template: "<|startoftext|>{prompt}\\nTL;DR: {generation}"
              text_markers: ["<|startoftext|>"]
              strip: true
              separator: "TL;DR:"
              max_length: 110
        evaluate: {in: {rows: judge}, with: {metrics: [reward]}}
      metrics: {reward: evaluate.reward}

      """, to: "tiny.yaml")
    return project.plumb(arguments, before: "export XDG_CACHE_HOME='\(project.folder)/cache';")
  }

  @Test func `it scores as PyTorch does, and is the folder that one puts together by hand`() throws {
    let check = try plumb("check tiny.yaml")
    #expect(check.status == 0 && check.output == "tiny: good, 3 stages to run\n", "\(check)")
    let run = try plumb("run tiny.yaml")
    #expect(run.status == 0, "\(run.error)")
    let export = try plumb("export tiny.yaml::judge taken")
    #expect(export.status == 0, "\(export.error)")
    let rewards = try project.text("taken/rows.jsonl").split(separator: "\n").compactMap {
      try JSON(parsing: String($0))["rewards"]?.arrayValue?.first?.doubleValue
    }
    let golden = try JSON(parsing: File.read("\(Self.goldens)/reward/scores.json"))["texts"]?.arrayValue ?? []
    let expected = golden.compactMap { $0["score"]?.doubleValue }
    #expect(rewards.count == 4 && expected.count == 4)
    for (found, expected) in zip(rewards, expected) { #expect(abs(found - expected) < 2e-5) }

    // By hand: the same keys, so that nothing is computed again.
    try File.makeDirectory("\(project.folder)/hand")
    for (from, to) in [
      ("rm/reward.bin", "pytorch_model.bin"), ("base/config.json", "config.json"),
      ("words/tokenizer.json", "tokenizer.json"),
    ] { _ = project.shell("cp \(from) hand/\(to)") }
    let again = try plumb("run tiny.yaml", model: "path: hand")
    #expect(again.status == 0 && again.error.contains("nothing to run"), "\(again.error)")
    // And of folders, of which each gives its part.
    let folders = try plumb(
      "run tiny.yaml", model: "path: hand, config: base, tokenizer: words/tokenizer.json")
    #expect(folders.status == 0 && folders.error.contains("nothing to run"), "\(folders.error)")

    let config = try plumb("config tiny.yaml")
    #expect(
      ["path: rm/reward.bin", "config: base/config.json", "tokenizer: words"].allSatisfy(
        config.output.contains),
      "\(config.output)")
    // What lies elsewhere is part of what it is.
    _ = project.shell("cp base/config.json other.json; echo >> other.json")
    let stale = try plumb(
      "plan tiny.yaml", model: Self.parts.replacing("base/config.json", with: "other.json"))
    #expect(stale.output.contains("input model changed (model reward)"), "\(stale)")
  }

  @Test func `a part that is missing or wrong is said before anything runs`() throws {
    let cases: [(model: String, status: Int32, text: String)] = [
      ("path: rm/reward.bin, tokenizer: words", 4, "reward.bin` has no `config.json`; name one"),
      ("path: rm/reward.bin, config: words, tokenizer: words", 4, "has no `config.json`"),
      (
        "path: rows.jsonl, config: base, tokenizer: words", 4,
        "`config` and `tokenizer` go with a folder or a file of weights"
      ),
      ("path: rm/reward.bin, config: rows.jsonl, tokenizer: words", 4, "rows.jsonl"),
      ("run: tiny.yaml::judge, config: base", 3, "`config`, which goes with a `path`"),
      (
        "hf: a/b@\(String(repeating: "0", count: 40)), sha256: \(String(repeating: "0", count: 64)), tokenizer: words",
        3, "`tokenizer`, which goes with a `path`"
      ),
      ("path: rm/reward.bin, config: [base]", 3, "`config` of model `reward`"),
      ("path: rm/reward.bin, config: /etc", 3, "outside"),
    ]
    for (model, status, text) in cases {
      let found = try plumb("check tiny.yaml", model: model)
      #expect(found.status == status && found.error.contains(text), "\(model): \(found)")
      #expect(!found.error.contains("assembled-"), "\(found.error)")
    }
    let absent = try plumb("check tiny.yaml", model: "path: rm/reward.bin, config: nowhere, tokenizer: words")
    #expect(absent.status == 0 && absent.error.contains("warning[missing-model]"), "\(absent)")
    let run = try plumb("run tiny.yaml", model: "path: rm/reward.bin, config: nowhere, tokenizer: words")
    #expect(
      run.status == 4 && run.error.contains("there is nothing at `\(project.folder)/nowhere`"), "\(run)")
  }
}

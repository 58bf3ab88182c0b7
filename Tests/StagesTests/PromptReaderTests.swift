// Special tokens in the texts of rows: ordinary text, unless a stage says otherwise.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct PromptReaderTests {
  let bench = ModelBench()
  let tokenizer: Tokenizer
  init() throws { tokenizer = try openCheckpoint(bench.model()).requireTokenizer() }

  private func reader(_ specialTokens: JSON) -> PromptReader {
    PromptReader(PromptOptions(StageOptions(["special_tokens": specialTokens])), tokenizer)
  }

  @Test func `special tokens that a row spells are read only where the stage says so`() throws {
    let row = Row(["id": "a", "prompt": "<|im_start|>The film"])
    let start = try #require(tokenizer.id(of: "<|im_start|>"))
    let end = try #require(tokenizer.id(of: "<|im_end|>"))
    #expect(try !reader("text").text(of: row).tokens(tokenizer).contains(start))
    #expect(!reader("text").tokens(ofGeneration: " was<|im_end|>").contains(end))
    #expect(!reader("text").texts.text(ofGeneration: " was<|im_end|>").tokens(tokenizer).contains(end))
    let parsed = try reader("parse").text(of: row, after: ModelText(literal: "<|im_end|>")).tokens(tokenizer)
    #expect(parsed == [end, start] + tokenizer.encode("The film"))
    #expect(reader("parse").tokens(ofGeneration: " was<|im_end|>") == tokenizer.encode(" was") + [end])
    #expect(
      reader("parse").texts.text(ofGeneration: " was<|im_end|>").tokens(tokenizer)
        == tokenizer.encode(" was") + [end])
  }

  /// Each reads `<|im_end|>` of a row as one token or as several, and its result shows it.
  @Test func `every stage that reads a model takes special tokens of rows as its option says`() throws {
    let model = try bench.model()
    let row: JSON = ["id": "a", "prompt": "The film<|im_end|>", "generations": [" was<|im_end|>"]]
    let rows = [Row(row)]
    let without = [Row(["id": "a", "prompt": "The film<|im_end|>"])]
    func numbers(_ name: JSON) throws -> [JSON?] {
      let sampled = try bench.run(
        SampleStage(), ["max_new_tokens": 4, "temperature": 0, "statistics": true, "special_tokens": name],
        models: ["model": model], rows: without, port: "prompts")
      let scored = try bench.run(
        ScoreStage(),
        [
          "scorer": [
            "kind": "choice", "template": "{prompt}{generation}", "labels": ["a", "b"], "reward": "a",
            "special_tokens": name,
          ]
        ], models: ["model": model], rows: rows)
      let measured = try bench.run(
        EvaluateStage(), ["metrics": ["perplexity"], "special_tokens": name], models: ["reference": model],
        rows: rows)
      let trained = try bench.run(
        TrainStage(),
        ["objective": ["kind": "sft"], "conditioning": ["kind": "none"], "lr": 1e-4, "special_tokens": name],
        models: ["model": model], rows: rows)
      return [
        try bench.rows(sampled)[0]["log_probabilities"], try bench.rows(scored)[0]["rewards"],
        try bench.json("\(measured)/metrics.json")["perplexity"],
        try bench.json("\(trained)/metrics.json")["loss"],
      ]
    }
    let (text, parse) = (try numbers("text"), try numbers("parse"))
    for (a, b) in zip(text, parse) { #expect(a != nil && a != b) }
  }
}

// Stages that compute with a model in the integers of its file.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

struct FileNumericsTests {
  let bench = ModelBench()

  /// A tiny model in blocks of `Q8_0`, without the added tokens that GGUF has no words for.
  private func model() throws -> String {
    let (folder, path) = (try bench.model("folder"), "\(bench.path)/model.gguf")
    var tokenizer = try #require(try bench.json("\(folder)/tokenizer.json").objectValue)
    tokenizer["added_tokens"] = .array(
      (tokenizer["added_tokens"]?.arrayValue ?? []).map { token in
        guard var token = token.objectValue else { return token }
        (token["lstrip"], token["rstrip"]) = (false, false)
        return .object(token)
      })
    try File.remove("\(folder)/tokenizer.json")
    try File.writeDurably(JSON.object(tokenizer).text(), to: "\(folder)/tokenizer.json")
    let encoding = try #require(writableEncoding(named: "Q8_0"))
    try openCheckpoint(folder).write(toGGUF: path, as: encoding)
    return path
  }

  private func scores(_ model: String, mode: String, _ circumstances: ModelBench.Circumstances = .init())
    throws -> [JSON]
  {
    try bench.rows(
      bench.run(
        ScoreStage(), ["scorer": ["kind": "likelihood", "output": "sum"]], models: ["model": model],
        rows: pooledRows(), mode: mode, circumstances)
    ).map { $0["rewards"] ?? nil }
  }

  private func numbers(_ scores: [JSON]) -> [Double] {
    scores.flatMap { $0.arrayValue ?? [] }.compactMap(\.doubleValue)
  }

  @Test func `scores are those of the numbers that the integers stand for, nearly`() throws {
    let model = try model()
    let (integers, numbers) = (
      numbers(try scores(model, mode: "file")), numbers(try scores(model, mode: "bf16"))
    )
    // The file again, as it is decoded to binary32.
    let exact = self.numbers(try scores(model, mode: "fp32"))
    #expect(integers.count == 15 && integers != numbers)
    // Activations have the 8 bits of bf16.
    for (integer, exact) in zip(integers, exact) { #expect(abs(integer - exact) < 5e-3 * abs(exact)) }
  }

  @Test func `scores and samples do not depend on threads and shards`() throws {
    let model = try model()
    let whole = try scores(model, mode: "file")
    #expect(try scores(model, mode: "file", .init(threads: 1, shards: 3)) == whole)
    func samples(_ circumstances: ModelBench.Circumstances) throws -> [Row] {
      try bench.rows(
        bench.run(
          SampleStage(), ["n": 3, "max_new_tokens": 12], models: ["model": model], rows: prompts,
          port: "prompts",
          mode: "file", circumstances))
    }
    let drawn = try samples(.init())
    #expect(drawn.count == prompts.count)
    #expect(try samples(.init(threads: 1, shards: 2)) == drawn)
  }
}

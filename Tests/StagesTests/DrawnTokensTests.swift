// Drawn tokens: which ids a model reads of a generation that has some, and when its text is tokenized instead.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct DrawnTokensTests {
  let bench = ModelBench()
  private let tokenizer: Tokenizer

  init() throws { tokenizer = try readTokenizer(TinyModel.tokenizerPath) }

  /// Each byte a token of its own, as hardly any text is tokenized.
  private func spelled(_ text: String) -> [Int32] { text.utf8.flatMap { bytes([$0]) } }

  private func bytes(_ bytes: [UInt8]) -> [Int32] {
    bytes.map { byte in
      (0..<Int32(tokenizer.count)).first {
        tokenizer.tokenBytes($0).elementsEqual([byte]) && !tokenizer.isSpecial($0)
      }
        ?? -1
    }
  }

  private func part(_ ids: [Int32], _ text: String) -> (ids: [Int32], rest: String)? {
    DrawnTokens(ids).part(text, tokenizer)
  }

  @Test func `ids of a text are all of it, or the whole ones of its first part and a rest`() throws {
    let text = " had been"
    let ids = tokenizer.encode(text, isContinuation: true)
    #expect(ids.count > 1 && !spelled(text).contains(-1))
    #expect(part(ids, text)?.ids == ids && part(spelled(text), text)?.ids == spelled(text))
    // Cut inside a token, as a stop text does.
    let cut = try #require(part(ids, " ha"))
    #expect(tokenizer.decode(cut.ids) + cut.rest == " ha" && ids.starts(with: cut.ids))
    #expect(try #require(part(spelled(text), " ha")).rest.isEmpty)
    #expect(part(ids, "") ?? ([1], "") == ([], ""))
    // Of another text, or a longer one.
    #expect(part(ids, "fine") == nil && part(ids, text + "!") == nil)
    // A special token is no part of a text.
    let special = ids.prefix(1) + [2] + ids.dropFirst()
    #expect(part(Array(special), text)?.ids == Array(special))
  }

  @Test func `bytes that are no text are those that were drawn`() throws {
    let invalid = spelled("a") + bytes([0xFF]) + spelled("b")
    #expect(part(invalid, "a\u{FFFD}b")?.ids == invalid)
    // The first two bytes of a character of three, left out at the end of a sample's text.
    let unfinished = spelled("a") + bytes([0xE4, 0xBD])
    let found = try #require(part(unfinished, "a"))
    #expect(found == (spelled("a"), ""))
    // Canonically equal is another text.
    #expect(part(spelled("e\u{301}"), "\u{E9}") == nil)
  }

  @Test func `the bytes of ids that are read are those of the text that they are read for`() {
    let random = Philox(seed: 5)
    let ids = (0..<Int32(tokenizer.count)).filter { !tokenizer.isSpecial($0) }
    for round in 0..<500 {
      func number(below count: Int, _ position: Int) -> Int {
        Int(random.uniform(row: UInt64(round), sample: 0, position: position) * Double(count))
      }
      let drawn = (0...number(below: 12, 0)).map { ids[number(below: ids.count, 2 + $0)] }
      let bytes = tokenizer.decodeBytes(drawn)
      let text = String(decoding: bytes.prefix(number(below: bytes.count + 1, 1)), as: UTF8.self)
      guard let part = part(drawn, text) else { continue }
      #expect(tokenizer.decode(part.ids) + part.rest == text)
      #expect(drawn.starts(with: part.ids))
    }
  }

  // What stages read.

  private func pooled(_ generation: String, _ tokens: JSON, finish: String = "end") -> Row {
    Row([
      "id": "r", "prompt": "The film", "generations": [.string(generation)], "tokens": [tokens],
      "finish": [.string(finish)],
    ])
  }

  private static let training: JSON = ["lr": 0.01, "conditioning": ["kind": "none"]]

  /// What a stage's model is given of the row: the part that is trained on, or scored.
  private func read<S: Stage>(
    _ stage: S, _ options: JSON, port: String = "model", _ row: Row, of tokenizer: String?
  ) throws -> [Int32] {
    let probe = ModelInputProbe(limit: 1) { [reporter = bench.reporter] in reporter.log($0) }
    var circumstances = ModelBench.Circumstances()
    circumstances.reporter = probe
    #expect(throws: EndOfProbe.self) {
      try bench.run(
        stage, options, models: [port: bench.model()], rows: [row], tokenizer: tokenizer, circumstances)
    }
    let input = try #require(probe.found?.inputs.first)
    return input.targets.flatMap { input.tokens[$0] }
  }

  private func json(_ ids: [Int32]) -> JSON { .array(ids.map { .int(Int64($0)) }) }

  /// The tokens of text that is tokenized anew are others: what SkyRL#123, verl#3960 and rllm#272 report.
  @Test func `training and perplexity read the tokens that were drawn`() throws {
    let own = tokenizer.identity()
    let (drawn, encoded) = (spelled(" had been"), tokenizer.encode(" had been", isContinuation: true))
    #expect(drawn != encoded)
    let end: Int32 = 2
    let row = pooled(" had been", json(drawn + [end]))
    #expect(try read(TrainStage(), Self.training, row, of: own) == drawn + [end])
    #expect(bench.log.contains("1 of 1 generations are read as the tokens that were drawn"))
    let perplexity: JSON = ["metrics": ["perplexity"]]
    #expect(try read(EvaluateStage(), perplexity, port: "reference", row, of: own) == drawn)

    var text = try #require(Self.training.objectValue)
    text["targets"] = "text"
    #expect(try read(TrainStage(), .object(text), row, of: own) == encoded + [end])
    #expect(
      try read(
        EvaluateStage(), ["metrics": ["perplexity"], "targets": "text"], port: "reference", row, of: own)
        == encoded)
  }

  @Test func `tokens of another tokenizer, or of another text, are not read`() throws {
    let own = tokenizer.identity()
    let drawn = spelled(" had been")
    let encoded = tokenizer.encode(" had been", isContinuation: true) + [2]
    let row = pooled(" had been", json(drawn + [2]))
    #expect(try read(TrainStage(), Self.training, row, of: nil) == encoded)
    #expect(bench.log.contains { $0.hasPrefix("it is not known which tokenizer the rows' `tokens` are of") })
    #expect(try read(TrainStage(), Self.training, row, of: "0123") == encoded)
    #expect(bench.log.contains { $0.hasPrefix("the rows' `tokens` are of another tokenizer") })
    try bench.run(
      TrainStage(), Self.training, models: ["model": bench.model()], rows: [row], tokenizer: "0123")
    #expect(
      bench.reporter.measures.withLock { [$0["drawn_generations"], $0["tokenized_generations"]] } == [0, 1])
    for tokens in [json(spelled(" had gone") + [2]), .null, json(drawn + [485]), json([-1])] {
      #expect(try read(TrainStage(), Self.training, pooled(" had been", tokens), of: own) == encoded)
    }
    #expect(bench.log.contains { $0.contains("the text of 1 is tokenized") })
    let wrong = inputError {
      try bench.run(
        TrainStage(), Self.training, models: ["model": bench.model()],
        rows: [pooled(" had been", ["x"])], tokenizer: own)
    }
    #expect(wrong == "row `r`: entry 0 of `tokens` is not a list of token ids")
  }

  @Test func `after a stop inside a token the whole ids before it are read, and the rest is tokenized`()
    throws
  {
    let own = tokenizer.identity()
    let drawn = tokenizer.encode(" had been", isContinuation: true)
    let row = pooled(" had be", json(drawn), finish: "stop")
    let found = try read(TrainStage(), Self.training, row, of: own)
    let part = try #require(DrawnTokens(drawn).part(" had be", tokenizer))
    #expect(!part.rest.isEmpty && !part.ids.isEmpty)
    #expect(found == part.ids + tokenizer.encode(part.rest, isContinuation: true) + [2])
    #expect(bench.log.contains { $0.contains("1 of them up to the token in which their text ends") })
  }

  @Test func `a generation that is cut on the right keeps its drawn tokens`() throws {
    let drawn = spelled(" had been")
    var options = try #require(Self.training.objectValue)
    let prompt = tokenizer.encode("The film").count
    options["max_length"] = .int(Int64(prompt + 4))
    options["overflow"] = "cut"
    options["cut"] = ["side": "right", "field": "generation"]
    let found = try read(
      TrainStage(), .object(options), pooled(" had been", json(drawn + [2])), of: tokenizer.identity())
    #expect(found == Array(drawn.prefix(4)))
  }

  @Test
  func `a sample's tokens are its text, its end and its length, and one training later still the model's`()
    throws
  {
    let model = try bench.model()
    let options: JSON = ["n": 6, "max_new_tokens": 20, "temperature": 1.5, "stop": ["e"], "statistics": true]
    let rows = try bench.rows(
      bench.run(SampleStage(), options, models: ["model": model], rows: prompts, port: "prompts"))
    var finishes: Set<String> = []
    for row in rows {
      let samples = try SampleLists(row, ColumnTable(samples: usualSampleColumns))
      for index in 0..<samples.count {
        let ids = try #require(samples["tokens"]?[index].arrayValue).compactMap {
          $0.intValue.map { Int32($0) }
        }
        let finish = try #require(samples["finish"]?[index].stringValue)
        finishes.insert(finish)
        let ends = finish == "end"
        #expect(samples["lengths"]?[index].intValue == ids.count - (ends ? 1 : 0))
        #expect(!ends || ids.last == 2)
        let text = try #require(samples["generations"]?[index].stringValue)
        #expect(DrawnTokens(ends ? ids.dropLast() : ids).part(text, tokenizer) != nil)
        for column in ["log_probabilities", "entropies", "sampling_log_probabilities"] {
          #expect(samples[column]?[index].arrayValue?.count == ids.count)
        }
        let sampling = try #require(samples["sampling_log_probabilities"]?[index].arrayValue)
        #expect(sampling.allSatisfy { $0.doubleValue.map { $0 <= 0 && $0 > -30 } ?? false })
      }
    }
    #expect(finishes.contains("stop") && finishes.count > 1)

    let trained = try bench.run(
      TrainStage(), TrainStageTests.options, models: ["model": model, "reference": model],
      rows: pooledRows())
    let later = try openCheckpoint("\(trained)/model").requireTokenizer()
    #expect(later.identity() != tokenizer.identity())
    let added = (0..<3).map { "_QUANTILE_TOKEN_\($0)_" } + (1...3).map { "<|extratoken_\($0)|>" }
    #expect(later.identity(without: added) == tokenizer.identity())
  }
}

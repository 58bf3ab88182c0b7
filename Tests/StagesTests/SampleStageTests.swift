// `sample`: columns, conditioning, refusals, and that circumstances do not matter.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct SampleStageTests {
  let bench: ModelBench
  init() { bench = ModelBench() }

  static let tokens: JSON = ["kind": "tokens", "prefixes": ["A", "B"]]

  private func sample(
    _ model: String, _ options: JSON, rows: [Row] = prompts,
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> [Row] {
    try bench.rows(
      bench.run(SampleStage(), options, models: ["model": model], rows: rows, port: "prompts", circumstances))
  }

  @Test func `every prompt has its samples, and each says how it ended`() throws {
    let model = try bench.model()
    let rows = try sample(model, ["n": 6, "max_new_tokens": 30, "temperature": 1.5])
    #expect(rows.map(\.id) == prompts.map(\.id))
    var ends: Set<Bool> = []
    let tokenizer = try readTokenizer(TinyModel.tokenizerPath)
    for (row, prompt) in zip(rows, prompts) {
      #expect(row["prompt"] == prompt["prompt"])
      #expect(row["conditioning"]?.arrayValue?.allSatisfy(\.isNull) == true)
      let texts = try #require(row["generations"]?.arrayValue).compactMap(\.stringValue)
      let lengths = try #require(row["lengths"]?.arrayValue).compactMap(\.intValue)
      let finished = try #require(row["finished"]?.arrayValue).compactMap(\.boolValue)
      #expect(texts.count == 6 && lengths.count == 6 && finished.count == 6)
      #expect(Set(texts).count > 4)
      for (length, isFinished) in zip(lengths, finished) { #expect(isFinished ? length < 30 : length == 30) }
      for text in texts { #expect(!text.contains(tokenizer.spelling(2) ?? "<|im_end|>")) }
      ends.formUnion(finished)
    }
    #expect(ends == [true, false])
    #expect(bench.reporter.measures.withLock { $0["tokens"] ?? 0 } > 0)
  }

  /// As GPT-J's 143, beyond a tokenizer of 50,257.
  @Test func `a row of the vocabulary without a token is never drawn, however likely it is`() throws {
    func drawn(spareBias: Float) throws -> [JSON?] {
      let model = try bench.model {
        $0.family = .gptj
        $0.spareBias = spareBias
      }
      return try [["temperature": 1.5], ["temperature": 0.0], ["top_p": 0.9], ["top_k": 5]].flatMap {
        (options: JSON) in
        var options = try #require(options.objectValue)
        options["max_new_tokens"] = 20
        return try sample(model, .object(options)).map { $0["generations"] }
      }
    }
    #expect(try drawn(spareBias: 60) == drawn(spareBias: -60))
  }

  @Test func `threads, batch and memory do not matter`() throws {
    let model = try bench.model()
    let options: JSON = ["n": 5, "max_new_tokens": 20, "top_p": 0.9]
    let expected = try sample(model, options)
    for circumstances in [
      ModelBench.Circumstances(threads: 1), .init(threads: 3), .init(engine: ["batch": 1]),
      .init(engine: ["batch": 3]), .init(engine: ["batch": 16]), .init(engine: ["batch": 64]),
      .init(engine: ["memory": .int(4 * 8192), "batch": 32]),
    ] {
      #expect(try sample(model, options, circumstances) == expected)
    }
    #expect(try sample(model, ["n": 5, "max_new_tokens": 20, "top_p": 0.8]) != expected)
    // Rows do not depend on their company, nor samples on how many there are.
    #expect(try sample(model, options, rows: [prompts[2]]) == [expected[2]])
    let fewer = try sample(model, ["n": 2, "max_new_tokens": 20, "top_p": 0.9])
    for (few, all) in zip(fewer, expected) {
      #expect(few["generations"]?.arrayValue == all["generations"]?.arrayValue.map { Array($0.prefix(2)) })
    }
  }

  @Test(arguments: 1...5)
  func `a row's samples do not depend on its shard or its place`(shards: Int) throws {
    let model = try bench.model()
    let options: JSON = ["n": 2, "max_new_tokens": 8]
    let rows = (0..<7).map { Row(["id": .string("s\($0)"), "prompt": .string("The film \($0)")]) }
    let expected = try sample(model, options, rows: rows)
    let cuts = (0...shards).map { $0 * rows.count / shards }
    let parts = try zip(cuts, cuts.dropFirst()).flatMap { first, end in
      try sample(model, options, rows: Array(rows[first..<end]))
    }
    #expect(parts == expected)
    #expect(try sample(model, options, rows: rows.reversed()) == expected.reversed())
  }

  @Test func `a sample ends with the first stop text, wherever tokens meet`() throws {
    let model = try bench.model()
    let plain = try sample(model, ["n": 4, "max_new_tokens": 30])
    let texts = plain.flatMap { $0["generations"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
    // Two characters from inside a text, and a longer text that ends with them.
    let whole = try #require(texts.map { Array($0.utf8) }.first { $0.starts(with: Array(" was".utf8)) })
    let (pair, longer) = (Array(whole[2..<4]), Array(whole[0..<4]))
    let stops = [pair, longer].map { String(decoding: $0, as: UTF8.self) }
    for keeps in [false, true] {
      let stopped = try sample(
        model,
        [
          "n": 4, "max_new_tokens": 30, "stop": .array(stops.map { .string($0) }), "keep_stop": .bool(keeps),
        ])
      var cut = 0
      for (row, uncut) in zip(stopped, plain) {
        let samples = try #require(row["generations"]?.arrayValue).compactMap(\.stringValue)
        let others = try #require(uncut["generations"]?.arrayValue).compactMap(\.stringValue)
        for (text, other) in zip(samples, others) {
          let bytes = Array(other.utf8)
          let ends = (0...bytes.count).filter { bytes[..<$0].suffix(pair.count).elementsEqual(pair) }
          guard let end = ends.first else {
            #expect(text == other)
            continue
          }
          let isLonger = bytes[..<end].suffix(longer.count).elementsEqual(longer)
          cut += 1
          let start = end - (isLonger ? longer : pair).count
          #expect(Array(text.utf8) == Array(bytes[..<(keeps ? end : start)]))
        }
        let finished = try #require(row["finished"]?.arrayValue).compactMap(\.boolValue)
        for (text, isFinished) in zip(samples, finished) where keeps && text.hasSuffix(stops[0]) {
          #expect(!isFinished)
        }
      }
      #expect(cut > 0)
    }
  }

  @Test func `bad words never come, no sample ends too early, and penalties tell`() throws {
    let model = try bench.model()
    func texts(_ options: JSON) throws -> [String] {
      try sample(model, options).flatMap { $0["generations"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
    }
    let plain = try texts(["n": 8, "max_new_tokens": 30])
    let words = ["was", "y", " the"]
    #expect(words.contains { word in plain.contains { $0.contains(word) } })
    let clean = try texts(
      ["n": 8, "max_new_tokens": 30, "bad_words": .array(words.map { .string($0) })])
    #expect(!words.contains { word in clean.contains { $0.contains(word) } })

    func lengths(_ options: JSON) throws -> [Int] {
      try sample(model, options).flatMap { $0["lengths"]?.arrayValue?.compactMap(\.intValue) ?? [] }
    }
    #expect(try lengths(["n": 8, "max_new_tokens": 30, "temperature": 1.5]).contains { $0 < 25 })
    #expect(
      try lengths(["n": 8, "max_new_tokens": 30, "temperature": 1.5, "min_new_tokens": 25])
        .allSatisfy { $0 >= 25 })

    // Greedy decoding of this model repeats itself; a token that came cannot come again under a large penalty.
    let penalised = try sample(
      model, ["n": 1, "max_new_tokens": 20, "temperature": 0, "presence_penalty": 100])
    let repeated = try sample(model, ["n": 1, "max_new_tokens": 20, "temperature": 0])
    #expect(penalised != repeated)
    #expect(
      try sample(model, ["n": 1, "max_new_tokens": 20, "temperature": 0, "frequency_penalty": 100])
        == penalised)
    let options: JSON = ["n": 5, "max_new_tokens": 20, "repetition_penalty": 1.3, "bad_words": ["e"]]
    let expected = try sample(model, options)
    for circumstances in [ModelBench.Circumstances(threads: 3), .init(engine: ["batch": 1])] {
      #expect(try sample(model, options, circumstances) == expected)
    }
  }

  @Test func `statistics are columns of their own, one number for each token drawn`() throws {
    let model = try bench.model()
    var options: JSON = ["n": 6, "max_new_tokens": 12, "temperature": 1.5]
    let plain = try sample(model, options)
    options = ["n": 6, "max_new_tokens": 12, "temperature": 1.5, "statistics": true]
    for (row, without) in zip(try sample(model, options), plain) {
      #expect(row["generations"] == without["generations"] && without["entropies"] == nil)
      let lengths = try #require(row["lengths"]?.arrayValue).compactMap(\.intValue)
      let finished = try #require(row["finished"]?.arrayValue).compactMap(\.boolValue)
      for column in ["log_probabilities", "entropies"] {
        let counts = try #require(row[column]?.arrayValue).map { $0.arrayValue?.count }
        #expect(counts == zip(lengths, finished).map { $0 + ($1 ? 1 : 0) })
      }
    }
  }

  @Test func `the best class of a model never conditioned is none, and the log says so`() throws {
    let model = try bench.model()
    let plain = try sample(model, ["n": 2, "max_new_tokens": 10])
    #expect(!bench.log.contains { $0.contains("never conditioned") })
    #expect(try sample(model, ["n": 2, "max_new_tokens": 10, "condition": "best"]) == plain)
    #expect(
      bench.log.contains(
        "`condition: best`: the model was never conditioned, so nothing is put before prompts"))
    let text = inputError { _ = try sample(model, ["max_new_tokens": 10, "condition": ["class": 0]]) }
    #expect(text.contains("the model was never conditioned"))
  }

  @Test(
    arguments: [
      ([1], "plumb.json`: `$`: expected an object, found a list"),
      (["format": 2], "plumb.json: `format`: expected 1, found `2`"),
      (["conditioning": "none"], "plumb.json: `conditioning`: expected an object or null, found `\"none\"`"),
      (["conditioning": [:]], "`conditioning.kind`: expected `tokens` or `text`, found nothing"),
      (
        ["conditioning": ["kind": "text", "prefixes": []]],
        "`conditioning.prefixes`: expected a list of strings"
      ),
      (
        ["conditioning": ["kind": "text", "prefixes": ["a", 1]]],
        "`conditioning.prefixes[1]`: expected a string, found `1`"
      ),
      (
        ["conditioning": ["kind": "text", "prefixes": ["a"], "opening": 7]],
        "`conditioning.opening`: expected a string, found `7`"
      ),
    ] as [(JSON, String)])
  func `a plumb.json that is not Plumb's is refused by its key`(plumb: JSON, message: String) throws {
    let model = try bench.model { $0.plumb = plumb }
    #expect {
      try bench.run(
        SampleStage(), ["max_new_tokens": 3, "condition": "best"], models: ["model": model], rows: prompts,
        port: "prompts")
    } throws: { "\($0)".contains(message) }
  }

  @Test func `a conditioned model is asked for its best class, or another`() throws {
    let model = try bench.model {
      $0.plumb = ["format": 1, "conditioning": ["kind": "text", "prefixes": ["Good. ", "Bad. "]]]
    }
    let options: JSON = ["n": 2, "max_new_tokens": 10]
    let plain = try sample(model, options)
    func conditioned(_ condition: JSON) throws -> [Row] {
      try sample(model, ["n": 2, "max_new_tokens": 10, "condition": condition])
    }
    let best = try conditioned("best")
    #expect(best.allSatisfy { $0["conditioning"]?.arrayValue?.allSatisfy { $0 == "Good. " } == true })
    #expect(try conditioned(["class": 0]) == best)
    #expect(try conditioned(["text": "Good. "]) == best)
    let bad = try conditioned(["class": 1])
    #expect(bad.allSatisfy { $0["conditioning"]?.arrayValue?.allSatisfy { $0 == "Bad. " } == true })
    #expect(Set([plain, best, bad].map { $0.map { $0["generations"]?.text() ?? "" } }).count == 3)
    #expect(best.map { $0["prompt"] } == prompts.map { $0["prompt"] })
    let text = inputError { _ = try conditioned(["class": 2]) }
    #expect(text.contains("asks for class 2, but the model has classes 0 to 1"), "\(text)")
  }

  @Test func `prompts that cannot be sampled are named`() throws {
    let model = try bench.model { $0.contextLength = 32 }
    func refusal(_ prompt: JSON, _ options: JSON = ["max_new_tokens": 8]) -> String {
      inputError {
        _ = try sample(model, options, rows: [prompts[0], Row(["id": "bad", "prompt": prompt])])
      }
    }
    let long = refusal(.string(String(repeating: "zq", count: 20)))
    #expect(
      long
        == "1 of 2 prompts has more than 24 tokens, which is what the model's context of 32 leaves beside `max_new_tokens`, 8; the longest, of row `bad`, has 40; write `overflow: drop` to leave them out, or `overflow: cut` with `cut: {side: left}` to cut them, or lower `max_new_tokens`"
    )
    #expect(
      refusal("A", ["max_new_tokens": 40])
        == "the model's context of 32 tokens leaves no room for a text beside `max_new_tokens`, 40")
    #expect(refusal("").contains("row `bad`: the prompt is empty"))
    #expect(refusal(3).contains("row `bad`: `prompt` is an integer; expected text"))
  }

  @Test func `models that cannot be sampled from are named`() throws {
    let mute = try bench.model("mute") { $0.hasTokenizer = false }
    #expect(
      inputError { _ = try sample(mute, ["max_new_tokens": 2]) }.contains("mute`: the model has no tokenizer")
    )
    let reward = try bench.model("reward") { $0.head = TinyModel.rewardHead }
    #expect(inputError { _ = try sample(reward, ["max_new_tokens": 2]) }.contains("`score.weight`"))
    let strange = try bench.model("strange") {
      $0.plumb = ["conditioning": ["kind": "tokens", "prefixes": ["_NOT_THERE_"]]]
    }
    let text = inputError { _ = try sample(strange, ["max_new_tokens": 2, "condition": "best"]) }
    #expect(text.contains("no token `_NOT_THERE_`"), "\(text)")
  }
}

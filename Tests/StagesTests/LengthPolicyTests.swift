// Texts that are longer than a model may read: refused together, left out or cut, in every stage that reads a model.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

struct LengthPolicyTests {
  let bench: ModelBench
  let model: String
  let tokenizer: Tokenizer
  init() throws {
    bench = ModelBench()
    model = try bench.model { $0.contextLength = 64 }
    tokenizer = try openCheckpoint(model).requireTokenizer()
  }

  /// `POST: … TL;DR:`, some of them longer than the context.
  private var posts: [Row] {
    (0..<7).map { index in
      let post = String(
        repeating: "the old film \(index) had been fine ", count: [1, 9, 1, 30, 1, 12, 1][index])
      let prompt = "POST: \(post)\nTL;DR:"
      return Row([
        "id": .string("r\(index)"), "prompt": .string(prompt),
        "prompt_fields": ["post": [[6, .int(Int64(post.utf8.count))]]], "kept": .int(Int64(index)),
      ])
    }
  }

  private var scored: [Row] {
    posts.map { row in
      var row = row
      row["generations"] = [" A film.", " It had been fine, and nobody counted on it."]
      return row
    }
  }

  private func with(_ options: JSON, _ more: JSON) -> JSON {
    var object = options.objectValue ?? JSONObject()
    for member in more.objectValue?.members ?? [] { object[member.key] = member.value }
    return .object(object)
  }

  private func sample(_ more: JSON, _ rows: [Row]? = nil, _ circumstances: ModelBench.Circumstances = .init())
    throws
    -> String
  {
    try bench.run(
      SampleStage(), with(["max_new_tokens": 8, "n": 2, "statistics": true], more), models: ["model": model],
      rows: rows ?? posts, port: "prompts", circumstances)
  }

  private let cutting: JSON = ["overflow": "cut", "cut": ["side": "left", "field": "post"]]

  @Test func `all prompts are counted before the first is read, and one error says how many are too long`()
    throws
  {
    #expect(
      inputError { _ = try sample(["max_length": 40]) }
        == "3 of 7 prompts have more than 40 tokens, which is `max_length`; the longest, of row `r3`, has \(tokens(posts[3])); write `overflow: drop` to leave them out, or `overflow: cut` with `cut: {side: left}` to cut them, or raise `max_length`, at most to 56"
    )
    #expect(
      inputError { _ = try sample([:]) }.contains(
        "more than 56 tokens, which is what the model's context of 64 leaves beside `max_new_tokens`, 8; the longest"
      ))
    #expect(
      inputError { _ = try sample(["max_length": 57]) }
        == "`max_length` is 57, but the model's context is 64 tokens, which leaves 56 beside `max_new_tokens`, 8"
    )
    #expect(
      inputError { _ = try sample(with(["max_length": 5], cutting)) }.contains(
        "prompts have more than 5 tokens, which is `max_length`, even when all of `post` is cut; the longest")
    )
    #expect(bench.log.allSatisfy { !$0.hasPrefix("kernels") }, "nothing was computed")
  }

  private func tokens(_ row: Row) -> Int { tokenizer.encode(row["prompt"]?.stringValue ?? "").count }

  @Test
  func `prompts that are too long are left out and counted, whatever the shards, the batch and the threads`()
    throws
  {
    let expected = try File.read(sample(["max_length": 40, "overflow": "drop"]) + "/rows.jsonl")
    let rows = try readRows(of: expected)
    #expect(rows.map(\.id) == ["r0", "r2", "r4", "r6"])
    #expect(bench.log.contains("3 prompts that are too long left out"))
    #expect(bench.reporter.measures.withLock { $0["left_out_prompts_that_are_too_long"] } == 3)
    for circumstances in circumstances {
      bench.reporter.measures.withLock { $0 = [:] }
      let found = try sample(["max_length": 40, "overflow": "drop"], nil, circumstances)
      #expect(try File.read("\(found)/rows.jsonl") == expected)
      #expect(bench.reporter.measures.withLock { $0["left_out_prompts_that_are_too_long"] } == 3)
    }
    // The rows that stay have what they have alone.
    let alone = try sample(
      [:], posts.enumerated().filter { [0, 2, 4, 6].contains($0.offset) }.map(\.element))
    #expect(try File.read("\(alone)/rows.jsonl") == expected)
    #expect(
      inputError { _ = try sample(["max_length": 2, "overflow": "drop"]) }.hasPrefix(
        "all 7 prompts are too long and left out"))
  }

  private let circumstances: [ModelBench.Circumstances] = [
    .init(threads: 1), .init(engine: ["batch": 1]), .init(shards: 1), .init(shards: 2), .init(shards: 5),
  ]

  private func readRows(of bytes: [UInt8]) throws -> [Row] {
    try bytes.split(separator: 0x0A).map { Row(try JSON(parsing: Array($0))) }
  }

  @Test func `a cut prompt is read as the shorter prompt would be, and the row keeps it as it was given`()
    throws
  {
    let cut = try sample(with(["max_length": 40], cutting))
    let expected = try File.read("\(cut)/rows.jsonl")
    #expect(bench.log.contains("3 prompts cut"))
    for circumstances in circumstances {
      bench.reporter.measures.withLock { $0 = [:] }
      let found = try sample(with(["max_length": 40], cutting), nil, circumstances)
      #expect(try File.read("\(found)/rows.jsonl") == expected)
      #expect(bench.reporter.measures.withLock { $0["cut_prompts"] } == 3)
    }
    let rows = try readRows(of: expected)
    #expect(rows.map { $0["prompt"] } == posts.map { $0["prompt"] })
    #expect(rows.map { $0["kept"] } == posts.map { $0["kept"] })
    // By hand: the longest end of the post with which the prompt has at most 40 tokens.
    let shorter = try posts.map { row in
      var row = row
      var post = Substring(try #require(row["prompt"]?.stringValue)).dropFirst(6).dropLast(7)
      let all = tokenizer.encode(String(post))
      var taken = 0
      while tokenizer.encode("POST: \(post)\nTL;DR:").count > 40 {
        taken += 1
        post = Substring(tokenizer.decode(Array(all.dropFirst(taken)), skipSpecial: false))
      }
      row["prompt"] = .string("POST: \(post)\nTL;DR:")
      return row
    }
    #expect(shorter.map { $0["prompt"] } != posts.map { $0["prompt"] })
    let again = try readRows(of: File.read(try sample([:], shorter) + "/rows.jsonl"))
    #expect(again.map { $0["log_probabilities"] } == rows.map { $0["log_probabilities"] })
    #expect(again.map { $0["generations"] } == rows.map { $0["generations"] })
  }

  @Test func `a row that does not say where the field stands is refused`() throws {
    var rows = posts
    rows[2]["prompt_fields"] = nil
    #expect(
      inputError { _ = try sample(cutting, rows) }
        == "row `r2`: `prompt_fields` does not say where `post` stands in its prompt, and `cut.field` names it; `data` writes that with `cuttable: [post]`"
    )
    for wrong: JSON in [[[0, 1000]], [[-1, 2]], [[0]], [[7, .int(.max)]], [3]] {
      rows[2]["prompt_fields"] = ["post": wrong]
      #expect(
        inputError { _ = try sample(cutting, rows) }.hasPrefix(
          "row `r2`: `post` of `prompt_fields` does not fit"),
        "\(wrong.text())")
    }
  }

  @Test(arguments: ["choice", "reward"])
  func `a scorer leaves out, cuts or refuses`(kind: String) throws {
    let model = try bench.model(kind) {
      $0.contextLength = 64
      if kind == "reward" { $0.head = .value }
    }
    let scorer: JSON =
      kind == "reward"
      ? ["kind": "reward", "template": "{prompt}{generation}<|im_end|>"]
      : [
        "kind": "choice", "template": "{prompt}{generation}<|im_end|>", "labels": ["a", "b"], "reward": "a",
      ]
    func rewards(_ more: JSON, _ circumstances: ModelBench.Circumstances = .init()) throws -> [JSON?] {
      let output = try bench.run(
        ScoreStage(), ["scorer": with(scorer, more)], models: ["model": model], rows: scored, circumstances)
      return try bench.rows(output).map { $0["rewards"] }
    }
    let refusal = inputError { _ = try rewards(["max_length": 56, "overflow": "fail"]) }
    #expect(
      refusal.contains(
        "of 14 texts have more than 56 tokens, which is `max_length`; the longest, of row `r3`"))
    #expect(inputError { _ = try rewards([:]) }.contains("of 14 texts have more than 6"))
    let dropped = try rewards(["max_length": 56, "overflow": "drop"])
    #expect(dropped[3] == [nil, nil] && dropped[0]?.arrayValue?.contains(.null) == false)
    let lost = dropped.flatMap { $0?.arrayValue ?? [] }.count { $0.isNull }
    #expect(lost == 6 && bench.log.contains("\(lost) texts that are too long left out"))
    let cut = try rewards(with(["max_length": 56], cutting))
    #expect(
      cut.allSatisfy { $0?.arrayValue?.contains(.null) == false } && bench.log.contains("\(lost) texts cut"))
    for (before, after) in zip(dropped, cut) {
      for (a, b) in zip(before?.arrayValue ?? [], after?.arrayValue ?? []) where !a.isNull { #expect(a == b) }
    }
    for circumstances in circumstances {
      bench.reporter.measures.withLock { $0 = [:] }
      #expect(try rewards(["max_length": 56, "overflow": "drop"], circumstances) == dropped)
      #expect(try rewards(with(["max_length": 56], cutting), circumstances) == cut)
      #expect(bench.reporter.measures.withLock { $0["cut_texts"] } == Double(lost))
      #expect(bench.reporter.measures.withLock { $0["left_out_texts_that_are_too_long"] } == Double(lost))
    }
    let atRight = try rewards([
      "overflow": "cut", "cut": ["side": "right", "field": "post"],
    ])
    #expect(atRight != cut)
  }

  @Test func `training leaves out, cuts or refuses samples, and its metrics count them`() throws {
    let options: JSON = ["objective": ["kind": "sft"], "conditioning": ["kind": "none"], "lr": 1e-4]
    func metrics(_ more: JSON, _ rows: [Row]? = nil) throws -> JSON {
      let output = try bench.run(
        TrainStage(), with(options, more), models: ["model": model], rows: rows ?? scored)
      return try bench.json("\(output)/metrics.json")
    }
    #expect(
      inputError { _ = try metrics([:]) }.contains(
        "of 14 samples have more than 64 tokens, which is the model's context; the longest, of sample 1 of row `r3`"
      ))
    let dropped = try metrics(["overflow": "drop"])
    let lost = try #require(dropped["samples_dropped"]?.intValue)
    #expect(lost == 6 && dropped["samples"]?.intValue == 14 - lost)
    let cut = try metrics(cutting)
    #expect(cut["samples"] == 14 && cut["samples_cut"]?.intValue == lost && cut["samples_dropped"] == nil)
    #expect(bench.log.contains("\(lost) samples cut"))
    let plain = try metrics(
      [:], scored.enumerated().filter { [0, 2, 4, 6].contains($0.offset) }.map(\.element))
    #expect(plain["samples_cut"] == nil && plain["samples_dropped"] == nil)
    #expect(
      TrainStage.declaration(for: with(options, cutting)).outputs.last?.names?.contains("samples_cut") == true
    )
    // A generation is never cut, unless it is the field: then at least one token of it is left, and no end token follows.
    var long = scored
    long[0]["generations"] = [.string(String(repeating: " fine", count: 200)), " A"]
    #expect(
      inputError { _ = try metrics(cutting, long) }.contains(
        "even when all of `post` is cut; the longest, of sample 0 of row `r0`"))
    let generation: JSON = ["overflow": "cut", "cut": ["side": "right", "field": "generation"]]
    #expect(try metrics(generation, [long[0]])["samples_cut"] == 1)
    #expect(bench.log.contains("1 of 2 samples are trained with the end token appended"))
    #expect(inputError { _ = try metrics(generation) }.contains("even when all of `generation` is cut"))
  }

  @Test func `perplexity leaves out, cuts or refuses generations, and its metrics count them`() throws {
    func metrics(_ more: JSON) throws -> JSON {
      let output = try bench.run(
        EvaluateStage(), with(["metrics": ["perplexity"]], more), models: ["reference": model], rows: scored)
      return try bench.json("\(output)/metrics.json")
    }
    #expect(
      inputError { _ = try metrics([:]) }.contains("generations with their prompts have more than 64 tokens"))
    let (dropped, cut) = (try metrics(["overflow": "drop"]), try metrics(cutting))
    #expect(dropped["perplexity_dropped"]?.intValue == 6)
    #expect(dropped["perplexity_dropped"] == cut["perplexity_cut"])
    #expect(dropped["perplexity"] != cut["perplexity"] && cut["perplexity"]?.doubleValue != nil)
  }
}

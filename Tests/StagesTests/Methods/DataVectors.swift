// METHODS 1.1 and 1.2: prompts, and which of them an iteration draws.

import JSON
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct DataVectors {
    let bench: StageBench
    init() throws { bench = try StageBench() }

    private func lines(_ rows: [JSON]) -> String { rows.map { $0.text() + "\n" }.joined() }

    private func prompts(_ rows: [JSON], _ options: JSON) throws -> [String] {
      try bench.dataRows(lines(rows), options).compactMap { $0["prompt"]?.stringValue }
    }

    // MARK: prompts

    /// TL;DR: white space at both ends goes, so that every prompt ends in `TL;DR:` without a blank; nothing else is changed.
    @Test(arguments: [
      ("SUBREDDIT: r/a\nTITLE: b\nPOST: c\nTL;DR: ", "SUBREDDIT: r/a\nTITLE: b\nPOST: c\nTL;DR:"),
      ("\n\tPOST:  c \n\nTL;DR:\n", "POST:  c \n\nTL;DR:"),
    ])
    func `a prompt loses the white space at its ends`(prompt: String, expected: String) throws {
      #expect(try prompts([["prompt": .string(prompt)]], ["strip": ["prompt"]]) == [expected])
      #expect(try prompts([["prompt": .string(prompt)]], [:]) == [prompt])
    }

    /// WritingPrompts: eleven tags are deleted, wherever they stand and spelled so, and the rest is stripped.
    @Test(arguments: [
      ("[ WP ] A king [ EU ] falls .", "A king  falls ."), ("[ IP ]\tSnow .", "Snow ."),
      ("[WP] Rain .", "[WP] Rain ."), ("[ wp ] Rain .", "[ wp ] Rain ."), ("[ RF ][ OT ] ", ""),
    ])
    func `the tags of WritingPrompts are deleted`(prompt: String, expected: String) throws {
      let tags = ["WP", "SP", "EU", "CW", "TT", "PM", "MP", "IP", "PI", "OT", "RF"]
      let replace = JSON.object(JSONObject(tags.map { ("[ \($0) ]", "") }))
      let options: JSON = [
        "fields": ["bare": ["from": "prompt", "replace": replace, "strip": true]], "prompt": "{bare}",
      ]
      #expect(try prompts([["prompt": .string(prompt)]], options) == [expected])
    }

    /// Hazard 16: after the original's feedback stage a prompt of HH is `Human: ` and what stands after its last `Human:`. Here
    /// it stays what it was sampled from, unless `data` is asked for the last turn.
    @Test(arguments: [
      ("Human: a Assistant: b Human: c d Assistant:", "Human: c d Assistant:"),
      ("Human: c d Assistant:", "Human: c d Assistant:"),
      // And with hazard 10.
      ("Human: What is Human: for? Assistant:", "Human: for? Assistant:"),
    ])
    func `earlier turns stay in the prompt, unless the last one alone is asked for`(
      prompt: String, original: String
    ) throws {
      let last: JSON = [
        "fields": ["last": ["from": "prompt", "after_last": "Human:", "strip": true]],
        "prompt": "Human: {last}",
      ]
      #expect(try prompts([["prompt": .string(prompt)]], last) == [original])
      #expect(try prompts([["prompt": .string(prompt)]], [:]) == [prompt])
    }

    /// Hazard 17: of equal prompts the original's sampler keeps the first, and says nothing. Here all stay, or the first by
    /// `dedup`, which counts the others.
    @Test func `equal prompts stay, or the first of them by an option that counts the others`() throws {
      let rows: [JSON] = ["a", "b", "a", "a", "c"].enumerated().map {
        ["prompt": .string($1), "n": .int(Int64($0))]
      }
      let all = try bench.dataRows(lines(rows), ["keep": ["n"]])
      #expect(all.map { $0["n"] } == [0, 1, 2, 3, 4] && Set(all.map(\.id)).count == 5)
      let first = try bench.dataRows(lines(rows), ["keep": ["n"], "dedup": "prompt"])
      #expect(first.map { $0["n"] } == [0, 1, 4])
      #expect(bench.leftOut == ["repeated_rows: 2"])
    }

    // MARK: draws

    /// Hazard 24: the original's text says with replacement, and its `shuf -n` draws without.
    @Test func `an iteration draws no prompt twice, unless the option allows it`() throws {
      let rows = numberedRows(64)
      for (replaces, distinct) in [(false, 64...64), (true, 1...60)] {
        let drawn = try #require(
          try bench.run(DrawStage(), ["count": 64, "replacement": .bool(replaces)], rows: rows)["rows"])
        #expect(drawn.count == 64)
        #expect(distinct.contains(Set(drawn.map { $0["prompt"]?.text() ?? "" }).count))
      }
    }

    /// Of N prompts two iterations of n share n * n / N, as independent draws do: 512 * 512 / 4096 = 64, with a standard
    /// deviation of sqrt(64 * (1 - 1/8) * (1 - 1/8)) = 7. (The original's ten files of 2,048 share 22 to 51 with the first.)
    @Test func `iterations draw independently of each other`() throws {
      let rows = numberedRows(4096)
      let draws = try (0..<10).map { Set(try draw(rows, count: 512, seed: UInt64($0)).map(\.id)) }
      #expect(draws.allSatisfy { $0.count == 512 })
      for later in draws.dropFirst() {
        #expect((64 - 28...64 + 28).contains(draws[0].intersection(later).count))
      }
      // 4096 * (1 - (7/8)^10) = 3018.5 in all.
      #expect((2950...3090).contains(draws.reduce(into: Set<String>()) { $0.formUnion($1) }.count))
    }

    /// Hazard 24: the rows on which the reward model is judged are the first ones, and the text says random ones.
    @Test func `the first rows are taken, or random ones`() throws {
      let rows: [JSON] = (0..<50).map { ["prompt": .string("p\($0)"), "n": .int(Int64($0))] }
      func numbers(_ options: JSON) throws -> [Int] {
        try bench.dataRows(lines(rows), with(options, [("keep", ["n"]), ("limit", 5)])).compactMap {
          $0["n"]?.intValue
        }
      }
      #expect(try numbers([:]) == [0, 1, 2, 3, 4])
      let random = try numbers(["shuffle": true])
      #expect(random.count == 5 && random.sorted() != [0, 1, 2, 3, 4])
    }
  }
}

// METHODS 1.5 and the pair filters of 1.1: what a reward model reads, where it is read, and how often it is right.

import JSON
import Models
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct RewardVectors {
    private static let tests = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    private func tokenizer() throws -> Tokenizer {
      try readTokenizer("\(Self.tests)/ModelsTests/Fixtures/tokenizer/gpt2.json")
    }

    private func tokens(_ options: [(String, JSON)], _ prompt: JSON, _ generation: JSON) throws -> [Int32] {
      var reader = try RewardReader(
        RewardText(StageOptions(with(RewardReaderTests.fixed, options))), try tokenizer(),
        contextLength: 2048)
      let row = Row(["id": "a", "prompt": prompt, "generations": [generation]])
      return try reader.fit(RowItem(rowIndex: 0, row: row, item: 0))?.tokens ?? []
    }

    // MARK: the text

    /// `<|startoftext|>` + strip(piece 0) + newline + `TL;DR: ` + strip(piece 1), up to the token before `<|endoftext|>`, at
    /// which the score is read. The original, `split: everywhere`, splits prompt and generation at every `TL;DR:` and takes the
    /// first two pieces (hazard 10): where a post contains it, or the generation does, other text is scored.
    @Test(arguments: [
      (
        "SUBREDDIT: r/a\nTITLE: b\nPOST: c\nTL;DR:", " d e. ",
        "<|startoftext|>SUBREDDIT: r/a\nTITLE: b\nPOST: c\nTL;DR: d e.",
        "<|startoftext|>SUBREDDIT: r/a\nTITLE: b\nPOST: c\nTL;DR: d e."
      ),
      (
        "  POST: c \n\nTL;DR:\n", "d", "<|startoftext|>POST: c\nTL;DR: d", "<|startoftext|>POST: c\nTL;DR: d"
      ),
      (
        "POST: no TL;DR: here\nTL;DR:", " d", "<|startoftext|>POST: no\nTL;DR: here",
        "<|startoftext|>POST: no TL;DR: here\nTL;DR: d"
      ),
      (
        "POST: c\nTL;DR:", " d TL;DR: e", "<|startoftext|>POST: c\nTL;DR: d",
        "<|startoftext|>POST: c\nTL;DR: d TL;DR: e"
      ),
      ("POST: c\nTL;DR:", "", "<|startoftext|>POST: c\nTL;DR: ", "<|startoftext|>POST: c\nTL;DR: "),
    ])
    func `the text is that of the original, and the whole generation unless it is asked to lose some`(
      prompt: String, generation: String, original: String, fixed: String
    ) throws {
      let tokenizer = try tokenizer()
      for (split, expected) in [("everywhere", original), ("prompt", fixed)] {
        let found = try tokens([("split", .string(split))], .string(prompt), .string(generation))
        #expect(tokenizer.decode(found, skipSpecial: false) == expected, "\(split)")
        // The marker is ordinary text: no token of this tokenizer's own.
        #expect(found.allSatisfy { !tokenizer.isSpecial($0) })
      }
    }

    @Test func `no summary goes unscored unless the option asks for it`() throws {
      let post: JSON = "POST: TL;DR: comes last.\nTL;DR:"
      for (split, isLost) in [("prompt", false), ("everywhere", true)] {
        let found = try ["I fell.", "I stood."].map {
          try tokens([("split", .string(split))], post, .string($0))
        }
        #expect((found[0] == found[1]) == isLost)
      }
    }

    /// Hazard 11: cut at the right, as the original, a long text loses the end of its generation; cut at the left it keeps it.
    @Test func `a long text loses its end as in the original, or its beginning`() throws {
      let (prompt, generation): (JSON, JSON) = ("POST: one two three\nTL;DR:", " four five")
      let all = try tokens([], prompt, generation)
      #expect(try tokenizer().decode(all, skipSpecial: false).hasSuffix("TL;DR: four five"))
      let length: (String, JSON) = ("max_length", .int(Int64(all.count - 2)))
      // Of a text that fills the length the original finds no end token, and reads the last position.
      #expect(try tokens([length], prompt, generation) == Array(all.dropLast(2)))
      // The template ends in `<|endoftext|>`, which takes one of the places.
      #expect(try tokens([length, ("truncation", "left")], prompt, generation) == Array(all.dropFirst(3)))
    }

    // MARK: pairs

    /// Hazard 9: training and accuracy read both texts at the last position of the longer one, where the shorter one has
    /// padding; scoring reads each at its own last token.
    @Test func `the value of the shorter text stands in its padding, or at its own end`() throws {
      let pad: Int32 = 0
      let pair = PreferencePair(chosen: [5, 6, 7, 8, 9], rejected: [5, 6, 4, pad, pad], pad: pad)
      #expect(pair.divergence == 2 && pair.end == 5)
      let (chosen, rejected): ([Float], [Float]) = ([1, 2, 3, 4, 5], [1, 2, 7, 8, 3])
      let scores = pair.endScores(chosen: chosen, rejected: rejected)
      #expect(scores.chosen == 5 && scores.rejected == 3)
      // So the original calls the pair right. At its own last token the rejected text has 7, and is read as the better one.
      #expect(pair.texts(at: .diverging)?.map(\.rows) == [[2, 3, 4], [2, 3, 4]])
      #expect(pair.texts(at: .diverging)?.map(\.tokens) == [[5, 6, 7, 8, 9], [5, 6, 4, 0, 0]])
      #expect(pair.texts(at: .last)?.map(\.rows) == [[4], [2]])
      #expect(pair.texts(at: .last)?.map(\.tokens) == [[5, 6, 7, 8, 9], [5, 6, 4]])
    }

    /// The mean over positions from the first difference to the end of -log sigmoid(chosen - rejected): of differences 1, 1 and
    /// 4, (0.313261688 + 0.313261688 + 0.018149928) / 3. A pair of equal texts has 0, and counts in the divisor of the batch.
    @Test func `the loss of a pair is the mean over the positions at which its texts differ`() {
      let pair = PreferencePair(chosenText: [5, 6, 7, 8], rejectedText: [5, 9, 9], pad: 0)
      let loss = pair.loss(chosen: [9, 1, 2, 3], rejected: [0, 0, 1, -1])
      #expect(abs(loss - 0.214891101) < 1e-6)
      let equal = PreferencePair(chosenText: [5, 6], rejectedText: [5, 6], pad: 0)
      #expect(equal.loss(chosen: [1, 2], rejected: [3, 4]) == 0)
      #expect(abs(PreferencePair.batchLoss([loss, 0]) - 0.107445550) < 1e-6)
    }

    /// Strictly higher: a tie is not right.
    @Test(
      arguments: [
        ([2, 1], 1), ([1, 2], 0), ([1, 1], 0), ([-2, -3], 1), ([0.1, 0.1], 0), ([0.0, -0.0], 0),
      ] as [(JSON, Double)])
    func `a pair is right where the preferred text has the strictly higher reward`(
      rewards: JSON, accuracy: Double
    ) throws {
      let bench = ModelBench()
      let row = Row(["id": "a", "prompt": "p", "generations": ["one", "two"], "rewards": rewards])
      for preferences in [nil, [1, 0]] as [JSON?] {
        var row = row
        row["preferences"] = preferences
        let found = try bench.json(
          bench.run(EvaluateStage(), ["metrics": ["accuracy"]], rows: [row]) + "/metrics.json")
        #expect(found["accuracy"]?.doubleValue == accuracy && found["accuracy_pairs"] == 1)
      }
      let numbers = (rewards.arrayValue ?? []).compactMap(\.doubleValue).map { Float($0) }
      #expect(PreferencePair.accuracy([(numbers[0], numbers[1])]) == accuracy)
    }

    // MARK: filters

    /// Dropped are pairs of equal texts, those of which a text has fewer than 5 words between white space, and those whose ids
    /// are equal once they are cut and filled. Six pairs of eight stay out of training.
    @Test func `pairs that cannot be compared are dropped, each by its rule`() throws {
      let bench = ModelBench()
      let pairs: [(String, String)] = [
        (" one two three four five", " one two three four six"),
        (" one two three four five", " one two three four five"),
        (" one two three four", " one two three four five"),
        (" one two three four five", "  one  two \n three\tfour "),
        // Five words, by white space of any kind.
        ("one\ntwo\tthree  four five ", " a b c d e"),
        (" a.b.c.d.e", " one two three four five"), ("", " one two three four five"),
        // Equal once they are stripped.
        (" one two three four five", "one two three four five "),
      ]
      let rows = pairs.enumerated().map { index, pair in
        Row([
          "id": .string("p\(index)"), "prompt": "The film",
          "generations": [.string(pair.0), .string(pair.1)],
        ])
      }
      let output = try bench.run(
        TrainStage(),
        [
          "lr": 1e-30, "steps": 1,
          "objective": [
            "kind": "pairwise", "preferred": "first", "min_words": 5, "strip": true,
            "template": "{prompt}\n{generation}",
          ],
        ], models: ["model": bench.model()], rows: rows)
      let metrics = try bench.json("\(output)/metrics.json")
      #expect(metrics["samples"] == 2)
      #expect(
        metrics["pairs_equal"] == 1 && metrics["pairs_short"] == 4 && metrics["pairs_equal_tokens"] == 1)
      // Cut to what they share.
      let nothing = inputError {
        _ = try bench.run(
          TrainStage(),
          ["lr": 0.01, "objective": ["kind": "pairwise", "preferred": "first", "max_length": 3]],
          models: ["model": bench.model("second")], rows: [rows[0]])
      }
      #expect(nothing.contains("1 pairs of equal tokens"), "\(nothing)")
    }
  }
}

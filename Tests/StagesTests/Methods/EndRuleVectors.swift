// METHODS 1.8: which samples are trained with the end token appended.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

extension Methods {
  @Suite struct EndRuleVectors {
    private let tokenizer: Tokenizer
    init() throws { tokenizer = try readTokenizer(TinyModel.tokenizerPath) }

    /// Terminated: the last character but white space is one of `.`, `?`, `!`. The empty text is not.
    private static let texts: [(text: String, stripped: String, isTerminated: Bool)] = [
      ("was old.", "was old.", true), (" was old? \n", "was old?", true), ("was old!", "was old!", true),
      ("\twas old.\u{A0}", "was old.", true), ("...", "...", true), (" was old", "was old", false),
      ("was old,", "was old,", false), ("was old.)", "was old.)", false), ("was old.\"", "was old.\"", false),
      ("was old\u{3002}", "was old\u{3002}", false), ("was. old ", "was. old", false),
    ]

    /// `end: terminated` with `max_new_tokens`, the original's rule: appended unless the text is both not terminated and
    /// exactly as long as the cap, in tokens of the text without white space around it.
    @Test(arguments: [(-1, true), (0, false), (1, true)])
    func `terminated, by length: unless a text is both unterminated and exactly at the cap`(
      tokensBelowCap: Int, appendsToUnterminated: Bool
    ) throws {
      for (text, stripped, isTerminated) in Self.texts {
        let cap = tokenizer.encode(stripped, isContinuation: true).count + tokensBelowCap
        // How the sample ended is not looked at.
        for finish in [SampleFinish.end, .stop, .length, nil] {
          let appends = try EndRule.terminated(maximumNewTokens: cap).appendsEnd(
            to: text, finish: finish, tokenizer)
          #expect(appends == (isTerminated || appendsToUnterminated), "\(text.debugDescription) under \(cap)")
        }
      }
    }

    /// It has 0 tokens: at the cap of 0 alone, which no option allows.
    @Test(arguments: ["", " ", "\n \u{A0}"])
    func `an empty text is unterminated, and never as long as a cap`(text: String) throws {
      #expect(try EndRule.terminated(maximumNewTokens: 64).appendsEnd(to: text, finish: nil, tokenizer))
      #expect(
        try EndRule.terminated(maximumNewTokens: 0).appendsEnd(to: text, finish: nil, tokenizer) == false)
      #expect(
        try EndRule.terminated(maximumNewTokens: nil).appendsEnd(to: text, finish: .length, tokenizer)
          == false)
    }

    /// Rows: how the sample ended. Columns: `finished`, `always`, `never`, and `terminated` without a cap, of a text that is
    /// terminated and of one that is not; nil is an error.
    @Test(
      arguments: [
        (.end, true, true, false, true, true), (.stop, true, true, false, true, true),
        (.length, false, true, false, true, false), (nil, true, true, false, true, nil),
      ] as [(SampleFinish?, Bool, Bool, Bool, Bool, Bool?)])
    func `every other rule goes by how the sample ended`(
      finish: SampleFinish?, finished: Bool, always: Bool, never: Bool, terminated: Bool, unterminated: Bool?
    ) throws {
      for (text, _, isTerminated) in Self.texts + [("", "", false)] {
        func appends(_ rule: EndRule) throws -> Bool {
          try rule.appendsEnd(to: text, finish: finish, tokenizer)
        }
        #expect(try appends(.finished) == finished)
        #expect(try appends(.always) == always)
        #expect(try appends(.never) == never)
        let rule = EndRule.terminated(maximumNewTokens: nil)
        if let expected = isTerminated ? terminated : unterminated {
          #expect(try appends(rule) == expected, "\(text.debugDescription)")
        } else {
          #expect(throws: InputError.self) { try appends(rule) }
        }
      }
    }

    /// The same from the options of `train`: samples of 2, 1, 2 and 0 tokens, and which of them end with the end token.
    @Test(
      arguments: [
        ("terminated", 2, [true, true, false, true]), ("terminated", 64, [true, true, true, true]),
        ("terminated", nil, [true, true, true, nil]), ("finished", nil, [false, true, true, nil]),
        ("always", nil, [true, true, true, true]), ("never", nil, [false, false, false, nil]),
      ] as [(JSON, JSON, [Bool?])])
    func `train appends the end token by its option`(end: JSON, cap: JSON, expected: [Bool?]) throws {
      let bench = ModelBench()
      let row = Row([
        "id": "r", "prompt": "The", "generations": ["a.", "a", "ab", ""],
        "finish": ["length", "end", "stop", "length"],
      ])
      for (text, count) in [("a.", 2), ("a", 1), ("ab", 2)] { #expect(tokenizer.encode(text).count == count) }
      let found = try bench.inputs(
        of: TrainStage(),
        ["lr": 0.01, "conditioning": ["kind": "none"], "end": end, "max_new_tokens": cap],
        models: ["model": bench.model()], rows: [row])
      let endToken: Int32 = 2
      var ends = [Bool?](repeating: nil, count: 4)
      for input in found.inputs {
        let number = try #require(Int(String(input.name.dropFirst(2))))
        ends[number] = input.tokens.last == endToken
      }
      // A sample without a token is left out: the empty one without the end token.
      #expect(ends == expected)
    }
  }
}

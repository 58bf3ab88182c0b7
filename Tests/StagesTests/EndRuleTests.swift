// Which samples are followed by the end token, and what their texts are.

import JSON
import Models
import Runner
import Stages
import Testing

struct EndRuleTests {
  let bench = ModelBench()
  let tokenizer: Tokenizer
  init() throws { tokenizer = try openCheckpoint(bench.model()).requireTokenizer() }

  @Test func `terminated: unless a text looks unfinished and has exactly as many tokens as were allowed`()
    throws
  {
    for (text, looksFinished) in [
      ("was old.", true), (" was old? \n", true), ("was old!", true), ("was old", false), ("was old,", false),
      ("was old.)", false), (" ", false), ("", false),
    ] {
      let stripped = text.trimmingPrefix { $0 == " " }
      let count = tokenizer.encode(text.contains("\n") ? "was old?" : String(stripped)).count
      for (cap, isAtCap) in [(count, true), (count + 1, false)] {
        let appends = try EndRule.terminated(maximumNewTokens: cap).appendsEnd(
          to: text, finish: nil, tokenizer)
        #expect(appends == !(!looksFinished && isAtCap), "\(text.debugDescription) at \(cap)")
      }
    }
  }

  @Test func `terminated without a number goes by how the sample ended, and needs to know it`() throws {
    let rule = EndRule.terminated(maximumNewTokens: nil)
    #expect(try rule.appendsEnd(to: "was old", finish: .length, tokenizer) == false)
    #expect(try rule.appendsEnd(to: "was old.", finish: .length, tokenizer))
    #expect(try rule.appendsEnd(to: "was old", finish: .stop, tokenizer))
    #expect(throws: InputError.self) { try rule.appendsEnd(to: "was old", finish: nil, tokenizer) }
  }

  @Test func `finished counts a stop text and a given text as ends`() throws {
    for (finish, expected) in [(SampleFinish.end, true), (.stop, true), (.length, false), (nil, true)] {
      #expect(try EndRule.finished.appendsEnd(to: "x", finish: finish, tokenizer) == expected)
      #expect(try EndRule.always.appendsEnd(to: "x", finish: finish, tokenizer))
      #expect(try EndRule.never.appendsEnd(to: "x", finish: finish, tokenizer) == false)
    }
  }

  @Test func `rows say how each sample ended`() throws {
    let model = try bench.model()
    let output = try bench.run(
      SampleStage(), ["n": 24, "max_new_tokens": 30, "stop": ["z"], "temperature": 1.5],
      models: ["model": model],
      rows: prompts, port: "prompts")
    var seen: Set<String> = []
    for row in try bench.rows(output) {
      let samples = try SampleLists(row, ColumnTable(samples: usualSampleColumns))
      for index in 0..<samples.count {
        let finish = try #require(samples["finish"]?[index].stringValue)
        let length = try #require(samples["lengths"]?[index].intValue)
        seen.insert(finish)
        #expect(samples["finished"]?[index] == .bool(finish == "end"))
        if finish == "length" { #expect(length == 30) }
        #expect(try SampleFinish(samples, index, of: row)?.rawValue == finish)
      }
    }
    #expect(seen == ["end", "stop", "length"])
    let old = Row(["id": "a", "generations": ["x", "y"], "finished": [true, false]])
    let samples = try SampleLists(old, ColumnTable(samples: usualSampleColumns))
    #expect(try SampleFinish(samples, 0, of: old) == .end && SampleFinish(samples, 1, of: old) == .length)
    let wrong = Row(["id": "a", "generations": ["x"], "finish": ["cut"]])
    #expect(
      inputError {
        _ = try SampleFinish(
          SampleLists(wrong, ColumnTable(samples: ["generations", "finish"])), 0, of: wrong)
      }.contains("entry 0 of `finish` is \"cut\""))
  }
}

// `kind: lexicon`: words and weights, the forms of the file, and what is refused.

import JSON
import Runner
import Stages
import Testing

struct LexiconScorerTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func options(_ file: String, category: JSON = nil, aggregate: JSON = "mean") -> JSON {
    ["scorer": ["kind": "lexicon", "file": .string(file), "category": category, "aggregate": aggregate]]
  }

  private func rewards(
    _ lexicon: String, _ texts: [JSON], category: JSON = nil, aggregate: JSON = "mean"
  ) throws -> JSON? {
    let path = try bench.file("lexicon.txt", lexicon)
    let row = Row(["id": "a", "generations": .array(texts)])
    return try bench.run(
      ScoreStage(), options(path, category: category, aggregate: aggregate), rows: [row])["rows"]?[0][
        "rewards"]
  }

  @Test func `the mean over all words, words that the file lacks weigh nothing`() throws {
    let lexicon = "good\t2\nbad\t-1.5\n"
    let texts: [JSON] = ["Good, GOOD film!", "bad", "a film", "", "42 ?!", "good_bad"]
    #expect(
      try rewards(lexicon, texts) == [.double(4.0 / 3), -1.5, 0, 0, 0, 0.25])
    #expect(try rewards(lexicon, texts, aggregate: "sum") == [4, -1.5, 0, 0, 0, 0.5])
  }

  @Test func `words are runs of letters of any script, in lower case, composed or not`() throws {
    let lexicon = "caf\u{E9}\t1\n\u{43F}\u{440}\u{438}\u{432}\u{435}\u{442}\t2\n\u{3B1}\u{3B2}\t4\n"
    let texts: [JSON] = [
      "CAFE\u{301}", "\u{41F}\u{420}\u{418}\u{412}\u{415}\u{422}!", "x\u{3B1}\u{3B2}", "\u{391}\u{392}",
    ]
    #expect(try rewards(lexicon, texts) == [1, 2, 0, 4])
  }

  @Test func `a JSON object, VADER's columns and NRC's categories give the same`() throws {
    let texts: [JSON] = ["good bad good"]
    let expected: JSON = [2.5]
    #expect(try rewards("  {\"good\": 2, \"bad\": -1.5}", texts, aggregate: "sum") == expected)
    let vader = "\u{FEFF}good\t2.0\t0.9\t[2, 2, 3]\r\nbad\t-1.5\t0.7\t[-1]\r\n:)\t2.0\t1.1\t[2]\r\n"
    #expect(try rewards(vader, texts, aggregate: "sum") == expected)
    #expect(bench.reporter.lines.withLock { $0.contains { $0.contains("2 words; 1 entries") } })
    let nrc = "good\tjoy\t2\ngood\tanger\t9\n\nbad\tjoy\t-1.5\nbad\tanger\t7\n"
    #expect(try rewards(nrc, texts, category: "joy", aggregate: "sum") == expected)
    #expect(try rewards(nrc, texts, category: "anger", aggregate: "sum") == [25])
  }

  @Test func `of a word given twice the first weight counts`() throws {
    #expect(try rewards("Good\t1\ngood\t5\n", ["good"]) == [1])
  }

  @Test(
    arguments: [
      ("good\n", nil, ":1:1: one column; expected a word, a tab and its weight"),
      (
        "bad\t1\ngood\tjoy\t1\n", nil,
        ":2:1: `joy` is not a finite number; expected the weight of `good`; where"
      ),
      ("good\tnan\n", nil, ":1:1: `nan` is not a finite number"),
      ("good\t1\n", "joy", ":1:1: 2 columns; expected a word, a category and a weight"),
      ("good\tfear\t1\n", "joy", ": no word has a weight in the category `joy`"),
      ("{\"good\": \"x\"}", nil, ": the weight of `good` is a string; expected a finite number"),
      ("{\"good\": 1,\n \"bad\"}", nil, ":2:7: not JSON"),
      ("{\"good\": 1}", "joy", ": a JSON object has no categories"),
      (":)\t1\nvery good\t1\n", nil, ": no word has a weight; 2 entries are not one word each"),
      ("", nil, ": no word has a weight"),
    ] as [(String, JSON, String)])
  func `a wrong file is refused by its line`(lexicon: String, category: JSON, message: String) {
    let text = inputError { _ = try rewards(lexicon, ["good"], category: category) }
    #expect(text.contains("lexicon.txt" + message), "\(text)")
  }

  @Test func `what is no text is refused by its row`() {
    #expect(inputError { _ = try rewards("good\t1\n", [3]) } == "row `a`: generation 0 is not text")
  }

  @Test func `it takes no model, and the numeric mode does not matter`() throws {
    let lexicon = ScoreStage.declaration(for: options("x"))
    #expect(lexicon.inputs.map(\.name) == ["rows"] && !lexicon.computes)
    let choice = ScoreStage.declaration(for: ScoreStageTests.choice())
    #expect(choice.inputs.map(\.name) == ["model", "rows"] && choice.computes)
    #expect(choice.inputs.map(\.isRequired) == [true, true])
    #expect(ScoreStage.declaration.inputs.first?.isRequired == false)
  }
}

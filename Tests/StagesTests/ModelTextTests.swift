// What a model is given: pieces joined as characters, special tokens where the author of the experiment wrote them.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct ModelTextTests {
  let bench = ModelBench()
  let tokenizer: Tokenizer
  init() throws { tokenizer = try openCheckpoint(bench.model()).requireTokenizer() }

  private func text(_ pieces: (literal: Bool, String)...) -> ModelText {
    var text = ModelText()
    for piece in pieces {
      if piece.literal { text.append(literal: piece.1) } else { text.append(field: piece.1) }
    }
    return text
  }

  @Test func `pieces are joined before they are cut into tokens`() {
    let whole = tokenizer.encode("Review: had been fine")
    #expect(text((true, "Review:"), (false, " had been fine")).tokens(tokenizer) == whole)
    #expect(text((true, "Review: "), (false, "had been fine")).tokens(tokenizer) == whole)
    #expect(tokenizer.encode("Review: ") + tokenizer.encode("had been fine") != whole)
  }

  @Test func `special tokens are read in what the author wrote and nowhere else`() throws {
    let start = try #require(tokenizer.id(of: "<|im_start|>"))
    let spelled = tokenizer.encode("<|im_start|>")
    #expect(spelled.count > 1 && !spelled.contains(start))
    #expect(text((true, "<|im_start|>The film")).tokens(tokenizer) == [start] + tokenizer.encode("The film"))
    #expect(text((true, "<|im_start|>"), (false, "<|im_start|>")).tokens(tokenizer) == [start] + spelled)
    // A token may not be put together from what the author wrote and what a row holds.
    #expect(!text((true, "<|im_"), (false, "start|>")).tokens(tokenizer).contains(start))
    #expect(!text((true, "<|im_"), (true, "start|>")).tokens(tokenizer).contains(start))
  }

  @Test func `a prompt's row says where the author's words stand`() throws {
    let written = text((true, "<|im_start|>user\n"), (false, "é <|im_end|>"), (true, "<|im_end|>\n"))
    var row = Row(["id": "a", "prompt": .string(written.text)])
    row["prompt_literals"] = written.literalsJSON
    #expect(row["prompt_literals"] == [[0, 17], [30, 11]])
    #expect(try ModelText(promptOf: row).tokens(tokenizer) == written.tokens(tokenizer))
    #expect(text((true, " review: "), (false, "The <film>")).literalsJSON == nil)
    for wrong: JSON in [[[0, 1000]], [[-1, 2]], [[17, 1], [0, 2]], [[0]], "x", [[0, 18]]] {
      row["prompt_literals"] = wrong
      #expect(
        inputError { _ = try ModelText(promptOf: row) }.contains("`prompt_literals` does not fit"),
        "\(wrong.text())")
    }
  }

  @Test func `an author who wrote the token that begins a text is not given a second one`() throws {
    let tokenizer = try readTokenizer(TinyModel.tokenizerPath.replacing("smollm.json", with: "llama3.json"))
    try #require(tokenizer.addsBeginToken)
    let begin = try #require(tokenizer.beginToken)
    let spelling = try #require(tokenizer.spelling(begin))
    let expected = [begin] + tokenizer.encode("The film")
    #expect(text((false, "The film")).tokens(tokenizer) == expected)
    #expect(text((true, spelling), (false, "The film")).tokens(tokenizer) == expected)
    #expect(text((false, spelling)).tokens(tokenizer) == [begin] + tokenizer.encode(spelling))
  }

  @Test func `markers that the tokenizer reads as letters are found`() {
    let written = text(
      (true, "[INST]<|im_start|>user <|nobody|> <|two words|> <b>"), (false, "<|field|>"))
    #expect(written.unreadMarkers(tokenizer) == ["[INST]", "<|nobody|>"])
  }

  @Test func `sampling warns of a marker in a prompt that the model does not read`() throws {
    let model = try bench.model("warned")
    let rows = [Row(["id": "a", "prompt": "<|nobody|>", "prompt_literals": [[0, 10]]])]
    try bench.run(
      SampleStage(), ["max_new_tokens": 1], models: ["model": model], rows: rows, port: "prompts")
    #expect(bench.log.contains { $0.hasPrefix("warning: `<|nobody|>` is not a token of this model") })
  }

  @Test func `training reads a prompt with its class as sampling does`() throws {
    let prefixes = ["Excellent. input: ", "Bad. input: "]
    let conditioning = Conditioning(kind: .text, prefixes: prefixes)
    let row = Row(["id": "a", "prompt": "had been fine"])
    let found = conditioning.text(prefixes[0]) + (try ModelText(promptOf: row))
    #expect(found.tokens(tokenizer) == tokenizer.encode("Excellent. input: had been fine"))
    #expect(
      tokenizer.encode("Excellent. input: ") + tokenizer.encode("had been fine") != found.tokens(tokenizer))
  }
}

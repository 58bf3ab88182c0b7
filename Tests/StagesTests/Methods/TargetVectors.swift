// METHODS 1.8: what is trained on of a generation: one blank, the text without white space at its ends, the end token.

import JSON
import Models
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct TargetVectors {
    let bench = ModelBench()

    static let generations: [JSON] = [" a b.", "a b.", "  a b. \n", "\u{1F}a\u{A0}"]

    @Test(arguments: [
      ("text", [" a b.", "a b.", "  a b. \n", "\u{1F}a\u{A0}"]),
      ("spaced_text", [" a b.", " a b.", " a b.", " a"]),
    ])
    func `the original puts one blank before the text and nothing behind it`(
      targets: String, expected: [String]
    ) throws {
      let row = Row(["id": "r", "prompt": "P", "generations": .array(Self.generations)])
      let found = try bench.inputs(
        of: TrainStage(),
        [
          "lr": 1e-30, "targets": .string(targets), "objective": ["kind": "sft"],
          "conditioning": ["kind": "none"], "end": "always",
        ], models: ["model": bench.model()], rows: [row])
      let texts = found.inputs.map { input in
        input.targets.map { found.tokenizer.decode(Array(input.tokens[$0]), skipSpecial: false) }.joined()
      }
      let end = try #require(found.inputs.first?.tokens.last)
      #expect(texts == expected.map { $0 + found.tokenizer.decode([end], skipSpecial: false) })
      // Prompt and generation are tokenized apart.
      #expect(found.contexts == Self.generations.map { _ in "P" })
    }
  }
}

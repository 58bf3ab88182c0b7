// Did you mean.

import Runner
import System
import Testing

@Suite struct SuggestionTests {
  @Test(arguments: [
    ("polcy", "policy"), ("smaple", "sample"), ("batchsize", "batch_size"), ("Train", "train"), ("lrr", "lr"),
  ]) func `finds a slip of the fingers`(_ written: String, _ meant: String) {
    #expect(
      Suggestion.nearest(to: written, among: ["policy", "sample", "batch_size", "train", "lr"]) == meant)
  }

  @Test func `does not guess at random`() {
    #expect(Suggestion.nearest(to: "zebra", among: ["policy", "sample", "train"]) == nil)
    #expect(Suggestion.nearest(to: "", among: ["a"]) == nil)
    #expect(Suggestion.nearest(to: String(repeating: "a", count: 100_000), among: ["a"]) == nil)
  }

  @Test func `hides characters that move or reorder text`() {
    #expect(TerminalText.escaped("a\u{1B}[31m\u{202E}b\u{2028}é") == "a\\u{1B}[31m\\u{202E}b\\u{2028}é")
  }
}

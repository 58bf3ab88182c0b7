import Glibc
import JSON
import Models
import Testing

/// The real SmolLM2-135M-Instruct against transformers in fp32, where the model cache holds it.
@Suite struct SmolLM2GoldenTests {
  static let sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

  /// Where `plumb` keeps the model that the quickstart fetches.
  static var path: String? {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    let cache =
      variable("PLUMB_MODELS") ?? (variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache")
      + "/plumb/models"
    let path = "\(cache)/\(sha256)/SmolLM2-135M-Instruct.Q4_1.gguf"
    return access(path, R_OK) == 0 ? path : nil
  }

  @Test(.enabled(if: path != nil, "SmolLM2 is not in the model cache; `make quickstart` fetches it"))
  func `logits and greedy continuations equal those of transformers`() throws {
    let checkpoint = try openCheckpoint(try #require(Self.path))
    let tokenizer = try checkpoint.requireTokenizer()
    let decoder = try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: .fp32, backend: CPUBackend(threads: 2))
    let golden = try readJSON("\(Golden.root)/smollm2.json")
    let vocabulary = (golden["vocabulary"]?.arrayValue ?? []).compactMap(\.intValue)
    var worst: Float = 0
    var requests: [SamplingRequest] = []
    var expected: [[Int32]] = []
    for (index, prompt) in (golden["prompts"]?.arrayValue ?? []).enumerated() {
      let tokens = (prompt["tokens"]?.arrayValue ?? []).compactMap(\.intValue).map { Int32($0) }
      #expect(tokenizer.encode(prompt["text"]?.stringValue ?? "", parseSpecial: true) == tokens)
      let logits = try forward(decoder, tokens)
      for (row, wanted) in zip(logits, prompt["logits"]?.arrayValue ?? []) {
        for (id, value) in zip(vocabulary, (wanted.arrayValue ?? []).compactMap(\.doubleValue)) {
          worst = max(worst, abs(row[id] - Float(value)))
        }
      }
      requests.append(SamplingRequest(row: UInt64(index), prompt: tokens, samples: [0]))
      expected.append((prompt["greedy"]?.arrayValue ?? []).compactMap(\.intValue).map { Int32($0) })
    }
    #expect(expected.count == 20 && worst < 2e-3, "largest difference \(worst)")
    print("SmolLM2: largest logit difference from transformers \(worst)")
    let engine = SamplingEngine(
      decoder, parameters: .greedy, maximumNewTokens: 40, endTokens: [], seed: 0)
    try engine.run(requests) { sample in
      #expect(sample.tokens == expected[sample.request], "prompt \(sample.request)")
    }
  }
}

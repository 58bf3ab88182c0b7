// The golden numbers and tiny models beside the tests, as the tests read them.

import JSON
import Models

struct Golden {
  let directory: String
  let json: JSON
  let checkpoint: Checkpoint

  static var root: String {
    String(#filePath.dropLast("Decoder/Goldens.swift".count)) + "Fixtures/goldens"
  }

  init(_ name: String) throws {
    directory = "\(Self.root)/\(name)"
    json = try readJSON("\(directory)/goldens.json")
    checkpoint = try openCheckpoint(directory)
  }

  /// Those with logits, gradients and losses of the language model.
  static let models = ["tied", "untied", "mistral"] + continued
  /// Those with greedy continuations too.
  static let continued = [
    "gpt2", "gpt2-own", "gptj", "gptj-tied", "gpt-neox", "gpt-neox-sequential",
  ]
  /// One of each family and kind, for what holds of all and takes longer.
  static let kinds = models.filter { !["gpt2-own", "gptj-tied"].contains($0) }

  static func reference() throws -> Checkpoint { try openCheckpoint("\(root)/reference") }

  struct Sequence {
    let tokens: [Int32]
    let mask: [Int]
    let logProbabilities: [Double]
  }

  var sequences: [Sequence] {
    (json["sequences"]?.arrayValue ?? []).map { item in
      Sequence(
        tokens: integers(item["tokens"]).map { Int32($0) }, mask: integers(item["mask"]),
        logProbabilities: (item["logprobs"]?.arrayValue ?? []).compactMap(\.doubleValue))
    }
  }

  /// The conditional items as examples; conditioning is one token.
  var examples: [TrainingExample] {
    (json["conditional"]?["items"]?.arrayValue ?? []).enumerated().map { index, item in
      let prompt = integers(item["prompt"]).map { Int32($0) }
      return TrainingExample(
        id: "\(index)", context: [Int32(item["conditioning"]?.intValue ?? 0)] + prompt, unconditioned: prompt,
        output: integers(item["output"]).map { Int32($0) })
    }
  }

  /// The masked language model loss as examples of one output token each: the same mean.
  var tokenExamples: [TrainingExample] {
    sequences.enumerated().flatMap { index, sequence in
      sequence.tokens.indices.filter { sequence.mask[$0] == 1 }.map { t in
        TrainingExample(
          id: "\(index).\(t)", context: Array(sequence.tokens[..<t]),
          unconditioned: Array(sequence.tokens[..<t]),
          output: [sequence.tokens[t]])
      }
    }
  }

  private func integers(_ json: JSON?) -> [Int] { (json?.arrayValue ?? []).compactMap(\.intValue) }
}

/// The 2-norm of the difference over the 2-norm of what was expected.
func relativeError(_ found: [Float], _ expected: [Float]) -> Double {
  var difference = 0.0
  var norm = 0.0
  for (a, b) in zip(found, expected) {
    difference += Double(a - b) * Double(a - b)
    norm += Double(b) * Double(b)
  }
  return norm == 0 ? difference.squareRoot() : (difference / norm).squareRoot()
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// Logits [T, V] of one sequence, through the cache in one prefill.
func forward(_ decoder: Decoder, _ tokens: [Int32]) throws -> [[Float]] {
  try SequenceLogits(decoder).logits(tokens)
}

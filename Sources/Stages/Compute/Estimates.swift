// What a stage expects to need before it ever ran, by a few multiplications from rows, tokens and parameters. Each stage's own
// estimate stands beside it.

import Experiments
import Models

/// Orders of magnitude, from the machine's instruction set and the model's size; measured with `plan` and `run` of
/// experiments/quickstart.yaml. A model of a few thousand parameters takes its time beside the products.
enum Estimates {
  /// Floating-point operations a second and thread when sampling, scoring and training, with AVX2.
  static let sampling = 5e10
  static let scoring = 2e11
  static let training = 5e10
  /// Of other instruction sets, against AVX2.
  private static let speed: Double =
    switch stageDevice.instructionSet {
    case "amx": 4
    case "avx512bf16": 2.5
    case "avx512": 1.5
    case "avx2": 1
    default: 0.1
    }
  /// Of a pass beside its products: choosing a token, cutting texts, writing rows.
  private static let secondsPerToken = 3e-5
  /// Before the first token: a worker's start, and reading and packing a parameter.
  private static let secondsToStart = 0.05
  private static let secondsPerParameter = 5e-9
  static let bytesPerToken = 4.0
  /// Scores, ids and punctuation of a row's sample beside its text.
  static let bytesPerItem = 60

  static func integer(_ value: Double) -> Int? { value < 1e18 ? Int(value) : nil }

  static func seconds(
    tokens: Double?, parameters: Int?, passes: Double, rate: Double, _ threads: Int
  ) -> Double? {
    guard let tokens, let parameters else { return nil }
    let perToken = Double(parameters) * passes / (rate * speed * Double(max(1, threads))) + secondsPerToken
    return tokens * perToken + Double(parameters) * secondsPerParameter + secondsToStart
  }

  /// Tokens in all texts of an artifact.
  static func tokens(_ size: ArtifactSize) -> Double? {
    size.bytes.map { Double($0) / bytesPerToken }
  }

  /// Memory and time of a model at the input `model` that reads the rows' texts in a template.
  static func scoringWithModel(_ input: StageEstimate.Input, template: String) -> StageEstimate {
    let rows = input.input("rows")
    // What stands before the first field is read once, the rest of the question with every sample.
    let repeated = Double(template.utf8.drop { $0 != UInt8(ascii: "{") }.count) / bytesPerToken
    let texts = tokens(rows).map { $0 + Double(rows.items ?? rows.rows ?? 0) * repeated }
    return scoringWithModel(tokens: texts, by: input.input("model"), input)
  }

  /// Memory and time of a model that reads as many tokens.
  static func scoringWithModel(
    tokens: Double?, by model: ArtifactSize, _ input: StageEstimate.Input
  ) -> StageEstimate {
    StageEstimate(
      memoryBytes: ModelMemory(model, input.numericMode)?.reading,
      seconds: seconds(
        tokens: tokens, parameters: model.items, passes: 2, rate: scoring, input.threads))
  }

  /// What the server at a port is asked; nil of a model that is here.
  /// - Parameters:
  ///   - tokens: of all texts that are sent.
  ///   - reply: tokens of a reply at most.
  static func asking(
    _ input: StageEstimate.Input, _ port: String, requests: Int?, tokens: Double?, reply: Int
  ) -> StageEstimate? {
    guard input.input(port).facts[KnownArtifact.serverFact] != nil else { return nil }
    var estimate = StageEstimate()
    if let requests, let tokens, let prompt = integer(tokens) {
      estimate.asking = StageEstimate.Asking(
        requests: requests, promptTokens: prompt,
        completionTokens: requests.multipliedReportingOverflow(by: reply).partialValue)
    }
    return estimate
  }

  /// Tokens of the rows' texts in a template, once for each item.
  static func templateTokens(_ rows: ArtifactSize, _ template: String) -> Double? {
    tokens(rows).map {
      $0 + Double(rows.items ?? rows.rows ?? 0) * Double(template.utf8.count) / bytesPerToken
    }
  }

  /// Time for what reads rows and computes little.
  static func reading(_ rows: ArtifactSize) -> Double? { rows.bytes.map { Double($0) / 2e7 } }
}

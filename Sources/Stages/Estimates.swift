// What each stage expects to need before it ever ran: a few multiplications from rows, tokens and parameters.

import Glibc
import Models
import Runner
import System

/// Orders of magnitude, from the machine's instruction set and the model's size; measured with `plan` and `run` of
/// experiments/quickstart.yaml. A model of a few thousand parameters takes its time beside the products.
enum Estimates {
  /// Floating-point operations a second and thread when sampling, scoring and training, with AVX2.
  private static let sampling = 5e10
  private static let scoring = 2e11
  private static let training = 5e10
  /// Of other instruction sets, against AVX2.
  private static let speed: Double =
    switch stageDevice.instructionSet {
    case "amx": 4
    case "avx512": 1.5
    case "avx2": 1
    default: 0.1
    }
  /// Of a pass beside its products: choosing a token, cutting texts, writing rows.
  private static let secondsPerToken = 3e-5
  /// Before the first token: a worker's start, and reading and packing a parameter.
  private static let secondsToStart = 0.05
  private static let secondsPerParameter = 5e-9
  private static let bytesPerToken = 4.0
  /// Scores, ids and punctuation of a row's sample beside its text.
  private static let bytesPerItem = 60

  private static func integer(_ value: Double) -> Int? { value < 1e18 ? Int(value) : nil }

  private static func seconds(
    tokens: Double?, parameters: Int?, passes: Double, rate: Double, _ threads: Int
  ) -> Double? {
    guard let tokens, let parameters else { return nil }
    let perToken = Double(parameters) * passes / (rate * speed * Double(max(1, threads))) + secondsPerToken
    return tokens * perToken + Double(parameters) * secondsPerParameter + secondsToStart
  }

  /// The weights, and as much again for what is computed with them.
  private static func memory(parameters: Int?, bytesEach: Double) -> Int? {
    parameters.flatMap { integer(Double($0) * bytesEach + 5e8) }
  }

  /// Tokens in all texts of an artifact.
  static func tokens(_ size: ArtifactSize) -> Double? {
    size.bytes.map { Double($0) / bytesPerToken }
  }

  static let data: StageEstimate.Function = { input in
    let path = input.options[DataStage.path]
    guard let status = FileStatus.of(path), let lines = lineCount(path, size: status.size) else {
      return StageEstimate(seconds: nil)
    }
    let rows = min(lines, input.options[DataStage.limit] ?? lines)
    let bytes = lines == 0 ? 0 : integer(Double(status.size) * Double(rows) / Double(lines))
    return StageEstimate(
      outputs: ["rows": ArtifactSize(rows: rows, bytes: bytes)], memoryBytes: bytes.map { $0 / 4 * 16 },
      seconds: Double(status.size) / 2e7)
  }

  /// Counted in the first mebibyte and scaled.
  private static func lineCount(_ path: String, size: Int) -> Int? {
    guard let file = try? File.openToRead(path) else { return nil }
    defer { file.closeQuietly() }
    var lines = 0
    var count = 0
    do {
      try file.readBlocks(upTo: 1 << 20) { block in
        lines += block.count { $0 == 0x0A }
        count += block.count
      }
    } catch { return nil }
    if count == 0 { return 0 }
    return count < 1 << 20
      ? max(lines, 1) : integer(Double(lines) * Double(size) / Double(count)).map { max($0, 1) }
  }

  static let draw: StageEstimate.Function = { input in
    var rows = input.input("rows")
    if let count = input.options[DrawStage.count], let all = rows.rows, all > 0 {
      let share = Double(count) / Double(all)
      rows = ArtifactSize(
        rows: count, items: rows.items.flatMap { integer(Double($0) * share) },
        bytes: rows.bytes.flatMap { integer(Double($0) * share) })
    }
    return StageEstimate(outputs: ["rows": rows], seconds: reading(rows))
  }

  static let sample: StageEstimate.Function = { input in
    let (model, prompts) = (input.input("model"), input.input("prompts"))
    let n = Double(input.options[SampleStage.n])
    let new = Double(input.options[SampleStage.maxNewTokens])
    let tokens = prompts.rows.map { Double($0) * n * new }
    let items = prompts.rows.flatMap { integer(Double($0) * n) }
    let bytes = tokens.flatMap { tokens in
      integer(Double(prompts.bytes ?? 0) + tokens * bytesPerToken + Double(items ?? 0) * Double(bytesPerItem))
    }
    return StageEstimate(
      outputs: ["rows": ArtifactSize(rows: prompts.rows, items: items, bytes: bytes)],
      memoryBytes: memory(parameters: model.items, bytesEach: 6),
      seconds: seconds(tokens: tokens, parameters: model.items, passes: 2, rate: sampling, input.threads))
  }

  /// Memory and time of a model at the input `model` that reads the rows' texts in a template.
  static func scoringWithModel(_ input: StageEstimate.Input, template: String) -> StageEstimate {
    let rows = input.input("rows")
    // What stands before the first field is read once, the rest of the question with every sample.
    let repeated = Double(template.utf8.drop { $0 != UInt8(ascii: "{") }.count) / bytesPerToken
    let texts = tokens(rows).map { $0 + Double(rows.items ?? rows.rows ?? 0) * repeated }
    return scoringWithModel(tokens: texts, by: input.input("model"), input.threads)
  }

  /// Memory and time of a model that reads as many tokens.
  static func scoringWithModel(tokens: Double?, by model: ArtifactSize, _ threads: Int) -> StageEstimate {
    StageEstimate(
      memoryBytes: memory(parameters: model.items, bytesEach: 6),
      seconds: seconds(
        tokens: tokens, parameters: model.items, passes: 2, rate: scoring, threads))
  }

  /// Time for what reads rows and computes little.
  static func reading(_ rows: ArtifactSize) -> Double? { rows.bytes.map { Double($0) / 2e7 } }

  static let quantize: StageEstimate.Function = { input in
    let rows = sum(input.input("rows"), input.input("history"))
    return StageEstimate(outputs: ["rows": rows], seconds: reading(rows))
  }

  static let pool: StageEstimate.Function = { input in
    let rows = input.input("rows")
    var picked = rows
    let options = input.options
    let listed = options[PoolStage.classes]
    let classes = Double(listed.isEmpty ? 5 : listed.count)
    let most =
      options[PoolStage.perPrompt].map(Double.init)
      ?? options[PoolStage.perClass].map { Double($0) * classes }
    if let most, let count = rows.rows, let items = rows.items, items > 0 {
      let taken = min(Double(items), most * Double(count))
      picked.items = integer(taken)
      picked.bytes = rows.bytes.flatMap { integer(Double($0) * taken / Double(items)) }
    }
    return StageEstimate(
      outputs: ["rows": picked, "state": rows], seconds: reading(rows))
  }

  private static func sum(_ a: ArtifactSize, _ b: ArtifactSize) -> ArtifactSize {
    func add(_ a: Int?, _ b: Int?) -> Int? { a.map { $0 &+ (b ?? 0) } }
    return ArtifactSize(rows: add(a.rows, b.rows), items: add(a.items, b.items), bytes: add(a.bytes, b.bytes))
  }

  static let train: StageEstimate.Function = { input in
    let (model, rows) = (input.input("model"), input.input("rows"))
    let epochs = Double(input.options[TrainStage.epochs])
    let hasReference =
      input.options[TrainStage.objective].objective.reference != nil && input.input("reference").items != nil
    return StageEstimate(
      // fp32 masters.
      outputs: [
        "model": ArtifactSize(
          items: model.items, bytes: model.items.flatMap { integer(Double($0) * 4) }),
        "metrics": ArtifactSize(bytes: 1 << 16),
      ],
      // Masters, gradients, two moments, bf16 weights, checkpoints on their way to disk, and the reference.
      memoryBytes: memory(parameters: model.items, bytesEach: hasReference ? 28 : 22),
      seconds: seconds(
        tokens: tokens(rows).map { $0 * epochs }, parameters: model.items, passes: hasReference ? 8 : 6,
        rate: training, input.threads))
  }
}

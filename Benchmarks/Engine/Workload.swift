// One piece of work, by the description that every peer gets as well.

import Ceiling
import Foundation
import JSON
import Models

/// A workload that is not described as it must be.
struct WorkloadError: Error {
  let text: String
}

/// What is to be removed at the end.
nonisolated(unsafe) var scratchFolder: String?

struct Workload {
  private let description: JSON
  private let threads: Int
  private let mode: NumericMode

  init(_ description: JSON) throws {
    self.description = description
    threads = description["threads"]?.intValue ?? 2
    guard let mode = NumericMode(rawValue: description["mode"]?.stringValue ?? "bf16") else {
      throw WorkloadError(text: "no such mode: \(description)")
    }
    self.mode = mode
  }

  /// What is done each time; seconds where it measures itself.
  func prepared(model: String) throws -> () throws -> Double? {
    switch description["kind"]?.stringValue {
    case "fma": { operations(1e9, at: ceiling_fma(Int32(threads))) }
    case "bf16": { operations(1e9, at: ceiling_bf16(Int32(threads))) }
    case "read":
      {
        let bytes = try number("bytes")
        return operations(Double(bytes), at: ceiling_read(bytes, Int32(threads)))
      }
    case "gemm": try product()
    case "sample": try sampling(try TimedModel(model))
    case "score": try scoring(try TimedModel(model))
    case "judge": try judging(try TimedModel(model))
    case "train": try training(try TimedModel(model))
    case "save", "resume": try checkpointing(try TimedModel(model))
    case "tokenize": try tokenizing(try openTokenizer(model))
    default: throw WorkloadError(text: "no such kind of work: \(description)")
    }
  }

  private func operations(_ count: Double, at rate: Double) -> Double { count / rate }

  private func number(_ key: String) throws -> Int {
    guard let value = description[key]?.intValue else {
      throw WorkloadError(text: "`\(key)` is missing: \(description)")
    }
    return value
  }

  /// Pairs of lengths: what is given, and what is scored or learned after it.
  private func rows() throws -> [(given: Int, wanted: Int)] {
    guard let rows = description["rows"]?.arrayValue else { throw WorkloadError(text: "`rows` is missing") }
    return try rows.map { row in
      guard let given = row.arrayValue?.first?.intValue, let wanted = row.arrayValue?.last?.intValue else {
        throw WorkloadError(text: "a row is [given, wanted]")
      }
      return (given, wanted)
    }
  }

  private func decoder(_ model: TimedModel) throws -> Decoder {
    try Decoder(
      model.configuration, from: model.tensors, mode: mode, backend: CPUBackend(threads: threads))
  }

  /// Tokens that differ from text to text; what they say does not matter to the clock.
  private func tokens(_ count: Int, text: Int, _ model: TimedModel) -> [Int32] {
    let random = Philox(seed: 7)
    let range = Double(model.configuration.vocabularySize - 100)
    return (0..<count).map { Int32(100 + range * random.uniform(row: UInt64(text), sample: 0, position: $0)) }
  }

  /// C[m, n] = A[m, k] B[k, n] with B packed beforehand, as a model's weights are; enough times to be timed.
  private func product() throws -> () throws -> Double? {
    let (m, n, k) = (try number("m"), try number("n"), try number("k"))
    let random = Philox(seed: 3)
    let backend = CPUBackend(threads: threads)
    func numbers(_ rows: Int, _ columns: Int, row: UInt64) -> Tensor {
      let tensor = backend.tensor(rows, columns)
      tensor.write(
        (0..<rows * columns).map { Float(random.uniform(row: row, sample: 0, position: $0) * 2 - 1) })
      return tensor
    }
    let packed = backend.pack(numbers(n, k, row: 0), as: mode.weightType, over: nil)
    let (a, c) = (backend.tensor(m, k, mode.operandType), backend.tensor(m, n))
    backend.store(numbers(m, k, row: 1), into: a)
    let calls = max(1, Int(4e9 / (2 * Double(m * n * k))))
    return {
      let clock = ContinuousClock.now
      for _ in 0..<calls { backend.multiply(a, packed, into: c, accumulate: false) }
      return (ContinuousClock.now - clock) / .seconds(calls)
    }
  }

  /// The JSON strings of the file `texts`, one a line.
  private func tokenizing(_ tokenizer: Tokenizer) throws -> () throws -> Double? {
    guard let path = description["texts"]?.stringValue else {
      throw WorkloadError(text: "`texts` is missing")
    }
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let texts = try lines.map { try JSON(parsing: Array($0.utf8)).stringValue ?? "" }
    return {
      _ = try tokenizer.encode(texts, threads: threads)
      return nil
    }
  }

  /// `prompts` prompts of `length` tokens, `samples` of each with `new` tokens.
  private func sampling(_ model: TimedModel) throws -> () throws -> Double? {
    let decoder = try decoder(model)
    let (samples, length, new) = (try number("samples"), try number("length"), try number("new"))
    let requests = (0..<(try number("prompts"))).map {
      SamplingRequest(
        row: UInt64($0), prompt: tokens(length, text: $0, model), samples: Array(0..<samples))
    }
    return {
      let engine = SamplingEngine(
        decoder, parameters: SamplingParameters(temperature: 0.9, filters: [LogitsFilter.topP(0.9)]),
        maximumNewTokens: new,
        endTokens: [], seed: 1)
      try engine.run(requests) { _ in }
      return nil
    }
  }

  /// The log-probabilities of each row's wanted tokens after those given.
  private func scoring(_ model: TimedModel) throws -> () throws -> Double? {
    let decoder = try decoder(model)
    let items = try rows().enumerated().map { index, row in
      ScoringItem(
        context: tokens(row.given, text: index, model),
        continuations: [tokens(row.wanted, text: 10_000 + index, model)])
    }
    return {
      try SequenceScorer(decoder).score(items) { _, _ in }
      return nil
    }
  }

  /// As `score` judges: a template's opening, a prompt, one of its samples, the template's end; two one-token labels.
  private func judging(_ model: TimedModel) throws -> () throws -> Double? {
    let decoder = try decoder(model)
    let (prompts, samples) = (try number("prompts"), try number("samples"))
    let (opening, prompt) = (try number("opening"), try number("prompt"))
    let (sample, end) = (try number("sample"), try number("end"))
    let (start, tail) = (tokens(opening, text: 10_000, model), tokens(end, text: 10_001, model))
    let items = (0..<prompts * samples).map { index in
      ScoringItem(
        context: start + tokens(prompt, text: index / samples, model)
          + tokens(sample, text: 20_000 + index, model) + tail,
        continuations: [[1000], [2000]])
    }
    return {
      try SequenceScorer(decoder).score(items) { _, _ in }
      return nil
    }
  }

  /// A step of AdamW on these rows, of which the wanted tokens are learned; with a reference when `kl` is not 0, and beside
  /// each step a checkpoint when `checkpoint` is true.
  private func training(_ model: TimedModel) throws -> () throws -> Double? {
    let trainer = try trainer(model)
    let batch = try rows().enumerated().map { index, row in
      let prompt = tokens(row.given, text: index, model)
      return TrainingExample(
        id: "\(index)", context: prompt, unconditioned: prompt,
        output: tokens(row.wanted, text: 30_000 + index, model))
    }
    let folder = description["checkpoint"]?.boolValue == true ? try scratch() : nil
    return {
      if let folder { try trainer.beginCheckpoint(in: folder) }
      _ = try trainer.train(batch)
      return nil
    }
  }

  /// Writes the masters and both moments, durably, or reads and checks them again.
  private func checkpointing(_ model: TimedModel) throws -> () throws -> Double? {
    let trainer = try trainer(model)
    let folder = try scratch()
    if description["kind"]?.stringValue == "save" {
      return {
        try trainer.saveCheckpoint(in: folder)
        return nil
      }
    }
    try trainer.saveCheckpoint(in: folder)
    return {
      guard try trainer.restoreCheckpoint(from: folder, log: { print($0) }) else {
        throw WorkloadError(text: "the checkpoint is not there")
      }
      return nil
    }
  }

  private func scratch() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "plumb-bench-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    scratchFolder = folder
    return folder
  }

  private func trainer(_ model: TimedModel) throws -> Trainer {
    let configuration = model.configuration
    let backend = CPUBackend(threads: threads)
    let kl = description["kl"]?.doubleValue ?? 0
    let blocks = description["blocks"]?.intValue
    return Trainer(
      configuration, parameters: try Parameters(configuration, from: model.tensors, on: backend),
      trainable: configuration.layout.trainableNames(
        blocks: blocks ?? configuration.layerCount, embeddings: blocks == nil),
      objective: ConditionalObjective(kl: kl, entropy: 0, referenceConditioned: true),
      reference: kl == 0 ? nil : ReferenceModel(try decoder(model)),
      optimizer: AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0),
      schedule: LearningRateSchedule(
        peak: 1e-6, steps: 100, warmUpLength: .share(0), warmUp: .linear, decay: .constant),
      maximumGradientNorm: 1, mode: mode, backend: backend)
  }
}

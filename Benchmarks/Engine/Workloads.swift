// Sampling, scoring and training of a real model, on rows of the shapes that experiments have.

import Models

struct Workloads {
  let checkpoint: Checkpoint
  let threads: Int
  let mode: NumericMode
  let runs: Int

  private func decoder() throws -> Decoder {
    try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: mode, backend: CPUBackend(threads: threads))
  }

  /// Tokens that differ from text to text; what they say does not matter to the clock.
  private func tokens(_ count: Int, text: Int) -> [Int32] {
    let random = Philox(seed: 7)
    let range = Double(checkpoint.configuration.vocabularySize - 100)
    return (0..<count).map { Int32(100 + range * random.uniform(row: UInt64(text), sample: 0, position: $0)) }
  }

  /// `prompts` prompts of `length` tokens, `samples` of each with `new` tokens.
  func sampling(prompts: Int, samples: Int, length: Int, new: Int) throws {
    let decoder = try decoder()
    let requests = (0..<prompts).map {
      SamplingRequest(row: UInt64($0), prompt: tokens(length, text: $0), samples: Array(0..<samples))
    }
    let time = try Measurement(runs: runs) {
      let engine = SamplingEngine(
        decoder, parameters: SamplingParameters(temperature: 0.9, topP: 0.9), maximumNewTokens: new,
        endTokens: [], seed: 1)
      try engine.run(requests) { _ in }
    }
    let drawn = Double(prompts * samples * new)
    report(
      "sample prompts=\(prompts) samples=\(samples) length=\(length) new=\(new)",
      [
        ("tokens_per_second", drawn / time.median), ("tokens_per_cpu_second", drawn / time.medianCPU),
        ("wall", time.median), ("cpu", time.medianCPU),
      ])
  }

  /// As `score` judges: a template's opening, a prompt, one of its samples, the template's end; two one-token labels.
  func scoring(prompts: Int, samples: Int, opening: Int, prompt: Int, sample: Int, end: Int) throws {
    let decoder = try decoder()
    let (start, tail) = (tokens(opening, text: 10_000), tokens(end, text: 10_001))
    let items = (0..<prompts * samples).map { index in
      ScoringItem(
        context: start + tokens(prompt, text: index / samples) + tokens(sample, text: 20_000 + index) + tail,
        continuations: [[1000], [2000]])
    }
    let time = try Measurement(runs: runs) {
      try SequenceScorer(decoder).score(items) { _, _ in }
    }
    let read = Double(items.reduce(0) { $0 + $1.context.count })
    report(
      "score prompts=\(prompts) samples=\(samples) opening=\(opening) prompt=\(prompt) sample=\(sample)",
      [
        ("tokens_per_second", read / time.median), ("tokens_per_cpu_second", read / time.medianCPU),
        ("wall", time.median), ("cpu", time.medianCPU),
      ])
  }

  /// Steps on a batch of `rows` rows whose outputs follow prompts; with a reference when `kl` is not 0.
  func training(rows: Int, prompt: Int, output: Int, kl: Double, blocks: Int? = nil) throws {
    let backend = CPUBackend(threads: threads)
    let parameters = try Parameters(checkpoint.configuration, from: checkpoint.tensors)
    let configuration = checkpoint.configuration
    let trainer = ConditionalTrainer(
      configuration, parameters: parameters,
      trainable: ConditionalTrainer.trainableNames(
        configuration, blocks: blocks ?? configuration.layerCount, embeddings: blocks == nil),
      reference: kl == 0 ? nil : try decoder(), referenceConditioned: true,
      objective: ConditionalObjective(kl: kl, entropy: 0, klDirection: .referencePolicy),
      optimizer: AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0),
      schedule: LearningRateSchedule(
        peak: 1e-6, steps: 100, warmUpRatio: 0, warmUp: .linear, decay: .constant),
      maximumGradientNorm: 1, mode: mode, backend: backend)
    let batch = (0..<rows).map {
      TrainingExample(
        id: "\($0)", conditioning: [], prompt: tokens(prompt, text: $0),
        output: tokens(output, text: 30_000 + $0))
    }
    let time = try Measurement(runs: runs) { _ = try trainer.train(batch) }
    let count = Double(rows * (prompt + output))
    report(
      "train rows=\(rows) prompt=\(prompt) output=\(output) kl=\(kl) blocks=\(blocks.map(String.init) ?? "all")",
      [
        ("tokens_per_second", count / time.median), ("tokens_per_cpu_second", count / time.medianCPU),
        ("wall", time.median), ("cpu", time.medianCPU),
        ("peak_gb", Double(Measurement.peakMemory()) * 1e-9),
      ])
  }
}

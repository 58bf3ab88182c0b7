// The objectives of reward models and classifiers: against PyTorch, against central differences, and the same bits however they are computed.

import JSON
import Models
import TestFolder
import Testing

@Suite struct WholeTextObjectiveTests {
  let folder = TemporaryFolder()

  private func numbers(_ json: JSON?) -> [Double] { (json?.arrayValue ?? []).compactMap(\.doubleValue) }

  /// Fixtures/goldens/make_objectives.py
  @Test(arguments: WholeTextBench.decoders, WholeTextBench.Task.allCases)
  func `losses, accuracies and gradients equal PyTorch's`(decoder: String, task: WholeTextBench.Task) throws {
    let expected = try #require(try WholeTextBench.golden()[decoder]?[task.rawValue])
    let bench = try WholeTextBench(task, decoder, in: folder)
    let examples = try WholeTextBench.examples(task)
    #expect(examples.count == 7)
    let (loss, gradients) = try bench.trainer().gradient(examples)
    let wanted = try #require(expected["loss"]?.doubleValue)
    #expect(abs(loss - wanted) < 1e-5 * wanted, "\(loss), expected \(wanted)")
    var named: [(name: String, values: [Float])] = gradients.names.map { name in
      let prefix = ["model.", "transformer.", "gpt_neox."].first { name.hasPrefix($0) } ?? ""
      let isHead = ["v_head.weight", "score.weight"].contains(name)
      return (isHead ? "head" : String(name.dropFirst(prefix.count)), gradients[name].read())
    }
    named.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let norms = named.map { $0.values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
    let expectedNorms = numbers(expected["norms"])
    try #require(norms.count == expectedNorms.count)
    for (name, (found, expected)) in zip(named.map(\.name), zip(norms, expectedNorms)) {
      #expect(abs(found - expected) < 1e-4 * expected + 1e-6, "\(name): \(found), expected \(expected)")
    }
    let head = named.first { $0.name == "head" }?.values ?? []
    let expectedHead = numbers(expected["head"]).map { Float($0) }
    #expect(head.count == expectedHead.count && relativeError(head, expectedHead) < 1e-4)
  }

  @Test(arguments: WholeTextBench.decoders, WholeTextBench.Task.allCases)
  func `six AdamW steps lose what PyTorch's lose`(decoder: String, task: WholeTextBench.Task) throws {
    let expected = try #require(try WholeTextBench.golden()[decoder]?[task.rawValue])
    let trainer = try WholeTextBench(task, decoder, in: folder).trainer()
    let examples = try WholeTextBench.examples(task)
    let losses = numbers(expected["losses"])
    try #require(losses.count == 6)
    for (step, expected) in losses.enumerated() {
      let found = try trainer.train(examples)
      #expect(abs(found.loss - expected) < 1e-4 * expected, "step \(step + 1): \(found.loss)")
      #expect(found.terms[0] == found.loss && found.targetCount == 7)
    }
    #expect(losses[5] < losses[0])
  }

  @Test(arguments: WholeTextBench.decoders, WholeTextBench.Task.allCases)
  func `the accuracy of a step is the share of pairs or texts that are right`(
    decoder: String, task: WholeTextBench.Task
  ) throws {
    let expected = try WholeTextBench.golden()[decoder]?[task.rawValue]?["accuracy"]?.doubleValue
    let step = try WholeTextBench(task, decoder, in: folder).trainer().train(WholeTextBench.examples(task))
    #expect(step.terms.count == task.objective.terms.count && task.objective.terms[1] == "accuracy")
    #expect(abs(step.terms[1] - (expected ?? -1)) < 1e-6)
  }

  /// In fp32 the loss carries about 1e-7 of noise; steps are chosen so that the difference is some 1e-3.
  @Test(arguments: WholeTextBench.Task.allCases)
  func `the gradient of every tensor is the slope along itself`(task: WholeTextBench.Task) throws {
    let bench = try WholeTextBench(task, in: folder)
    let examples = try WholeTextBench.examples(task)
    let (_, gradients) = try bench.trainer().gradient(examples)
    for name in gradients.names {
      let gradient = gradients[name].read()
      let norm = gradient.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
      try #require(norm > 0)
      let size = Float(min(0.02, 2e-3 / norm))
      func loss(_ factor: Float) throws -> Double {
        try bench.trainer { parameters in
          let direction = gradient.map { factor * $0 / Float(norm) }
          parameters[name].write(zip(parameters[name].read(), direction).map { $0 + $1 })
        }.gradient(examples).loss
      }
      let found = (try loss(size) - loss(-size)) / Double(2 * size)
      #expect(abs(found - norm) < 5e-3 * norm, "\(name): \(found), expected \(norm)")
    }
  }

  /// A pair alone, with the values of its texts read one by one.
  @Test func `a pair's loss is that of its values`() throws {
    let bench = try WholeTextBench(.diverging, in: folder)
    let trainer = try bench.trainer()
    let decoder = SequenceLogits(
      try Decoder(
        bench.configuration, from: bench.tensors, mode: .fp32, backend: CPUBackend(threads: 1)))
    let (pairs, texts) = (try WholeTextBench.pairs(), try WholeTextBench.examples(.diverging))
    for (pair, example) in zip(pairs, texts) {
      let values = try [pair.chosen, pair.rejected].map { try decoder.logits($0).map { $0[0] } }
      let expected = pair.loss(chosen: values[0], rejected: values[1])
      #expect(abs(trainer.gradient([example]).loss - expected) < 1e-5 * max(1, expected))
    }
  }

  @Test(arguments: WholeTextBench.Task.allCases)
  func `gradient leaves are summed apart`(task: WholeTextBench.Task) throws {
    var bench = try WholeTextBench(task, in: folder)
    let examples = try WholeTextBench.examples(task)
    let whole = try bench.trainer().gradient(examples)
    bench.gradientLeaves = 3
    let leaves = try bench.trainer().gradient(examples)
    #expect(leaves.loss.bitPattern == whole.loss.bitPattern)
    #expect(differences(leaves.gradients, whole.gradients) != [])
    bench.tokenBudget = 1
    let cut = try bench.trainer().gradient(examples)
    #expect(cut.loss.bitPattern == whole.loss.bitPattern)
    #expect(differences(cut.gradients, leaves.gradients) == [])
  }
}

extension KernelPathTests {
  @Suite struct WholeTextLawTests {
    @Test(arguments: WholeTextBench.Task.allCases, NumericMode.withGradients)
    func `weights do not depend on token budget, memory, threads or instruction set`(
      task: WholeTextBench.Task, mode: NumericMode
    ) throws {
      var bench = try WholeTextBench(task, in: TemporaryFolder())
      bench.mode = mode
      bench.tokenBudget = 10_000
      let examples = try WholeTextBench.examples(task)
      func trained() throws -> (losses: [UInt64], parameters: Parameters) {
        let trainer = try bench.trainer()
        let losses = try (0..<3).map { step in
          try trainer.train(Array(examples[step % 2 * 3..<step % 2 * 3 + 4])).loss.bitPattern
        }
        return (losses, trainer.parameters)
      }
      let expected = try trained()
      for (budget, memory) in [(1, 512 << 20), (90, 512 << 20), (10_000, 1)] {
        (bench.tokenBudget, bench.memory) = (budget, memory)
        let found = try trained()
        #expect(found.losses == expected.losses, "budget \(budget)")
        #expect(differences(found.parameters, expected.parameters) == [], "budget \(budget)")
      }
      bench.tokenBudget = 10_000
      try KernelPathTests.onEveryWay { way in
        bench.backend = way.backend
        let found = try trained()
        #expect(found.losses == expected.losses, "\(way)")
        #expect(differences(found.parameters, expected.parameters) == [], "\(way)")
      }
    }
  }
}

// Gradients and weights have the same bits whatever the token budget, the threads and the instruction set.

import Models
import Testing

extension KernelPathTests {
  @Suite struct TrainingLawTests {
    @Test(arguments: Golden.kinds, NumericMode.withGradients)
    func `gradients do not depend on token budget, threads or instruction set`(
      model: String, mode: NumericMode
    )
      throws
    {
      var bench = TrainingBench(model: model, mode: mode, tokenBudget: 10_000)
      let batch = TrainingBench.examples + [TrainingBench.masked]
      let (loss, gradients) = try bench.trainer().gradient(batch)
      #expect(loss.isFinite)
      #expect(gradients.names.allSatisfy { name in gradients[name].read().contains { $0 != 0 } })
      for budget in [1, 40, 200] {
        bench.tokenBudget = budget
        let found = try bench.trainer().gradient(batch)
        #expect(found.loss.bitPattern == loss.bitPattern, "budget \(budget)")
        #expect(differences(found.gradients, gradients) == [], "budget \(budget)")
      }
      // The portable path is slow: fewer examples, still of more than one reduction block.
      let few = Array(TrainingBench.examples[3...5])
      let expected = try bench.trainer().gradient(few)
      try KernelPathTests.onEveryWay { way in
        bench.tokenBudget = [1, 40, 10_000][way.threads - 1]
        bench.backend = way.backend
        let trainer = try bench.trainer()
        let found = trainer.gradient(few)
        #expect(found.loss.bitPattern == expected.loss.bitPattern, "\(way)")
        #expect(differences(found.gradients, expected.gradients) == [], "\(way)")
      }
    }

    /// The memory of a gradient is used again, and not cleared where a product writes all of it.
    @Test(arguments: Golden.kinds, [1, 3])
    func `a gradient has nothing of the one before`(model: String, leaves: Int) throws {
      let bench = TrainingBench(model: model, mode: .bf16, tokenBudget: 40, gradientLeaves: leaves)
      let few = Array(TrainingBench.examples[3...5])
      let expected = try bench.trainer().gradient(few)
      let trainer = try bench.trainer()
      _ = trainer.gradient(TrainingBench.examples)
      let found = trainer.gradient(few)
      #expect(found.loss.bitPattern == expected.loss.bitPattern)
      #expect(differences(found.gradients, expected.gradients) == [])
    }

    /// Its leaf reads no row at the head.
    @Test func `an example without targets adds nothing of a gradient before`() throws {
      let bench = TrainingBench(model: "untied", mode: .bf16, gradientLeaves: 3)
      let full = TrainingBench.examples[5]
      let empty = TrainingExample(
        id: "empty", context: full.context, unconditioned: full.unconditioned, output: full.output,
        targets: [full.output.count..<full.output.count])
      let batch = [TrainingBench.examples[3], TrainingBench.examples[4], empty]
      let expected = try bench.trainer().gradient(batch)
      let trainer = try bench.trainer()
      _ = trainer.gradient(TrainingBench.examples)
      #expect(differences(trainer.gradient(batch).gradients, expected.gradients) == [])
    }

    /// The rows of all examples at one time are cut inside a sequence; those of a few tokens are not cut.
    @Test(arguments: NumericMode.withGradients)
    func `gradients do not depend on where the head's rows are cut`(mode: NumericMode) throws {
      var bench = TrainingBench(mode: mode, tokenBudget: 10_000)
      let batch = TrainingBench.examples + TrainingBench.examples
      let (loss, gradients) = try bench.trainer().gradient(batch)
      bench.tokenBudget = 40
      let found = try bench.trainer().gradient(batch)
      #expect(found.loss.bitPattern == loss.bitPattern)
      #expect(differences(found.gradients, gradients) == [])
    }

    /// Memory for one token, for the shorter half of the examples, for each example alone.
    @Test(arguments: NumericMode.withGradients, [nil, 1])
    func `gradients do not depend on what is computed again for want of memory`(
      mode: NumericMode, blocks: Int?
    ) throws {
      var bench = TrainingBench(mode: mode, trainableBlocks: blocks, trainsEmbeddings: blocks == nil)
      let trainer = try bench.trainer()
      let (loss, gradients) = trainer.gradient(TrainingBench.examples)
      var held: [Int] = []
      for tokens in [1, 60, 120] {
        bench.memory = tokens * (try Self.policy(memory: 0, mode: mode, blocks: blocks).bytesPerToken)
        let frugal = try bench.trainer()
        let found = frugal.gradient(TrainingBench.examples)
        #expect(found.loss.bitPattern == loss.bitPattern, "memory for \(tokens) tokens")
        #expect(differences(found.gradients, gradients) == [], "memory for \(tokens) tokens")
        held.append(frugal.workspaceBytes)
      }
      // A block alone has nobody to share its memory with.
      if blocks == nil { #expect(held[0] < held[2] && held[2] < trainer.workspaceBytes) }
    }

    static func policy(memory: Int, mode: NumericMode, blocks: Int?) throws -> ActivationPolicy {
      let configuration = try openCheckpoint("\(Golden.root)/tied").configuration
      return ActivationPolicy(
        configuration, mode: mode, lowestBlock: blocks.map { configuration.layerCount - $0 } ?? 0,
        memory: memory)
    }

    @Test func `what does not fit is computed again`() throws {
      let one = try Self.policy(memory: 0, mode: .bf16, blocks: nil).bytesPerToken
      let policy = try Self.policy(memory: 10 * one, mode: .bf16, blocks: nil)
      #expect(policy.tokens == 10 && !policy.recomputes(tokens: 10) && policy.recomputes(tokens: 11))
      #expect(try Self.policy(memory: 0, mode: .fp32, blocks: nil).bytesPerToken > one)
      #expect(try Self.policy(memory: 0, mode: .bf16, blocks: 1).bytesPerToken < one)
    }

    /// Each leaf's own gradients, with the batch's divisor, added as the definition says.
    @Test(arguments: [2, 3, 4, 5, 9, 50])
    func `leaves are summed pair by pair, whatever the token budget`(count: Int) throws {
      let batch = TrainingBench.examples
      let targets = Float(batch.reduce(0) { $0 + $1.output.count })
      var bench = TrainingBench(mode: .bf16, gradientLeaves: count)
      let (loss, gradients) = try bench.trainer().gradient(batch)
      bench.tokenBudget = 40
      let cut = try bench.trainer().gradient(batch)
      #expect(cut.loss.bitPattern == loss.bitPattern && differences(cut.gradients, gradients) == [])
      bench.gradientLeaves = 1
      let whole = try bench.trainer().gradient(batch)
      #expect(whole.loss.bitPattern == loss.bitPattern)
      #expect(differences(whole.gradients, gradients) != [], "the leaves were not summed apart")

      let leaves = min(count, batch.count)
      let parts = try (0..<leaves).map { leaf in
        let part = Array(batch[leaf * batch.count / leaves..<(leaf + 1) * batch.count / leaves])
        return try bench.trainer().gradient(part, targetCount: Int(targets)).gradients
      }
      func sum(_ range: Range<Int>, _ name: String) -> [Float] {
        if range.count == 1 { return parts[range.lowerBound][name].read() }
        var left = 1
        while left * 2 < range.count { left *= 2 }
        let middle = range.lowerBound + left
        return zip(sum(range.lowerBound..<middle, name), sum(middle..<range.upperBound, name)).map(+)
      }
      for name in gradients.names {
        #expect(
          sum(0..<leaves, name).map(\.bitPattern) == gradients[name].read().map(\.bitPattern), "\(name)")
      }
    }

    @Test(arguments: NumericMode.withGradients)
    func `trained weights do not depend on token budget, threads or instruction set`(mode: NumericMode) throws
    {
      for objective in TrainingBench.objectives {
        var bench = TrainingBench(mode: mode, tokenBudget: 10_000, objective: objective)
        let expected = try bench.trainer()
        let losses = try TrainingBench.train(expected, to: 4)
        #expect(Set(losses).count == 4)
        for budget in [1, 40] {
          bench.tokenBudget = budget
          let trainer = try bench.trainer()
          #expect(try TrainingBench.train(trainer, to: 4) == losses, "budget \(budget)")
          #expect(differences(trainer.parameters, expected.parameters) == [], "budget \(budget)")
        }
        // Two short examples, three times: enough for every kernel of a step.
        let few = [TrainingBench.examples[1], TrainingBench.examples[4]]
        let short = try bench.trainer()
        for _ in 0..<3 { _ = try short.train(few) }
        try KernelPathTests.onEveryWay { way in
          bench.backend = way.backend
          let trainer = try bench.trainer()
          for _ in 0..<3 { _ = try trainer.train(few) }
          #expect(differences(trainer.parameters, short.parameters) == [], "\(way)")
        }
      }
    }
  }
}

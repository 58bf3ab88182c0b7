// Models compute the same on a device whose memory the host cannot reach, and the barrier before that memory holds.

import Foundation
import Models
import TestFolder
import Testing

@Suite struct CopyingBackendTests {
  @Test(arguments: ["tied", "mistral"], NumericMode.allCases)
  func `samples and their statistics are the CPU's`(model: String, mode: NumericMode) throws {
    func samples(on device: TestDevice) throws -> [String] {
      let engine = SamplingEngine(
        try Tiny.decoder(model, mode: mode, on: device.backend(threads: 1)),
        parameters: SamplingParameters(
          temperature: 1.1, filters: [LogitsFilter.topP(0.95)],
          penalties: Penalties(repetition: 1.1, presence: 0.1)),
        minimumNewTokens: 3, maximumNewTokens: 12, endTokens: [2, 9], bannedTokens: [4],
        keepsStatistics: true, seed: 7, batch: 3, prefillTokens: 33)
      // What all begin with ends inside a page, which each then copies.
      let requests = [1, 40].map {
        SamplingRequest(
          row: UInt64($0), prompt: Tiny.tokens(35, seed: 3) + Tiny.tokens($0, seed: UInt64($0)),
          samples: [0, 1, 2])
      }
      var samples: [String] = []
      try engine.run(requests) { sample in
        samples.append(
          "\(sample.request) \(sample.sample) \(sample.tokens) \(sample.statistics.logProbabilities) \(sample.statistics.entropies)"
        )
      }
      return samples
    }
    let expected = try samples(on: .cpu)
    #expect(Set(expected).count == 6)
    #expect(try samples(on: .copying) == expected)
  }

  @Test(arguments: NumericMode.allCases)
  func `scores are the CPU's`(mode: NumericMode) throws {
    typealias Tests = KernelPathTests.SequenceScorerTests
    let items = Array(Tests.items(.threes, multiToken: true).prefix(4))
    let expected = try Tests.scores(try Tiny.decoder(mode: mode), items)
    let decoder = try Tiny.decoder(mode: mode, on: CopyingBackend(threads: 1))
    #expect(try Tests.scores(decoder, items, budget: 50) == expected)
  }

  @Test(arguments: NumericMode.withGradients, TrainingBench.objectives)
  func `training, its checkpoints and new rows of the vocabulary are the CPU's`(
    mode: NumericMode, objective: any Objective
  ) throws {
    func trained(on device: TestDevice, stopping: Bool) throws -> Parameters {
      var bench = TrainingBench(mode: mode, gradientLeaves: 2, objective: objective)
      bench.backend = device.backend(threads: 1)
      // Too little for what is kept of a forward pass.
      bench.memory = 1 << 16
      var trainer = try bench.trainer()
      if stopping {
        let folder = TemporaryFolder()
        try TrainingBench.train(trainer, to: 1)
        try trainer.saveCheckpoint(in: folder.path)
        trainer = try bench.trainer()
        #expect(try trainer.restoreCheckpoint(from: folder.path) { _ in })
      }
      try TrainingBench.train(trainer, to: 2)
      try trainer.checkParameters()
      var configuration = try openCheckpoint("\(Golden.root)/tied").configuration
      let layout = configuration.layout
      let grown = trainer.parameters.growingVocabulary(&configuration, to: 100, seed: 1)
      grown.setEmbedding(of: 99, toMeanOf: [3, 4, 5], in: layout)
      return grown.cuttingVocabulary(&configuration, to: 99 + 1)
    }
    let expected = try trained(on: .cpu, stopping: false)
    #expect(differences(try trained(on: .copying, stopping: false), expected) == [])
    #expect(differences(try trained(on: .copying, stopping: true), expected) == [])
  }

  @Test func `a pointer that outlives its transfer faults`() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      let tensor = CopyingBackend(threads: 1).tensor(2, 3)
      let kept = tensor.withHostWrite { numbers in
        numbers.update(repeating: 1)
        return UInt(bitPattern: numbers.baseAddress)
      }
      precondition(tensor.read() == [1, 1, 1, 1, 1, 1])
      UnsafeMutablePointer<Float>(bitPattern: kept)?.pointee = 2
    }
  }

  @Test func `a kernel of the CPU refuses a buffer of another device`() async {
    await #expect(processExitsWith: .failure) {
      let tensor = CopyingBackend(threads: 1).tensor(2, 3)
      CPUBackend(threads: 1).fill(tensor, with: 0)
    }
  }

  /// In a process of its own, whose threads nobody else makes.
  @Test func `backends of one process compute with their own number of threads`() async {
    await #expect(processExitsWith: .success) {
      func threads() -> Int {
        var count = 0
        guard let folder = opendir("/proc/self/task") else { return 0 }
        while readdir(folder) != nil { count += 1 }
        closedir(folder)
        return count
      }
      let (three, one) = (CPUBackend(threads: 3), CPUBackend(threads: 1))
      func square(on backend: CPUBackend) { _ = backend.sumOfSquares(backend.tensor(1000, 1000)) }
      let before = threads()
      square(on: one)
      precondition(threads() == before, "a backend of one thread made others")
      square(on: three)
      precondition(threads() == before + 2, "a backend of three threads made \(threads() - before) others")
    }
  }

  @Test func `only the CPU backend's files use CKernels and addresses of tensors`() throws {
    let root =
      String(#filePath.dropLast("Tests/ModelsTests/Kernels/CopyingBackendTests.swift".count))
      + "Sources/Models"
    let files = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.hasSuffix(".swift") }
    let users = try files.filter { file in
      let source = try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
      return ["import CKernels", ".cpuPointer", ".cpuFloats"].contains { source.contains($0) }
    }
    #expect(users.count >= 5 && users.allSatisfy { $0.hasPrefix("Kernels/CPU/") }, "\(users)")
  }
}

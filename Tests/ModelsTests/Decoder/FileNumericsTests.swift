// A model computed in the integers of its GGUF file, through the whole decoder.

import Models
import TestFolder
import Testing

@Suite struct FileNumericsTests {
  let directory = TemporaryFolder()

  private func decoder(
    _ model: BlockModel = BlockModel(), _ mode: NumericMode = .file, on device: TestDevice = .cpu
  ) throws -> Decoder {
    let checkpoint = try openCheckpoint(try directory.file("m.gguf", model.builder().bytes()))
    return try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: mode, backend: device.backend(threads: 2))
  }

  private static let tokens: [Int32] = [0, 3, 17, 5, 69, 1, 44, 2, 2, 31]

  @Test(arguments: [true, false], TestDevice.allCases)
  func `logits keep their bits`(isTied: Bool, device: TestDevice) throws {
    let logits = try forward(try decoder(BlockModel(isTied: isTied), on: device), Self.tokens)
    #expect(
      NumericsVersionTests.fingerprint(logits.flatMap { $0 })
        == (isTied ? "50f29c22e512286b" : "30efac28cc6492fd"))
  }

  /// What `bf16` rounds away is what is between the two: they differ, and less than bf16's weights from the file's.
  @Test(arguments: [true, false])
  func `logits are those of the decoded weights within the rounding of activations`(isTied: Bool) throws {
    let file = try forward(try decoder(BlockModel(isTied: isTied)), Self.tokens).flatMap { $0 }
    let bf16 = try forward(try decoder(BlockModel(isTied: isTied), .bf16), Self.tokens).flatMap { $0 }
    let exact = try forward(
      try decoder(BlockModel(isTied: isTied, isDecoded: true), .fp32), Self.tokens
    ).flatMap { $0 }
    #expect(file != bf16)
    #expect(relativeError(file, exact) < 0.02)
    #expect(relativeError(file, exact) < relativeError(bf16, exact))
  }

  @Test func `the law: alone, together and in pieces, on one thread and on three`() throws {
    let path = try directory.file("m.gguf", BlockModel().builder().bytes())
    let checkpoint = try openCheckpoint(path)
    let expected = try forward(try decoder(), Self.tokens)
    for threads in [1, 3] {
      let decoder = try Decoder(
        checkpoint.configuration, from: checkpoint.tensors, mode: .file,
        backend: TestDevice.cpu.backend(threads: threads))
      for length in [1, 4, 10] {
        #expect(try forward(decoder, Array(Self.tokens[..<length])) == Array(expected[..<length]))
      }
    }
  }

  /// A tensor of another type is computed as in `bf16`, in each of a block's products in its turn.
  @Test func `a model without integers has the bits of bf16`() throws {
    let model = BlockModel(isDecoded: true)
    #expect(try forward(try decoder(model), Self.tokens) == forward(try decoder(model, .bf16), Self.tokens))
  }

  /// Fused and turned matrices, and rows in another order than the file's: the fixtures four times as wide, since rows are whole
  /// blocks.
  @Test(arguments: GGUFFixture.all)
  func `every family's products find their rows`(fixture: GGUFFixture) throws {
    func logits(decoded: Bool, _ mode: NumericMode) throws -> [Float] {
      let builder = try Self.widened(try GGUFFile(fixture.path), decoded: decoded)
      let checkpoint = try openCheckpoint(try directory.file("\(decoded).gguf", builder.bytes()))
      #expect((checkpoint.refusal(of: .file) == nil) == !decoded)
      let decoder = try Decoder(
        checkpoint.configuration, from: checkpoint.tensors, mode: mode,
        backend: TestDevice.cpu.backend(threads: 2))
      return try forward(decoder, [0, 3, 17, 5, 9, 1]).flatMap { $0 }
    }
    #expect(relativeError(try logits(decoded: false, .file), try logits(decoded: true, .fp32)) < 0.02)
  }

  private static func widened(_ file: GGUFFile, decoded: Bool) throws -> GGUFBuilder {
    var builder = try GGUFBuilder(file)
    let architecture = try #require(try file.string("general.architecture"))
    for name in ["embedding_length", "feed_forward_length", "rope.dimension_count"] {
      let key = "\(architecture).\(name)"
      guard case .unsigned(let number) = file.metadata.first(where: { $0.key == key })?.value else {
        continue
      }
      builder.remove(key)
      builder.add(key, UInt32(number) * 4)
    }
    builder.tensors = []
    // Rows of the vocabulary and of positions stay as many as they are.
    func wide(_ dimension: Int) -> Int { [24, 20].contains(dimension) ? dimension : 4 * dimension }
    for (index, tensor) in file.tensors.enumerated() {
      let shape = tensor.shape.map(wide)
      let count = shape.reduce(1, *)
      if shape.count == 1 {
        let values = try file.floats(tensor.name)
        builder.tensor(tensor.name, shape: shape, (0..<count).map { values[$0 % values.count] })
        continue
      }
      let bytes = BlockFormat.q80.randomBlocks(count, seed: UInt64(100 + index))
      if decoded {
        builder.tensor(tensor.name, shape: shape, BlockFormat.q80.decoded(bytes))
      } else {
        builder.tensors.append((tensor.name, shape.reversed().map { UInt64($0) }, 8, bytes))
      }
    }
    return builder
  }

  @Test func `a model that has no integers is refused with what it has`() throws {
    let fixture = GGUFFixture(name: "llama")
    let readable = "Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K"
    let start = "`numeric: file` computes in the integers of a GGUF file, but this"
    #expect(
      try openCheckpoint(fixture.path).refusal(of: .file)
        == "\(start) one stores its weights as F16; integers are \(readable)")
    #expect(try openCheckpoint(fixture.directory).refusal(of: .file) == "\(start) is no GGUF file")
    #expect(try openCheckpoint(fixture.directory).refusal(of: .int8) == nil)
    #expect(
      try openCheckpoint(try directory.file("m.gguf", BlockModel().builder().bytes())).refusal(of: .file)
        == nil)
  }

  @Test func `its memory is what the packed blocks take`() throws {
    let path = try directory.file("m.gguf", BlockModel(isTied: false).builder().bytes())
    let checkpoint = try openCheckpoint(path)
    let need = MemoryNeed(
      checkpoint.configuration, checkpoint.configuration.layout, mode: .file, format: checkpoint.blockFormat)
    let products = BlockModel.formats.reduce(0) {
      $0 + 2 * $1.format.packedByteCount($1.rows * $1.columns)
    }
    // The embedding is gathered from bf16, the head is in Q6_K, the norms are fp32.
    #expect(need.weights == products + 70 * 256 * 2 + 70 * 210 + 5 * 256 * 4)
    #expect(need.largestTensor == 4 * 70 * 256)
    #expect(BlockFormat.q4K.packedByteCount(1024) == 592)
    let lines = try inspect(path)
    #expect(lines.contains { $0.hasPrefix("memory in file: ") })
    #expect(!(try inspect(GGUFFixture(name: "llama").path)).contains { $0.hasPrefix("memory in file: ") })
  }
}

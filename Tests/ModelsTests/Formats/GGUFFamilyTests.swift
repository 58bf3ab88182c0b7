// Every family from GGUF files as llama.cpp's converter writes them: the model that transformers saved.

import JSON
import Models
import TestFolder
import Testing

@Suite struct GGUFFamilyTests {
  let directory = TemporaryFolder()

  @Test(arguments: GGUFFixture.all)
  func `a file holds the model that its folder holds, bit for bit`(fixture: GGUFFixture) throws {
    let (file, folder) = (try openCheckpoint(fixture.path), try openCheckpoint(fixture.directory))
    #expect(file.decoder == folder.decoder)
    #expect(file.endTokens == folder.endTokens)
    let names = folder.configuration.layout.names
    #expect(Set(file.tensors.names) == Set(names))
    for name in names {
      #expect(try file.tensors.shape(of: name) == folder.tensors.shape(of: name), "\(name)")
      #expect(
        try file.tensors.floats(name).map(\.bitPattern) == folder.tensors.floats(name).map(\.bitPattern),
        "\(name)")
    }
  }

  @Test(arguments: GGUFFixture.all)
  func `its logits are the folder's`(fixture: GGUFFixture) throws {
    func logits(_ path: String) throws -> [[Float]] {
      let checkpoint = try openCheckpoint(path)
      let decoder = try Decoder(
        checkpoint.configuration, from: checkpoint.tensors, mode: .fp32,
        backend: TestDevice.cpu.backend(threads: 2))
      return try forward(decoder, [0, 3, 17, 5, 9, 1])
    }
    #expect(try logits(fixture.path) == logits(fixture.directory))
  }

  @Test(arguments: GGUFFixture.all)
  func `its tokenizer gives transformers' ids`(fixture: GGUFFixture) throws {
    let file = try openCheckpoint(fixture.path).requireTokenizer()
    let folder = try openCheckpoint(fixture.directory).requireTokenizer()
    for (text, ids) in try fixture.texts() {
      #expect(file.encode(text, parseSpecial: true) == ids, "\(text.debugDescription)")
      #expect(folder.encode(text, parseSpecial: true) == ids, "\(text.debugDescription)")
      #expect(file.decode(ids) == folder.decode(ids))
    }
    #expect(file.count == 19, "the rows without a token have none here either")
    #expect(file.count == folder.count)
    #expect([file.beginToken, file.endToken, file.unknownToken] == [17, 17, 17])
  }

  @Test func `GPT-NeoX's residual is what its key says`() throws {
    let fixture = GGUFFixture(name: "gptneox")
    #expect(try openCheckpoint(fixture.path).configuration.residual == .sequential)
    var builder = try GGUFBuilder(try GGUFFile(fixture.path))
    builder.remove("gptneox.use_parallel_residual")
    builder.add("gptneox.use_parallel_residual", true)
    let changed = try openCheckpoint(try directory.file("m.gguf", builder.bytes()))
    #expect(changed.configuration.residual == .parallel(sharesNorm: false))
  }

  @Test func `GPT-NeoX without biases in its attention is one`() throws {
    var builder = try GGUFBuilder(try GGUFFile(GGUFFixture(name: "gptneox").path))
    builder.tensors.removeAll {
      $0.name.contains("attn_") && $0.name.hasSuffix(".bias") && !$0.name.contains("norm")
    }
    let changed = try openCheckpoint(try directory.file("m.gguf", builder.bytes()))
    #expect(changed.configuration.hasAttentionBiases == false)
    #expect(changed.tensors.names.count == changed.configuration.layout.tensors.count)
  }

  @Test func `GPT-2 with a head of its own is not tied`() throws {
    let fixture = GGUFFixture(name: "gpt2")
    var builder = try GGUFBuilder(try GGUFFile(fixture.path))
    builder.tensor("output.weight", shape: [24, 16], (0..<384).map { Float($0) })
    let changed = try openCheckpoint(try directory.file("m.gguf", builder.bytes()))
    #expect(!changed.configuration.tiedEmbeddings)
    #expect(try changed.tensors.floats("lm_head.weight")[1] == 1)
  }
}

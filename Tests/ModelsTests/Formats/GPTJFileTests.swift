// GPT-J's files: what transformers wrote is read, what changes the result and is not computed is refused, the rest is kept.

import JSON
import Models
import TestFolder
import Testing

@Suite struct GPTJFileTests {
  let directory = TemporaryFolder()

  @Test(
    arguments: [
      ("n_embd", 43, "`n_embd`: 43 is not a multiple of the 3 heads"),
      ("n_embd", 45, "`n_embd`: an even head dimension"),
      ("n_embd", 1542, "`n_embd`: an even head dimension of at most 512"),
      ("n_positions", nil, "`n_positions`: missing"),
      ("rotary_dim", nil, "`rotary_dim`: expected an even number of 2 to 14, the head dimension, found 64"),
      ("rotary_dim", .null, "`rotary_dim`: null is not supported with more than one head"),
      ("rotary_dim", 0, "`rotary_dim`: expected a positive integer, found `0`"),
      ("rotary_dim", 7, "`rotary_dim`: expected an even number of 2 to 14"),
      ("rotary_dim", 16, "`rotary_dim`: expected an even number of 2 to 14"),
      ("rotary_dim", "6", "`rotary_dim`: expected a positive integer"),
      ("activation_function", "relu", "`activation_function`: `\"relu\"` is not supported"),
      ("tie_word_embeddings", 1, "`tie_word_embeddings`: expected a boolean"),
      ("attn_pdrop", 1.5, "`attn_pdrop`: expected a rate"),
    ] as [(String, JSON?, String)])
  func `a wrong config.json is refused by its field`(key: String, value: JSON?, message: String) throws {
    let json = try changedConfig("gptj") { $0[key] = value }
    let found = failure { _ = try DecoderConfiguration(huggingFace: json) }
    #expect(found?.hasPrefix(message) == true, "\(found ?? "accepted")")
  }

  @Test func `what a file leaves out is what transformers takes`() throws {
    let json = try changedConfig("gptj") {
      for key in ["n_inner", "activation_function", "layer_norm_epsilon", "rotary_dim"] { $0[key] = nil }
      $0["n_embd"] = 768
      $0["scale_attn_weights"] = true
    }
    let configuration = try DecoderConfiguration(huggingFace: json)
    #expect(configuration.feedForwardSize == 3072 && configuration.activation == .geluTanh)
    #expect(configuration.positions == .rotary(Rotary(base: 10_000, dimension: 64, pairs: .neighbours)))
    #expect(!configuration.tiedEmbeddings && configuration.norm == Norm(kind: .layer, epsilon: 1e-5))
    #expect(configuration.residual == .parallel(sharesNorm: true))
    #expect(configuration.carried["scale_attn_weights"] == true)
  }

  @Test func `a null rotary_dim turns all of the one head`() throws {
    let json = try changedConfig("gptj") {
      $0["n_head"] = 1
      $0["rotary_dim"] = .null
    }
    let configuration = try DecoderConfiguration(huggingFace: json)
    #expect(configuration.positions == .rotary(Rotary(base: 10_000, dimension: 42, pairs: .neighbours)))
    #expect(configuration.huggingFaceConfig()["rotary_dim"] == 42)
  }

  @Test func `names without their prefix and old masks are read`() throws {
    let path = try renamedModel(
      "gptj", in: directory,
      extra: [("h.0.attn.bias", [1, 1, 128, 128]), ("h.1.attn.masked_bias", [])]
    ) { $0.hasPrefix("transformer.") ? String($0.dropFirst("transformer.".count)) : $0 }
    let (found, expected) = (try openCheckpoint(path), try openCheckpoint("\(Golden.root)/gptj"))
    #expect(Set(found.tensors.names) == Set(expected.configuration.layout.names))
    for name in expected.tensors.names {
      #expect(try found.tensors.floats(name) == expected.tensors.floats(name))
    }
  }

  @Test(
    arguments: [
      ("transformer.h.0.attn.q_proj.bias", [42], "`transformer.h.0.attn.q_proj.bias`: unexpected tensor"),
      ("transformer.wpe.weight", [128, 42], "`transformer.wpe.weight`: unexpected tensor"),
      ("wte.weight", [96, 42], "the file has it twice, also as"),
    ] as [(String, [Int], String)])
  func `a tensor that GPT-J does not have, or has already, is refused`(
    name: String, shape: [Int], message: String
  ) throws {
    let path = try renamedModel("gptj", in: directory, extra: [(name, shape)]) { $0 }
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains(message) == true, "\(found ?? "accepted")")
  }

  @Test func `a second name of a tied head is not its bias`() throws {
    let path = try renamedModel("gptj-tied", in: directory, extra: [("lm_head.weight", [96, 36])]) { $0 }
    #expect(try openCheckpoint(path).tensors.names.contains("lm_head.bias"))
    #expect(try !openCheckpoint(path).tensors.names.contains("lm_head.weight"))
  }
}

// GPT-2's files: what transformers and OpenAI wrote is read, what changes the result and is not computed is refused, the rest is kept.

import Glibc
import JSON
import Models
import TestFolder
import Testing

@Suite struct GPT2FileTests {
  let directory = TemporaryFolder()

  @Test(
    arguments: [
      ("n_embd", nil, "`n_embd`: missing; expected a positive integer"),
      ("n_embd", 61, "`n_embd`: 61 is not a multiple of the 3 heads"),
      ("n_embd", 63, "`n_embd`: an even head dimension"),
      ("n_embd", 9_223_372_036_854_775_806, "`n_embd`: 9223372036854775806 is too large"),
      ("n_head", 0, "`n_head`: expected a positive integer"),
      ("n_layer", 5000, "`n_layer`: expected at most 4096"),
      ("n_positions", nil, "`n_positions`: missing"),
      ("n_positions", 134_217_729, "`n_positions`: expected 1 to 134217728"),
      ("n_inner", "x", "`n_inner`: expected a positive integer"),
      ("layer_norm_epsilon", -1, "`layer_norm_epsilon`: expected 0 or a positive number"),
      ("activation_function", "relu", "`activation_function`: `\"relu\"` is not supported"),
      ("add_cross_attention", true, "`add_cross_attention`: `true` is not supported"),
      ("scale_attn_weights", 1, "`scale_attn_weights`: expected a boolean"),
      ("resid_pdrop", "much", "`resid_pdrop`: expected a rate"),
      ("quantization_config", ["bits": 4], "`quantization_config`"),
      ("eos_token_id", 96, "`eos_token_id`: token id 96 is outside the vocabulary"),
    ] as [(String, JSON?, String)])
  func `a wrong config.json is refused by its field`(key: String, value: JSON?, message: String) throws {
    let json = try changedConfig("gpt2") { $0[key] = value }
    let found = failure { _ = try DecoderConfiguration(huggingFace: json) }
    #expect(found?.hasPrefix(message) == true, "\(found ?? "accepted")")
  }

  @Test func `what a file leaves out is what transformers takes`() throws {
    let json = try changedConfig("gpt2") {
      for key in ["n_inner", "activation_function", "layer_norm_epsilon"] { $0[key] = nil }
      $0["reorder_and_upcast_attn"] = true
    }
    let configuration = try DecoderConfiguration(huggingFace: json)
    #expect(configuration.feedForwardSize == 240 && configuration.activation == .geluTanh)
    #expect(configuration.tiedEmbeddings && configuration.norm == Norm(kind: .layer, epsilon: 1e-5))
    #expect(configuration.scalesScoresByDimension && !configuration.scalesScoresByLayer)
    #expect(configuration.carried["reorder_and_upcast_attn"] == true)
  }

  @Test func `names without their prefix, a second name of a tied head and old masks are read`() throws {
    let path = try renamedModel(
      "gpt2", in: directory,
      extra: [
        ("lm_head.weight", [96, 60]), ("h.0.attn.bias", [1, 1, 128, 128]), ("h.1.attn.masked_bias", []),
      ]
    ) { String($0.dropFirst("transformer.".count)) }
    let (found, expected) = (try openCheckpoint(path), try openCheckpoint("\(Golden.root)/gpt2"))
    #expect(found.configuration == expected.configuration)
    #expect(Set(found.tensors.names) == Set(expected.configuration.layout.names))
    for name in expected.tensors.names {
      #expect(try found.tensors.floats(name) == expected.tensors.floats(name))
    }
  }

  @Test(
    arguments: [
      (("transformer.h.0.attn.c_attn.extra", [3]), "`transformer.h.0.attn.c_attn.extra`: unexpected tensor"),
      (("h.0.attn.biases", [3]), "`transformer.h.0.attn.biases`: unexpected tensor"),
      (("wte.weight", [96, 60]), "the file has it twice, also as"),
    ] as [((String, [Int]), String)])
  func `a tensor that GPT-2 does not have, or has already, is refused`(
    extra: (String, [Int]), message: String
  )
    throws
  {
    let path = try renamedModel("gpt2", in: directory, extra: [extra]) { $0 }
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains(message) == true, "\(found ?? "accepted")")
  }

  @Test func `a matrix stored the other way round is refused`() throws {
    let golden = try SafeTensorsFile("\(Golden.root)/gpt2/model.safetensors")
    #expect(try golden.shape(of: "transformer.h.0.mlp.c_fc.weight") == [60, 100])
    let path = try renamedModel("gpt2", in: directory) {
      $0.hasSuffix("0.mlp.c_fc.weight")
        ? "transformer.h.0.mlp.c_proj.weight"
        : $0.hasSuffix("0.mlp.c_proj.weight") ? "transformer.h.0.mlp.c_fc.weight" : $0
    }
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains("the configuration needs shape [60, 100], found [100, 60]") == true)
  }
}

// GPT-NeoX's files: what transformers wrote, old and new, is read, what changes the result and is not computed is refused.

import JSON
import Models
import TestFolder
import Testing

@Suite struct GPTNeoXFileTests {
  let directory = TemporaryFolder()

  @Test(
    arguments: [
      ("hidden_size", 43, "`hidden_size`: 43 is not a multiple of the 3 heads"),
      ("hidden_size", 45, "`hidden_size`: an even head dimension"),
      ("max_position_embeddings", nil, "`max_position_embeddings`: missing"),
      ("intermediate_size", nil, "`intermediate_size`: missing"),
      ("rotary_pct", 0, "`rotary_pct`: expected a part of each head"),
      ("rotary_pct", 1.5, "`rotary_pct`: expected a part of each head"),
      ("rotary_pct", 1e300, "`rotary_pct`: expected a part of each head"),
      ("rotary_pct", 0.25, "`rotary_pct`: expected an even number of 2 to 14, the head dimension, found 3"),
      ("rotary_pct", "x", "`rotary_pct`: expected a number"),
      ("rotary_emb_base", 0.5, "`rotary_emb_base`: expected a number of at least 1"),
      ("rope_theta", 500, "`rope_theta`: 500.0 is not `rotary_emb_base`, 10000.0"),
      ("partial_rotary_factor", 0.5, "`partial_rotary_factor`: 0.5 is not `rotary_pct`, 0.45"),
      ("rope_scaling", ["type": "linear", "factor": 2], "`rope_scaling`: `{\"type\":"),
      ("rope_parameters", ["rope_type": "yarn", "factor": 2], "`rope_parameters`: `{\"rope_type\":"),
      (
        "rope_parameters", ["rope_theta": .null],
        "`rope_parameters.rope_theta`: expected a number, found `null`"
      ),
      (
        "rope_parameters", ["partial_rotary_factor": -1],
        "`rope_parameters.partial_rotary_factor`: expected a part of each head"
      ),
      ("use_parallel_residual", "no", "`use_parallel_residual`: expected a boolean"),
      ("attention_bias", 1, "`attention_bias`: expected a boolean"),
      ("hidden_act", "relu", "`hidden_act`: `\"relu\"` is not supported"),
      ("layer_norm_eps", -1, "`layer_norm_eps`: expected 0 or a positive number"),
      ("hidden_dropout", "much", "`hidden_dropout`: expected a rate"),
    ] as [(String, JSON?, String)])
  func `a wrong config.json is refused by its field`(key: String, value: JSON?, message: String) throws {
    let json = try changedConfig("gpt-neox") { $0[key] = value }
    let found = failure { _ = try DecoderConfiguration(huggingFace: json) }
    #expect(found?.hasPrefix(message) == true, "\(found ?? "accepted")")
  }

  @Test func `what a file leaves out is what transformers takes`() throws {
    let json = try changedConfig("gpt-neox") {
      for key in ["rotary_pct", "rotary_emb_base", "hidden_act", "layer_norm_eps"] { $0[key] = nil }
      $0["hidden_size"] = 240
    }
    let configuration = try DecoderConfiguration(huggingFace: json)
    #expect(configuration.positions == .rotary(Rotary(base: 10_000, dimension: 20)))
    #expect(configuration.activation == .gelu && configuration.norm == Norm(kind: .layer, epsilon: 1e-5))
    #expect(configuration.residual == .parallel(sharesNorm: false) && !configuration.tiedEmbeddings)
    #expect(configuration.hasAttentionBiases == true)
  }

  /// What transformers 5 makes of them, checked there.
  @Test(
    arguments: [
      ([("rotary_emb_base", 9), ("rotary_pct", 1)], 9, 14),
      ([("rope_parameters", ["rope_theta": 7])], 7, 6),
      (
        [("rope_parameters", ["partial_rotary_factor": 1, "type": "default"]), ("rotary_emb_base", 9)], 9, 14
      ),
      ([("rope_parameters", ["rope_theta": 7, "rope_type": "default"]), ("rotary_emb_base", 9)], 7, 6),
      ([("rope_parameters", [:]), ("rope_scaling", .null), ("rope_theta", 10_000)], 10_000, 6),
      ([("rotary_pct", 0.9)], 10_000, 12),
    ] as [([(String, JSON)], Double, Int)])
  func `rotary keys of both spellings are read`(members: [(String, JSON)], base: Double, dimension: Int)
    throws
  {
    let json = try changedConfig("gpt-neox") { for (key, value) in members { $0[key] = value } }
    let configuration = try DecoderConfiguration(huggingFace: json)
    #expect(configuration.positions == .rotary(Rotary(base: base, dimension: dimension)))
  }

  @Test func `the part that turns is written so that every head dimension reads it back`() throws {
    for headDimension in stride(from: 2, through: 512, by: 2) {
      for dimension in stride(from: 2, through: headDimension, by: 2) {
        let json = try changedConfig("gpt-neox") {
          $0["hidden_size"] = .int(Int64(3 * headDimension))
          $0["rotary_pct"] = 1
        }
        var configuration = try DecoderConfiguration(huggingFace: json)
        configuration.positions = .rotary(Rotary(base: 10_000, dimension: dimension))
        let again = try DecoderConfiguration(huggingFace: configuration.huggingFaceConfig())
        try #require(again == configuration, "\(dimension) of \(headDimension)")
      }
    }
  }

  @Test func `names of transformers 5, names without their prefix, old masks and frequencies are read`()
    throws
  {
    let path = try renamedModel(
      "gpt-neox", in: directory,
      extra: [
        ("layers.0.attention.bias", [1, 1, 128, 128]), ("layers.1.attention.masked_bias", []),
        ("layers.1.attention.rotary_emb.inv_freq", [3]),
      ]
    ) { $0 == "embed_out.weight" ? "lm_head.weight" : String($0.dropFirst("gpt_neox.".count)) }
    let (found, expected) = (try openCheckpoint(path), try openCheckpoint("\(Golden.root)/gpt-neox"))
    #expect(Set(found.tensors.names) == Set(expected.configuration.layout.names))
    for name in expected.tensors.names {
      #expect(try found.tensors.floats(name) == expected.tensors.floats(name))
    }
  }

  @Test(
    arguments: [
      ("gpt_neox.layers.0.attention.dense.biases", [42], "unexpected tensor"),
      ("gpt_neox.attention.bias", [42], "`gpt_neox.attention.bias`: unexpected tensor"),
      ("lm_head.weight", [96, 42], "the file has it twice, also as `embed_out.weight`"),
    ] as [(String, [Int], String)])
  func `a tensor that GPT-NeoX does not have, or has already, is refused`(
    name: String, shape: [Int], message: String
  ) throws {
    let path = try renamedModel("gpt-neox", in: directory, extra: [(name, shape)]) { $0 }
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains(message) == true, "\(found ?? "accepted")")
  }
}

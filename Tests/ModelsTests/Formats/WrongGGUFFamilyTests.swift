// GGUF files of GPT-2, GPT-J and GPT-NeoX that describe no model that is computed: refused by the key that is wrong.

import JSON
import Models
import TestFolder
import Testing

@Suite struct WrongGGUFFamilyTests {
  let directory = TemporaryFolder()

  private func found(_ model: String, _ change: (inout GGUFBuilder) -> Void) throws -> String {
    var builder = try GGUFBuilder(try GGUFFile(GGUFFixture(name: model).path))
    change(&builder)
    let path = try directory.file("m.gguf", builder.bytes())
    var found: String?
    let seconds = processorSeconds { found = failure { _ = try openCheckpoint(path) } }
    #expect(seconds < 1)
    return found ?? "accepted"
  }

  static let families = ["gpt2", "gptj", "gptneox"]
  static let sizes = [
    "context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count",
    "attention.head_count_kv", "attention.key_length", "attention.value_length", "vocab_size",
    "rope.dimension_count",
  ]

  @Test(arguments: families, sizes)
  func `a size that no model has is refused by its key`(model: String, size: String) throws {
    let key = "\(model).\(size)"
    for value in [0, 1 << 27 + 1, .max] as [UInt32] {
      let found = try found(model) {
        $0.remove(key)
        $0.add(key, value)
      }
      #expect(found.contains("metadata `\(model)."), "\(value): \(found)")
    }
  }

  @Test(
    arguments: families, ["embedding_length", "block_count", "feed_forward_length"])
  func `a size that the tensors do not have is refused`(model: String, size: String) throws {
    let key = "\(model).\(size)"
    let found = try found(model) {
      $0.remove(key)
      $0.add(key, UInt32(4))
    }
    #expect(found.contains("metadata `\(model).") || found.contains("tensor `"), "\(found)")
  }

  @Test(arguments: families) func `as many blocks as are possible cost no time`(model: String) throws {
    let found = try found(model) {
      $0.remove("\(model).block_count")
      $0.add("\(model).block_count", UInt32(4096))
    }
    #expect(found.contains("missing; the configuration needs it"), "\(found)")
  }

  @Test(arguments: families, sizes.dropLast() + ["attention.layer_norm_epsilon"])
  func `a value of another type is refused by its key`(model: String, name: String) throws {
    let key = "\(model).\(name)"
    let found = try found(model) {
      $0.remove(key)
      $0.add(key, "16")
    }
    #expect(found.contains("metadata `\(key)`: expected a"), "\(found)")
  }

  static let missing = [
    (
      "gpt2",
      ["context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count"]
    ),
    ("gptj", ["rope.dimension_count", "attention.layer_norm_epsilon"]),
    ("gptneox", ["rope.dimension_count", "use_parallel_residual"]),
  ]

  @Test(arguments: missing.indices)
  func `a key that is missing is named`(index: Int) throws {
    let (model, names) = Self.missing[index]
    for name in names {
      let found = try found(model) { $0.remove("\(model).\(name)") }
      #expect(
        found.contains("metadata `\(model).\(name)`: expected a") && found.contains("missing"), "\(found)")
    }
  }

  /// What other architectures compute, and what these do with a value that they do not.
  @Test(
    arguments: families,
    [
      "rope.scaling.factor", "attention.sliding_window", "attention.clamp_kqv", "attention.max_alibi_bias",
      "logit_scale", "final_logit_softcapping", "expert_count", "no_such_key",
    ])
  func `a key that may change the result is refused`(model: String, name: String) throws {
    let found = try found(model) { $0.add("\(model).\(name)", UInt32(2)) }
    #expect(found.contains("metadata `\(model).\(name)`: "), "\(found)")
    #expect(found.contains("change"), "\(found)")
  }

  @Test(arguments: families) func `values that change nothing are read`(model: String) throws {
    let found = try found(model) {
      $0.add("\(model).expert_count", UInt32(0))
      $0.add("\(model).attention.causal", true)
      $0.add("\(model).tensor_data_layout", "reference")
      $0.add("other.expert_count", UInt32(8))
      $0.add("\(model).attention.head_count_kv", UInt32(2))
    }
    #expect(found == "accepted")
  }

  @Test func `rotary positions that are not computed are refused`() throws {
    for (model, value) in [("gptj", Float(5000)), ("gptneox", .nan), ("gptneox", 0)] {
      let key = "\(model).rope.freq_base"
      let found = try found(model) {
        $0.remove(key)
        $0.add(key, value)
      }
      #expect(found.contains("metadata `\(key)`: "), "\(found)")
    }
    let key = "gpt2.rope.freq_base"
    #expect(
      try found("gpt2") { $0.add(key, Float(10_000)) }.contains("metadata `\(key)`: the key is unknown"))
  }

  @Test(arguments: families) func `a tensor that is missing, wrong or too much is named`(model: String) throws
  {
    let missing = try found(model) { $0.tensors.removeAll { $0.name == "output_norm.bias" } }
    #expect(missing.contains("missing; the configuration needs it"), "\(missing)")
    #expect(
      try found(model) { $0.tensor("blk.0.attn_q_norm.weight", shape: [8], [Float](repeating: 0, count: 8)) }
        .contains("tensor `blk.0.attn_q_norm.weight`"))
    let up = try found(model) { builder in
      guard let index = builder.tensors.firstIndex(where: { $0.name == "blk.1.ffn_up.weight" }) else {
        return
      }
      builder.tensors[index].dimensions.reverse()
    }
    #expect(up.contains("the configuration needs shape"), "\(up)")
  }

  @Test func `a converter that did not know the pre-tokenizer is named`() throws {
    for name in ["default", nil] {
      let found = try found("gptneox") {
        $0.remove("tokenizer.ggml.pre")
        if let name { $0.add("tokenizer.ggml.pre", name) }
      }
      #expect(found.contains("`tokenizer.ggml.pre`: ") && found.contains("did not know"), "\(found)")
    }
  }
}

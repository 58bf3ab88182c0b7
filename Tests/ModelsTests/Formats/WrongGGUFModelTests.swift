// GGUF files that are well formed and describe no model that fits itself: refused by the key or tensor that is wrong.

import Glibc
import JSON
import Models
import TestFolder
import Testing

@Suite struct WrongGGUFModelTests {
  let directory = TemporaryFolder()

  static let wrong: [(String, @Sendable (inout GGUFBuilder) -> Void, String)] = [
    (
      "architecture",
      {
        TinyCheckpoint.without("general.architecture", &$0)
        $0.add("general.architecture", "gemma")
      }, "`gemma` is not supported; `llama`, `gpt2`, `gptj`, `gptneox` are"
    ),
    (
      "no architecture", { TinyCheckpoint.without("general.architecture", &$0) },
      "`general.architecture`: missing"
    ),
    (
      "missing key", { TinyCheckpoint.without("llama.block_count", &$0) },
      "`llama.block_count`: expected an integer, but the key is missing"
    ),
    (
      "wrong type",
      {
        TinyCheckpoint.without("llama.block_count", &$0)
        $0.add("llama.block_count", "2")
      }, "expected an integer, found a string"
    ),
    (
      "zero layers",
      {
        TinyCheckpoint.without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32(0))
      }, "`llama.block_count`: expected 1"
    ),
    (
      "2^32-1 layers",
      {
        TinyCheckpoint.without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32.max)
      }, "`llama.block_count`: expected 1"
    ),
    (
      "5000 layers",
      {
        TinyCheckpoint.without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32(5000))
      }, "expected at most 4096"
    ),
    (
      "more layers",
      {
        TinyCheckpoint.without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32(3))
      }, "`model.layers.2.input_layernorm.weight`: missing; the configuration needs it with shape [8]"
    ),
    (
      "fewer layers",
      {
        TinyCheckpoint.without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32(1))
      }, "tensor `blk.1.attn_norm.weight`"
    ),
    (
      "zero heads",
      {
        TinyCheckpoint.without("llama.attention.head_count", &$0)
        $0.add("llama.attention.head_count", UInt32(0))
      }, "does not divide evenly over 0 heads"
    ),
    (
      "uneven groups",
      {
        TinyCheckpoint.without("llama.attention.head_count_kv", &$0)
        $0.add("llama.attention.head_count_kv", UInt32(3))
      }, "do not divide evenly over 3"
    ),
    (
      "rotary part",
      {
        TinyCheckpoint.without("llama.rope.dimension_count", &$0)
        $0.add("llama.rope.dimension_count", UInt32(2))
      }, "2 is not supported; the head dimension, 4, is"
    ),
    (
      "scaled positions", { $0.add("llama.rope.scaling.type", "linear") },
      "`llama.rope.scaling.type`: it changes the result"
    ),
    ("experts", { $0.add("llama.expert_count", UInt32(8)) }, "`llama.expert_count`: it changes the result"),
    (
      "vocabulary size",
      {
        TinyCheckpoint.without("llama.vocab_size", &$0)
        $0.add("llama.vocab_size", UInt32(13))
      }, "13, but `token_embd.weight` has 12 rows"
    ),
    (
      "end token outside",
      {
        TinyCheckpoint.without("tokenizer.ggml.eos_token_id", &$0)
        $0.add("tokenizer.ggml.eos_token_id", UInt32(9))
      }, "token id 9 is outside the vocabulary of 9"
    ),
    (
      "end of turn outside", { $0.add("tokenizer.ggml.eot_token_id", UInt32(12)) },
      "`tokenizer.ggml.eot_token_id`: token id 12 is outside the vocabulary of 12"
    ),
    (
      "begin token outside",
      {
        TinyCheckpoint.without("tokenizer.ggml.bos_token_id", &$0)
        $0.add("tokenizer.ggml.bos_token_id", UInt32(12))
      }, "`tokenizer.ggml.bos_token_id`: token id 12 is outside the vocabulary of 12 (at byte "
    ),
    (
      "a begin token that is not named",
      {
        TinyCheckpoint.without("tokenizer.ggml.bos_token_id", &$0)
        $0.add("tokenizer.ggml.add_bos_token", true)
      }, "`tokenizer.ggml.add_bos_token`: `true`, but `tokenizer.ggml.bos_token_id` is missing"
    ),
    (
      "unknown tensor", { $0.tensor("blk.0.attn_q.bias", shape: [8], [Float](repeating: 0, count: 8)) },
      "tensor `blk.0.attn_q.bias`"
    ),
    ("rope factors", { $0.tensor("rope_freqs.weight", shape: [2], [1, 1]) }, "tensor `rope_freqs.weight`"),
    ("missing tensor", { $0.tensors.removeLast() }, "`model.norm.weight`: missing"),
    (
      "wrong shape",
      {
        $0.tensors[1].dimensions = [4]
        $0.tensors[1].data = [UInt8](repeating: 0, count: 16)
      }, "needs shape [8], found [4]"
    ),
    ("transposed", { $0.tensors[7].dimensions = [6, 8] }, "needs shape [6, 8], found [8, 6]"),
    ("flat query", { $0.tensors[2].dimensions = [64] }, "needs shape [8, 8], found [64]"),
    (
      "untied", { $0.tensor("output.weight", shape: [2, 2], [0, 0, 0, 0]) },
      "`lm_head.weight`: the configuration needs shape [12, 8], found [2, 2]"
    ),
    (
      "undecodable",
      {
        $0.tensors[0].type = 24
        $0.tensors[0].data = [UInt8](repeating: 0, count: 96)
      }, "stored as I8, which is not read"
    ),
    (
      "other tokenizer",
      {
        TinyCheckpoint.without("tokenizer.ggml.model", &$0)
        $0.add("tokenizer.ggml.model", "llama")
      }, "`llama` is not supported; `gpt2`"
    ),
    (
      "other pre-tokenizer",
      {
        TinyCheckpoint.without("tokenizer.ggml.pre", &$0)
        $0.add("tokenizer.ggml.pre", "qwen2")
      }, "`tokenizer.ggml.pre`: `qwen2` is not supported"
    ),
    (
      "no pre-tokenizer", { TinyCheckpoint.without("tokenizer.ggml.pre", &$0) },
      "a missing pre-tokenizer is not supported"
    ),
    ("no merges", { TinyCheckpoint.without("tokenizer.ggml.merges", &$0) }, "`tokenizer.ggml.merges`"),
    (
      "bad merge",
      {
        TinyCheckpoint.without("tokenizer.ggml.merges", &$0)
        $0.add("tokenizer.ggml.merges", ["a b", "ab"])
      }, "entry 1, `ab`: expected two tokens"
    ),
    (
      "unknown merge",
      {
        TinyCheckpoint.without("tokenizer.ggml.merges", &$0)
        $0.add("tokenizer.ggml.merges", ["a c"])
      }, "`tokenizer.ggml.merges[0]`: the token `ac` is not in the vocabulary"
    ),
    (
      "types short",
      {
        TinyCheckpoint.without("tokenizer.ggml.token_type", &$0)
        $0.add("tokenizer.ggml.token_type", [3])
      }, "1 types for 9 tokens"
    ),
    (
      "type 6",
      {
        TinyCheckpoint.without("tokenizer.ggml.token_type", &$0)
        $0.add("tokenizer.ggml.token_type", [3, 3, 3, 1, 1, 6, 1, 1, 1])
      }, "entry 5 is 6"
    ),
    (
      "token twice",
      {
        TinyCheckpoint.without("tokenizer.ggml.tokens", &$0)
        $0.add("tokenizer.ggml.tokens", ["<u>", "<s>", "</s>", "a", "b", "a", "ab", "Ġ", "Ġa"])
      }, "`tokenizer.ggml.tokens[5]`: the token `a` appears twice"
    ),
    (
      "too many tokens",
      {
        TinyCheckpoint.without("tokenizer.ggml.tokens", &$0)
        TinyCheckpoint.without("tokenizer.ggml.token_type", &$0)
        $0.add(
          "tokenizer.ggml.tokens", ["<u>", "<s>", "</s>", "a", "b", "c", "ab", "Ġ", "Ġa", "1", "2", "3", "4"])
      }, "the embedding has 12 rows, so 1 of the tokenizer's 13 tokens have none: 12 `4`"
    ),
    (
      "prefix space", { $0.add("tokenizer.ggml.add_space_prefix", true) }, "`tokenizer.ggml.add_space_prefix`"
    ),
  ]

  /// Each size of a GGUF file at values that no model has: refused by its key.
  @Test(arguments: [
    ("llama.context_length", UInt32(0)), ("llama.context_length", .max), ("llama.embedding_length", 0),
    ("llama.embedding_length", .max), ("llama.feed_forward_length", 0), ("llama.feed_forward_length", .max),
    ("llama.attention.head_count", .max), ("llama.attention.head_count_kv", 0),
    ("llama.attention.head_count_kv", .max), ("llama.attention.key_length", 0),
    ("llama.attention.key_length", 5), ("llama.attention.key_length", 514),
    ("llama.attention.key_length", .max),
  ])
  func `a size out of range is refused by its key`(key: String, value: UInt32) throws {
    let path = try directory.file(
      "m.gguf",
      TinyCheckpoint.gguf {
        TinyCheckpoint.without(key, &$0)
        if key.hasSuffix("key_length") { TinyCheckpoint.without("llama.rope.dimension_count", &$0) }
        $0.add(key, value)
      }.bytes())
    let found = failure { _ = try openCheckpoint(path) }
    #expect(
      found?.contains("metadata `\(key)`") == true || found?.contains("divide evenly") == true,
      "\(found ?? "accepted")")
  }

  @Test(arguments: [
    ("llama.rope.freq_base", Float.nan), ("llama.rope.freq_base", 0), ("llama.rope.freq_base", .infinity),
    ("llama.attention.layer_norm_rms_epsilon", -1), ("llama.attention.layer_norm_rms_epsilon", .nan),
    ("llama.attention.layer_norm_rms_epsilon", .leastNonzeroMagnitude),
  ])
  func `a number out of range is refused by its key`(key: String, value: Float) throws {
    let path = try directory.file(
      "m.gguf",
      TinyCheckpoint.gguf {
        TinyCheckpoint.without(key, &$0)
        $0.add(key, value)
      }.bytes())
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains("metadata `\(key)`: expected") == true, "\(found ?? "accepted")")
  }

  @Test(arguments: wrong.indices)
  func `a GGUF model that does not fit itself is refused`(index: Int) throws {
    let (name, change, message) = Self.wrong[index]
    let path = try directory.file("m.gguf", TinyCheckpoint.gguf(change: change).bytes())
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains(message) == true, "\(name): \(found ?? "accepted")")
    #expect(found?.contains(path) == true, "\(name): the file is named")
  }
}

// The memory of models of known sizes, counted by hand.

import JSON
import Models
import Testing

@Suite struct MemoryNeedTests {
  private static let gptJ: JSON = [
    "model_type": "gptj", "vocab_size": 50_400, "n_embd": 4096, "n_layer": 28, "n_head": 16,
    "n_positions": 2048,
    "rotary_dim": 64, "tie_word_embeddings": false,
  ]

  private func need(_ mode: NumericMode, tied: Bool = false) throws -> MemoryNeed {
    guard case .object(var object) = Self.gptJ else { preconditionFailure() }
    object["tie_word_embeddings"] = .bool(tied)
    let configuration = try DecoderConfiguration(huggingFace: .object(object))
    #expect(configuration.parameterCount == 6_050_882_784 - (tied ? 206_438_400 : 0))
    return MemoryNeed(configuration, configuration.layout, mode: mode)
  }

  @Test func `a GPT-J of 6 billion parameters takes two bytes a weight in bf16, four in fp32, one in int8`()
    throws
  {
    // The embedding, the head of the same size, and the products of 28 blocks; all else is vectors in fp32.
    let (table, products) = (50_400 * 4096, 28 * 12 * 4096 * 4096)
    let vectors = 4 * (28 * (2 * 4096 + 4 * 4096 + 4096) + 2 * 4096 + 50_400)
    #expect(try need(.bf16).weights == 2 * (2 * table + products) + vectors)
    #expect(try need(.bf16).weights == 12_103_488_384)
    #expect(try need(.fp32).weights == 4 * (2 * table + products) + vectors)
    #expect(try need(.int8).weights == 2 * table + table + products + vectors)
    #expect(try need(.bf16).largestTensor == 4 * table)
    // Keys and values of 28 blocks in bf16.
    #expect(try need(.bf16).cachePerToken == 2 * 28 * 4096 * 2)
    #expect(try need(.fp32).cachePerToken == 2 * 28 * 4096 * 4)
  }

  @Test func `a tied head is packed beside its embedding`() throws {
    #expect(try need(.bf16, tied: true).weights == need(.bf16).weights)
  }

  @Test
  func `training holds masters, gradients and moments beside the packed weights, and the head both ways`()
    throws
  {
    let table = 50_400 * 4096
    let inference = try need(.bf16)
    // The embedding is read from its master.
    #expect(try need(.bf16).training == 16 * 6_050_882_784 + inference.weights - 2 * table + 2 * table)
    #expect(inference.activationsPerToken > 28 * 2 * 4096 * 4)
  }
}

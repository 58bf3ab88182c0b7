// Blocks of integers with any content, and a model whose products are such blocks.

import Models

extension BlockFormat {
  private var encoding: (any ElementEncoding.Type)? { elementEncoding(named: rawValue) }

  /// Weights of a block in a file.
  var blockLength: Int { encoding?.blockLength ?? 0 }

  /// The numbers as a file's reader decodes them.
  func decoded(_ bytes: [UInt8]) -> [Float] {
    guard let encoding else { return [] }
    return [Float](unsafeUninitializedCapacity: bytes.count / encoding.blockSize * encoding.blockLength) {
      buffer, count in
      count = bytes.count / encoding.blockSize * encoding.blockLength
      bytes.withUnsafeBytes {
        encoding.decode($0, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      }
    }
  }

  /// Blocks of any integers. Their numbers of half precision are of both signs, such that weights stay small, and some subnormal.
  func randomBlocks(_ weights: Int, seed: UInt64) -> [UInt8] {
    guard let encoding else { return [] }
    var random = TestRandom(state: seed)
    let count = weights / encoding.blockLength
    var bytes = (0..<count * encoding.blockSize).map { _ in UInt8(truncatingIfNeeded: random.next() >> 40) }
    let places =
      switch self {
      case .q6K: [208]
      case .q41, .q51, .q4K, .q5K: [0, 2]
      case .q80, .q40, .q50: [0]
      }
    let exponents: [UInt64] =
      switch self {
      case .q4K, .q5K, .q6K: [1, 2]
      case .q80: [3, 4, 5]
      case .q40, .q41, .q50, .q51: [4, 5, 6, 7]
      }
    for block in 0..<count {
      for place in places {
        let word = random.next()
        let exponent = word >> 32 % 11 == 3 ? 0 : exponents[Int(word >> 40 % UInt64(exponents.count))]
        let half = UInt16(truncatingIfNeeded: word & 0x83ff | exponent << 10)
        bytes[block * encoding.blockSize + place] = UInt8(half & 0xff)
        bytes[block * encoding.blockSize + place + 1] = UInt8(half >> 8)
      }
    }
    return bytes
  }
}

/// A small Llama in a GGUF file, each kind of its products in another format.
struct BlockModel {
  static let formats: [(tensor: String, rows: Int, columns: Int, format: BlockFormat)] = [
    ("attn_q", 256, 256, .q4K), ("attn_k", 128, 256, .q5K), ("attn_v", 128, 256, .q6K),
    ("attn_output", 256, 256, .q40), ("ffn_gate", 320, 256, .q41), ("ffn_up", 320, 256, .q50),
    ("ffn_down", 256, 320, .q51),
  ]
  static let vocabulary = 70

  /// Whether the head is the token embedding.
  var isTied = true
  /// Keeps the numbers and stores them in F32.
  var isDecoded = false

  /// - Throws: nothing that the fixture's own bytes do not make.
  func builder() throws -> GGUFBuilder {
    var builder = GGUFBuilder()
    builder.add("general.architecture", "llama")
    for (key, value) in [
      ("context_length", 256), ("embedding_length", 256), ("block_count", 2), ("feed_forward_length", 320),
      ("attention.head_count", 4), ("attention.head_count_kv", 2), ("vocab_size", UInt32(Self.vocabulary)),
    ] as [(String, UInt32)] {
      builder.add("llama.\(key)", value)
    }
    builder.add("llama.attention.layer_norm_rms_epsilon", Float(1e-5))
    builder.add("llama.rope.freq_base", Float(10000))
    add("token_embd.weight", rows: Self.vocabulary, columns: 256, isTied ? .q80 : .q40, 1, to: &builder)
    if !isTied { add("output.weight", rows: Self.vocabulary, columns: 256, .q6K, 2, to: &builder) }
    addNorm("output_norm", to: &builder)
    for layer in 0..<2 {
      addNorm("blk.\(layer).attn_norm", to: &builder)
      addNorm("blk.\(layer).ffn_norm", to: &builder)
      for (index, entry) in Self.formats.enumerated() {
        add(
          "blk.\(layer).\(entry.tensor).weight", rows: entry.rows, columns: entry.columns, entry.format,
          UInt64(10 + 10 * layer + index), to: &builder)
      }
    }
    return builder
  }

  private func addNorm(_ name: String, to builder: inout GGUFBuilder) {
    builder.tensor(
      "\(name).weight", shape: [256], (0..<256).map { 0.5 + Float($0 % 7) / 16 })
  }

  private func add(
    _ name: String, rows: Int, columns: Int, _ format: BlockFormat, _ seed: UInt64,
    to builder: inout GGUFBuilder
  ) {
    let bytes = format.randomBlocks(rows * columns, seed: seed)
    if isDecoded {
      builder.tensor(name, shape: [rows, columns], format.decoded(bytes))
    } else {
      builder.tensors.append((name, [UInt64(columns), UInt64(rows)], Self.numbers[format] ?? 0, bytes))
    }
  }

  /// ggml's numbers of the types.
  private static let numbers: [BlockFormat: UInt32] = [
    .q40: 2, .q41: 3, .q50: 6, .q51: 7, .q80: 8, .q4K: 12, .q5K: 13, .q6K: 14,
  ]
}

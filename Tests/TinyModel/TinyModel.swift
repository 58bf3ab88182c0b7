// A tiny Llama with a real byte-level tokenizer, written as a Hugging Face directory.

import JSON
import Models

package struct TinyModel {
  /// Names the weights; equal seeds give equal bytes.
  package var seed: UInt64 = 1
  package var layers = 2
  package var contextLength = 160
  /// Rows of the embedding beyond the tokenizer's 485 tokens.
  package var spareRows = 3
  package var hasTokenizer = true
  /// A head of one output in place of the language model's.
  package var isRewardModel = false
  package var plumb: JSON?
  /// Takes the place of one weight of a tensor.
  package var changedWeight: (tensor: String, value: Float)?

  package init() {}

  /// Tests/ModelsTests/Fixtures/tokenizer/smollm.json
  package static var tokenizerPath: String {
    // TESTS/TinyModel/TinyModel.swift
    "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
      + "/ModelsTests/Fixtures/tokenizer/smollm.json"
  }

  package func write(to directory: String) throws {
    let tokenizer = try readTokenizer(Self.tokenizerPath)
    let configuration = try DecoderConfiguration(
      huggingFace: [
        "model_type": "llama", "vocab_size": .int(Int64(tokenizer.count + spareRows)), "hidden_size": 64,
        "num_hidden_layers": .int(Int64(layers)), "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 16,
        "intermediate_size": 96, "rope_theta": 10000.0, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
        "max_position_embeddings": .int(Int64(contextLength)), "eos_token_id": 2,
      ])
    var outputs: [SafeTensorsOutput] = []
    func add(_ name: String, _ shape: [Int]) {
      let random = Philox(seed: seed)
      let row = hash64(name)
      let isNorm = name.hasSuffix("norm.weight")
      // Wide enough that the model has opinions: a few nats between tokens.
      let spread: Float = name.hasSuffix("embed_tokens.weight") ? 1 : 0.35
      var numbers = (0..<shape.reduce(1, *)).map { index in
        let u = Float(random.uniform(row: row, sample: 0, position: index)) - 0.5
        return isNorm ? 1 + 0.2 * u : spread * u
      }
      if let changedWeight, changedWeight.tensor == name { numbers[5] = changedWeight.value }
      outputs.append(
        SafeTensorsOutput(name: name, shape: shape, dtype: .f32) { [numbers] emit in
          try numbers.withUnsafeBytes { try emit($0) }
        })
    }
    for tensor in configuration.layout.tensors { add(tensor.name, tensor.shape) }
    try writeModelDirectory(
      directory, configuration: configuration, tensors: outputs, tokenizer: hasTokenizer ? tokenizer : nil,
      chatTemplate: nil, plumb: plumb)
    if isRewardModel {
      add("score.weight", [1, configuration.hiddenSize])
      try writeSafeTensors(outputs, to: "\(directory)/model.safetensors")
    }
  }
}

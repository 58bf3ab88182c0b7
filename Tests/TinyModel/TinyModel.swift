// A tiny Llama or GPT-2 with a real byte-level tokenizer, written as a Hugging Face directory.

import JSON
import Models

package struct TinyModel {
  /// Names the weights; equal seeds give equal bytes.
  package var seed: UInt64 = 1
  package var family = Family.llama
  package var layers = 2
  package var contextLength = 160
  /// Rows of the embedding beyond the tokenizer's 485 tokens.
  package var spareRows = 3
  package var hasTokenizer = true
  package var head = Head.language
  package var plumb: JSON?
  /// Takes the place of one weight of a tensor.
  package var changedWeight: (tensor: String, value: Float)?

  package init() {}

  /// A classifier of one label.
  package static let rewardHead = Head.classification(labels: ["LABEL_0"])

  package enum Family {
    case llama
    /// Its `config.json` asks for dropout.
    case gpt2
  }

  /// Tests/ModelsTests/Fixtures/tokenizer
  private static var tokenizers: String {
    // TESTS/TinyModel/TinyModel.swift
    "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
      + "/ModelsTests/Fixtures/tokenizer"
  }

  package static var tokenizerPath: String { "\(tokenizers)/smollm.json" }

  private func config(rows: Int) -> JSON {
    switch family {
    case .llama:
      [
        "model_type": "llama", "vocab_size": .int(Int64(rows)), "hidden_size": 64,
        "num_hidden_layers": .int(Int64(layers)), "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 16,
        "intermediate_size": 96, "rope_theta": 10000.0, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
        "max_position_embeddings": .int(Int64(contextLength)), "eos_token_id": 2,
      ]
    case .gpt2:
      [
        "model_type": "gpt2", "vocab_size": .int(Int64(rows)), "n_embd": 60, "n_layer": .int(Int64(layers)),
        "n_head": 3, "n_inner": 100, "n_positions": .int(Int64(contextLength)),
        "activation_function": "gelu_new",
        "eos_token_id": 2, "resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.0,
      ]
    }
  }

  package func write(to directory: String) throws {
    let tokenizer = try readTokenizer(
      family == .llama ? Self.tokenizerPath : "\(Self.tokenizers)/gpt2.json")
    var configuration = try DecoderConfiguration(huggingFace: config(rows: tokenizer.count + spareRows))
    configuration.head = head
    var outputs: [SafeTensorsOutput] = []
    func add(_ name: String, _ shape: [Int], _ roles: [ParameterRole] = []) {
      let random = Philox(seed: seed)
      let row = hash64(name)
      let isNorm = [.attentionNorm, .feedForwardNorm, .finalNorm].contains(roles.first)
      // Wide enough that the model has opinions: a few nats between tokens.
      let spread: Float = roles.first == .tokenEmbedding ? 1 : 0.35
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
    for tensor in configuration.layout.tensors { add(tensor.name, tensor.shape, tensor.roles) }
    try writeModelDirectory(
      directory, configuration: configuration, tensors: outputs, tokenizer: hasTokenizer ? tokenizer : nil,
      chatTemplate: nil, plumb: plumb)
  }
}

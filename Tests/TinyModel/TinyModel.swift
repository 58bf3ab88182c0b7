// A tiny model of a family with a real byte-level tokenizer, written as a Hugging Face directory.

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
  package var chatTemplate: String?
  /// The head's bias of the spare rows, in a family that has one.
  package var spareBias: Float?
  /// The probability of each of these tokens wherever the model stands, all others having next to none; of a family whose head has a
  /// bias. What the model reads has no part in it.
  package var distribution: [Int32: Double] = [:]
  /// Takes the place of one weight of a tensor.
  package var changedWeight: (tensor: String, value: Float)?

  package init() {}

  /// ChatML, which has no `{% generation %}`.
  package static let chatTemplate = """
    {{ bos_token }}{% for m in messages %}
    {{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' }}
    {%- endfor %}
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
    """

  /// A classifier of one label.
  package static let rewardHead = Head.classification(labels: ["LABEL_0"])

  /// By its `model_type`.
  package enum Family: String, Sendable, CaseIterable {
    case llama, gpt2, gptj
    case gptNeoX = "gpt_neox"

    /// What its `config.json` asks for.
    package var dropout: [(key: String, rate: Double)] {
      switch self {
      case .llama: []
      case .gpt2, .gptj: [("embd_pdrop", 0.1), ("resid_pdrop", 0.1)]
      case .gptNeoX: [("hidden_dropout", 0.1)]
      }
    }
  }

  /// Tests/ModelsTests/Fixtures/tokenizer
  private static var tokenizers: String {
    // TESTS/TinyModel/TinyModel.swift
    "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
      + "/ModelsTests/Fixtures/tokenizer"
  }

  package static var tokenizerPath: String { "\(tokenizers)/smollm.json" }

  private func config(rows: Int) -> JSON {
    var config = sizes(rows: rows)
    for (key, rate) in family.dropout { config[key] = .double(rate) }
    return .object(config)
  }

  private func sizes(rows: Int) -> JSONObject {
    let own: JSON =
      switch family {
      case .llama:
        [
          "hidden_size": 64, "num_hidden_layers": .int(Int64(layers)), "num_attention_heads": 4,
          "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 96, "rope_theta": 10000.0,
          "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
          "max_position_embeddings": .int(Int64(contextLength)),
        ]
      case .gpt2, .gptj:
        [
          "n_embd": 60, "n_layer": .int(Int64(layers)), "n_head": 3, "n_inner": 100,
          "n_positions": .int(Int64(contextLength)), "activation_function": "gelu_new", "rotary_dim": 8,
        ]
      case .gptNeoX:
        [
          "hidden_size": 60, "num_hidden_layers": .int(Int64(layers)), "num_attention_heads": 3,
          "intermediate_size": 100, "max_position_embeddings": .int(Int64(contextLength)), "rotary_pct": 0.3,
        ]
      }
    var config = own.objectValue ?? JSONObject()
    config["model_type"] = .string(family.rawValue)
    config["vocab_size"] = .int(Int64(rows))
    config["eos_token_id"] = 2
    return config
  }

  /// The hidden states and the head are zero, so that the logits are the head's bias.
  private func fix(_ numbers: inout [Float], of role: ParameterRole?) {
    switch role {
    case .finalNorm, .finalNormBias, .head: numbers = numbers.map { _ in 0 }
    case .headBias:
      numbers = numbers.indices.map { row in
        distribution[Int32(row)].map { Float(naturalLogarithm($0)) } ?? -50
      }
    default: break
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
      if let spareBias, roles.first == .headBias {
        for row in tokenizer.count..<numbers.count { numbers[row] = spareBias }
      }
      if !distribution.isEmpty { fix(&numbers, of: roles.first) }
      if let changedWeight, changedWeight.tensor == name { numbers[5] = changedWeight.value }
      outputs.append(
        SafeTensorsOutput(name: name, shape: shape, dtype: .f32) { [numbers] emit in
          try numbers.withUnsafeBytes { try emit($0) }
        })
    }
    for tensor in configuration.layout.tensors { add(tensor.name, tensor.shape, tensor.roles) }
    try writeModelDirectory(
      directory, configuration: configuration, tensors: outputs, tokenizer: hasTokenizer ? tokenizer : nil,
      chatTemplate: chatTemplate, plumb: plumb)
  }
}

// Where a GGUF file has a tensor of a layout, and in which order its numbers lie there.

/// A tensor in a GGUF file, whose products are always [outputs, inputs].
struct GGUFPlacement: Sendable {
  let name: String
  /// The layout has the other way round what the file has: see `ParameterTensor.isTransposed`.
  let isTransposed: Bool
  /// Nil where the file has the outputs in the layout's order.
  let order: OutputOrder?
}

/// Outputs that lie in another order: in the layout they are [groups, first, second, run], in the file [groups, second, first, run].
struct OutputOrder: Sendable, Equatable {
  let first: Int
  let second: Int
  let run: Int

  /// Outputs of a group.
  var period: Int { first * second * run }

  /// Which output of the layout the file has there.
  func layoutIndex(ofFile index: Int) -> Int {
    let (block, within) = index.quotientAndRemainder(dividingBy: run)
    let (group, pair) = block.quotientAndRemainder(dividingBy: first * second)
    let (j, i) = pair.quotientAndRemainder(dividingBy: first)
    return ((group * first + i) * second + j) * run + within
  }
}

extension GGUFFamily {
  /// Nil for a tensor that GGUF has no name for.
  static func placement(of tensor: ParameterTensor, _ configuration: DecoderConfiguration) -> GGUFPlacement? {
    guard let name = ggufName(of: tensor) else { return nil }
    return GGUFPlacement(
      name: name, isTransposed: tensor.isTransposed, order: outputOrder(of: tensor, configuration))
  }

  private static func outputOrder(of tensor: ParameterTensor, _ configuration: DecoderConfiguration)
    -> OutputOrder?
  {
    if let interleaving = tensor.interleaving {
      // Query, key and value one after the other, not head by head.
      return OutputOrder(
        first: interleaving.headCount, second: interleaving.roleCount, run: configuration.headDimension)
    }
    let turned: [ParameterRole] = [.weight(.query), .weight(.key)]
    guard ggufTurnsNeighbours, tensor.roles.count == 1, turned.contains(tensor.roles[0]) else { return nil }
    // Element j of half h of a head is element h of pair j.
    return OutputOrder(first: 2, second: configuration.headDimension / 2, run: 1)
  }
}

private let namesOutside: [ParameterRole: String] = [
  .tokenEmbedding: "token_embd.weight", .positionEmbedding: "position_embd.weight",
  .finalNorm: "output_norm.weight", .finalNormBias: "output_norm.bias", .head: "output.weight",
  .headBias: "output.bias",
]

private let projectionNames: [Projection: String] = [
  .query: "attn_q", .key: "attn_k", .value: "attn_v", .output: "attn_output", .gate: "ffn_gate",
  .up: "ffn_up", .down: "ffn_down",
]

/// The name that gguf's tables give to what lies in a tensor, for every architecture. Source: gguf-py `constants.py` `TENSOR_NAMES`.
private func ggufName(of tensor: ParameterTensor) -> String? {
  guard let layer = tensor.layer else { return tensor.roles.count == 1 ? namesOutside[tensor.roles[0]] : nil }
  let name: String? =
    switch tensor.roles {
    case [.attentionNorm]: "attn_norm.weight"
    case [.attentionNormBias]: "attn_norm.bias"
    case [.feedForwardNorm]: "ffn_norm.weight"
    case [.feedForwardNormBias]: "ffn_norm.bias"
    case [.weight(.query), .weight(.key), .weight(.value)]: "attn_qkv.weight"
    case [.bias(.query), .bias(.key), .bias(.value)]: "attn_qkv.bias"
    default:
      switch tensor.roles.count == 1 ? tensor.roles[0] : nil {
      case .weight(let projection): projectionNames[projection].map { $0 + ".weight" }
      case .bias(let projection): projectionNames[projection].map { $0 + ".bias" }
      default: nil
      }
    }
  return name.map { "blk.\(layer).\($0)" }
}

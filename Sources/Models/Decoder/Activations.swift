// What a forward pass keeps for its backward pass.

/// Intermediate results of one block. T tokens, C hidden, H heads of D, F feed-forward.
struct BlockActivations {
  /// [T, C] before the attention branch
  let input: Tensor
  let attentionStatistics: NormStatistics
  /// [T, H * D] before rotation
  let query: Tensor
  /// [T, H * D]
  let attended: Tensor
  /// [T, H]
  let lse: Tensor
  /// [T, C] between the branches, where one follows the other
  let middle: Tensor
  let feedForwardStatistics: NormStatistics
  /// [T, F], what the activation bends
  let gate: Tensor
  /// [T, F] of a gated network
  let up: Tensor?

  /// - Parameter inputAlone: whether all else shares its memory with the other blocks.
  init(
    layer: Int, tokens t: Int, _ configuration: DecoderConfiguration, _ workspace: Workspace, inputAlone: Bool
  ) {
    let c = configuration.hiddenSize
    let attention = configuration.headCount * configuration.headDimension
    let owner = inputAlone ? "any" : "\(layer)"
    func tensor(_ name: String, _ rows: Int, _ columns: Int) -> Tensor {
      workspace.tensor("kept.\(owner).\(name)", rows, columns)
    }
    func statistics(_ name: String) -> NormStatistics {
      NormStatistics(configuration.norm, rows: t, named: "kept.\(owner).\(name)", in: workspace)
    }
    input = workspace.tensor("kept.\(layer).input", t, c)
    attentionStatistics = statistics("attention")
    query = tensor("query", t, attention)
    attended = tensor("attended", t, attention)
    lse = tensor("lse", t, configuration.headCount)
    middle = tensor("middle", t, c)
    feedForwardStatistics = statistics("feedForward")
    gate = tensor("gate", t, configuration.feedForwardSize)
    up = configuration.isGated ? tensor("up", t, configuration.feedForwardSize) : nil
  }
}

/// A packed micro-batch: whole sequences side by side, each from position 0.
struct PackedSequences {
  let tokens: [Int32]
  /// [sequences + 1] token offsets
  let starts: [Int32]

  init(_ sequences: [[Int32]]) {
    var tokens: [Int32] = []
    var starts: [Int32] = [0]
    for sequence in sequences {
      tokens += sequence
      starts.append(Int32(tokens.count))
    }
    self.tokens = tokens
    self.starts = starts
  }

  var ranges: [Range<Int>] { zip(starts, starts.dropFirst()).map { Int($0)..<Int($1) } }
}

/// The kept results of the blocks that the backward pass enters (nil below), and the keys and values [layers, 2, T, kv heads * D] they attended to.
struct Activations {
  let blocks: [BlockActivations?]
  let keysValues: Tensor
  let view: any KeyValueView
  /// Whether the blocks kept their inputs alone.
  let recomputes: Bool

  init(
    _ sequences: PackedSequences, _ configuration: DecoderConfiguration, mode: NumericMode,
    lowestBlock: Int, recomputes: Bool, _ workspace: Workspace
  ) {
    let t = sequences.tokens.count
    self.recomputes = recomputes
    blocks = (0..<configuration.layerCount).map {
      $0 < lowestBlock
        ? nil
        : BlockActivations(layer: $0, tokens: t, configuration, workspace, inputAlone: recomputes)
    }
    (keysValues, view) = Self.contiguousView(sequences, configuration, mode: mode, workspace)
  }

  /// Keys and values of packed sequences in one piece of memory, addressed like pages of a cache.
  static func contiguousView(
    _ sequences: PackedSequences, _ configuration: DecoderConfiguration, mode: NumericMode,
    _ workspace: Workspace
  ) -> (Tensor, any KeyValueView) {
    let t = sequences.tokens.count
    let shape = configuration.keyValueShape(in: mode)
    let storage = workspace.tensor("kept.kv", shape.layers * 2 * t, shape.row, shape.type)
    var queries: [KeyValueQuery] = []
    var lists: [any PageList] = []
    for range in sequences.ranges {
      let list = workspace.backend.pageList(capacity: PagePool.pageCount(range.count))
      for start in stride(from: range.lowerBound, to: range.upperBound, by: PagePool.pageLength) {
        list.append(storage.slice(start..<storage.rows))
      }
      queries += (0..<range.count).map { KeyValueQuery(list: Int32(lists.count), position: Int32($0)) }
      lists.append(list)
    }
    return (storage, workspace.backend.view(queries, of: lists, layout: shape.layout(positions: t)))
  }

  /// Keys (0) or values (1) of a layer, [T, kv heads * D].
  func keysValues(layer: Int, _ which: Int, tokens t: Int) -> Tensor {
    let first = (layer * 2 + which) * t
    return keysValues.slice(first..<first + t)
  }
}

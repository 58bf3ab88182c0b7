// What a forward pass keeps for its backward pass.

import CKernels

/// Intermediate results of one block. T tokens, C hidden, H heads of D, F feed-forward.
struct BlockActivations {
  /// [T, C] before the attention branch
  let input: Tensor
  /// [1, T]
  let attentionRstd: Tensor
  /// [T, H * D] before rotation
  let query: Tensor
  /// [T, H * D]
  let attended: Tensor
  /// [T, H]
  let lse: Tensor
  /// [T, C] between the branches
  let middle: Tensor
  /// [1, T]
  let feedForwardRstd: Tensor
  /// [T, F]
  let gate: Tensor
  /// [T, F]
  let up: Tensor

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
    func perToken(_ name: String) -> Tensor { tensor(name, t, 1) }
    input = workspace.tensor("kept.\(layer).input", t, c)
    attentionRstd = perToken("attentionRstd")
    query = tensor("query", t, attention)
    attended = tensor("attended", t, attention)
    lse = tensor("lse", t, configuration.headCount)
    middle = tensor("middle", t, c)
    feedForwardRstd = perToken("feedForwardRstd")
    gate = tensor("gate", t, configuration.feedForwardSize)
    up = tensor("up", t, configuration.feedForwardSize)
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
  let view: KeyValueView
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
  ) -> (Tensor, KeyValueView) {
    let t = sequences.tokens.count
    let row = configuration.keyValueHeadCount * configuration.headDimension
    let storage = workspace.tensor("kept.kv", configuration.layerCount * 2 * t, row, mode.operandType)
    let rowBytes = row * mode.operandType.byteCount
    var queries: [pk_query] = []
    var owners: [AnyObject] = []
    for range in sequences.ranges {
      let pages = PageList(
        stride(from: range.lowerBound, to: range.upperBound, by: PagePool.pageLength).map {
          UnsafeRawPointer(storage.raw + $0 * rowBytes)
        })
      owners.append(pages)
      for position in 0..<range.count {
        queries.append(pk_query(pages: pages.pointer, position: Int32(position)))
      }
    }
    let layout = pk_kv_layout(
      kv_heads: configuration.keyValueHeadCount, kv_stride: row, key_offset: 0,
      value_offset: t * rowBytes, type: mode.operandType.kernelType)
    let view = KeyValueView(
      queries: queries, owners: owners, layout: layout, layerStride: 2 * t * rowBytes)
    return (storage, view)
  }

  /// Keys (0) or values (1) of a layer, [T, kv heads * D].
  func keysValues(layer: Int, _ which: Int, tokens t: Int) -> Tensor {
    let first = (layer * 2 + which) * t
    return keysValues.slice(first..<first + t)
  }
}

/// Page addresses of one sequence at an address that stays.
final class PageList {
  // The kernels read this through `pk_query.pages`; views keep their lists alive in `owners`.
  private let storage: UnsafeMutableBufferPointer<UnsafeRawPointer?>
  private(set) var count: Int

  init(_ pages: [UnsafeRawPointer], capacity: Int = 0) {
    storage = .allocate(capacity: max(pages.count, capacity, 1))
    storage.initialize(repeating: nil)
    count = 0
    for page in pages { append(page) }
  }

  deinit { storage.deallocate() }

  func append(_ page: UnsafeRawPointer) {
    precondition(count < storage.count, "page list of \(storage.count) is full")
    storage[count] = page
    count += 1
  }

  var pointer: UnsafePointer<UnsafeRawPointer?> {
    guard let base = storage.baseAddress else { preconditionFailure("an allocated buffer has an address") }
    return UnsafePointer(base)
  }
}

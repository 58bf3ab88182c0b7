// The boundary between models and the device that computes: every kernel a model calls, over device buffers.

import CKernels

/// The blocks in which a reduction is summed (docs/arithmetic.md): at most 32 terms each.
package struct ReductionBlocks: Sendable {
  package static let length = 32
  let blocks: [pk_block]

  /// `count` terms in a row, as in a product over features.
  package init(_ count: Int) { self.init(sequences: [0..<count]) }

  /// Terms that belong to sequences; blocks start afresh at each sequence, so that a sum over tokens does
  /// not depend on which sequences lie side by side.
  package init(sequences: [Range<Int>]) {
    var blocks: [pk_block] = []
    for sequence in sequences {
      for start in stride(from: sequence.lowerBound, to: sequence.upperBound, by: Self.length) {
        let end = min(start + Self.length, sequence.upperBound)
        blocks.append(pk_block(start: start, length: end - start))
      }
    }
    self.blocks = blocks
  }
}

/// The right operand of a product, laid out for the kernels.
package struct PackedMatrix: Sendable {
  let storage: Tensor
  let reduction: ReductionBlocks
  package let columns: Int
  /// The type of the left operand.
  var operandType: ElementType { storage.type == .int8 ? .bfloat16 : storage.type }
}

/// The keys and values that queries see, and where new ones go.
package struct KeyValueView {
  /// One entry for each token: its page list and position.
  let queries: [pk_query]
  /// What `queries` points into.
  let owners: [AnyObject]
  let layout: pk_kv_layout
  let layerStride: Int

  /// The view of some of its tokens.
  func rows(_ rows: [Int32]) -> KeyValueView {
    KeyValueView(
      queries: rows.map { queries[Int($0)] }, owners: owners, layout: layout, layerStride: layerStride)
  }

  func layout(layer: Int) -> pk_kv_layout {
    var layout = self.layout
    layout.key_offset += layer * layerStride
    layout.value_offset += layer * layerStride
    return layout
  }
}

/// How a query weighs the keys it sees.
package struct AttentionRule: Sendable, Equatable {
  package static let largestHeadDimension = Int(PK_MAX_HEAD)

  package let headDimension: Int
  /// A query sees itself and the `window - 1` tokens before it; nil: all of them.
  package let window: Int?
  /// Bounds a score: cap * tanh(score / cap). Source: Gemma 2, section 2.
  package let softCap: Double?

  package init(headDimension: Int, window: Int? = nil, softCap: Double? = nil) {
    self.headDimension = headDimension
    self.window = window
    self.softCap = softCap
  }
}

/// What a feed-forward network bends its input with, by the name that transformers gives it.
package enum Activation: String, Sendable, CaseIterable {
  /// x sigmoid(x)
  case silu
  /// x times the normal distribution up to x
  case gelu
  /// The same by tanh's approximation.
  case geluTanh = "gelu_pytorch_tanh"
}

/// The kernels of one device. Each computes exactly what CKernels.h defines, whatever the device does to get
/// there; none depends on how many rows it is given.
package protocol Backend: Sendable {
  /// `matrix` is [N, K] as weights are stored: columns N, reduction K. Writes over `old` when given.
  func pack(_ matrix: Tensor, as type: ElementType, over old: PackedMatrix?) -> PackedMatrix
  /// The transpose of the above: columns K, reduction N.
  func packTransposed(_ matrix: Tensor, as type: ElementType, over old: PackedMatrix?) -> PackedMatrix
  /// Rows of `matrix` [T, N] as the reduction. The result lives in the workspace: use it before the next one.
  func packRows(
    _ matrix: Tensor, as type: ElementType, reduction: ReductionBlocks, in workspace: Workspace
  ) -> PackedMatrix
  /// out [M, N] = (accumulate ? out : 0) + a [M, K] b
  func multiply(_ a: Tensor, _ b: PackedMatrix, into out: Tensor, accumulate: Bool)
  /// gate [M, N] = a [M, K] b, and `gated` = activation(gate) * up, or activation(gate) alone, while the gates are at hand.
  func multiply(
    _ a: Tensor, _ b: PackedMatrix, into gate: Tensor, activatedBy activation: Activation, times up: Tensor?,
    into gated: Tensor)
  /// out [M, N] += transpose(a [T, M]) b, b packed from rows
  func multiplyTransposed(_ a: Tensor, _ b: PackedMatrix, into out: Tensor)

  func store(_ x: Tensor, into out: Tensor)
  func add(_ y: Tensor, into x: Tensor)
  func gather(_ table: Tensor, _ ids: [Int32], into out: Tensor)
  func scatterAdd(_ rows: Tensor, _ ids: [Int32], into table: Tensor)
  func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, into out: Tensor, rstd: Tensor?)
  func rmsNormBackward(
    _ x: Tensor, weight: Tensor, rstd: Tensor, dy: Tensor, addTo dx: Tensor, addToWeight dw: Tensor?)
  /// out = activation(gate) * up, or activation(gate) alone.
  func activate(_ gate: Tensor, _ up: Tensor?, by activation: Activation, into out: Tensor)
  /// Overwrites gate and up by their gradients.
  func activateBackward(_ gate: Tensor, _ up: Tensor?, by activation: Activation, dout: Tensor)
  /// Keys are stored rotated by the positions at which they go.
  func storeKeysValues(
    _ keys: Tensor, _ values: Tensor, layer: Int, view: KeyValueView, rule: AttentionRule, rotary: RotaryTable
  )
  /// Queries are rotated by their positions first.
  func attention(
    _ q: Tensor, layer: Int, view: KeyValueView, rule: AttentionRule, rotary: RotaryTable, into out: Tensor,
    lse: Tensor?)
  /// k, v: [T, kv heads * D] as stored; `starts` bounds the packed sequences. q, dq and dk are not rotated.
  func attentionBackward(
    q: Tensor, k: Tensor, v: Tensor, out: Tensor, lse: Tensor, dout: Tensor, starts: [Int32],
    rule: AttentionRule, rotary: RotaryTable, dq: Tensor, dk: Tensor, dv: Tensor)
  /// [R, V] -> log of the sum of exponentials of each row
  func logSumExp(_ logits: Tensor) -> [Float]
  /// Of each row [V] its label's log-probability and its distribution's entropy, in nats.
  func tokenStatistics(_ logits: Tensor, labels: [Int32]) -> (logProbabilities: [Float], entropies: [Float])
  /// -log p(label) of each row [V]; overwrites the logits by `scale` times its gradient.
  func crossEntropy(_ logits: Tensor, labels: [Int32], scale: Float) -> [Float]
  /// Overwrites the logits [R, V] by `scale` times the loss's gradient. Without a reference [R, V of the reference] there is no KL.
  func conditionalLoss(
    _ logits: Tensor, reference: Tensor?, labels: [Int32], loss: ConditionalLoss, scale: Float
  ) -> ConditionalLossRows
  /// One token for each row, -1 where every token is banned, -2 where a logit is NaN or infinite.
  func sample(
    _ logits: Tensor, parameters: [SamplingParameters], uniforms: [Double], banned: [Int32]
  ) -> [Int32]
  /// Makes it impossible to draw these tokens from a row.
  func ban(_ tokens: [Int32], in logits: Tensor)
  /// Penalises tokens of a row; `counts` are how often each is in the sample, 0 for those of the prompt alone.
  func penalize(_ tokens: [Int32], counts: [Int32], in logits: Tensor, _ penalties: Penalties)
  func adamW(_ p: Tensor, _ m: Tensor, _ v: Tensor, gradient: Tensor, step: AdamWStep)
  func sumOfSquares(_ x: Tensor) -> Double
}

/// Cosine and sine of position times frequency, [positions, D / 2] each.
package struct RotaryTable: Sendable {
  let cosine: Tensor
  let sine: Tensor
  private let base: Double

  package init(base: Double, positions: Int, headDimension: Int) {
    self.init(base: base, positions: positions, headDimension: headDimension, after: nil)
  }

  private init(base: Double, positions: Int, headDimension: Int, after known: RotaryTable?) {
    self.base = base
    cosine = Tensor(positions, headDimension / 2)
    sine = Tensor(positions, headDimension / 2)
    if let known {
      _ = cosine.elements.update(fromContentsOf: known.cosine.elements)
      _ = sine.elements.update(fromContentsOf: known.sine.elements)
    }
    let first = known?.positions ?? 0
    pk_rotary_table(
      Float(base), first, positions - first, headDimension, cosine.floats + first * (headDimension / 2),
      sine.floats + first * (headDimension / 2))
  }

  package var positions: Int { cosine.rows }

  /// The table of more positions, the first ones as they are here.
  package func extended(to positions: Int) -> RotaryTable {
    RotaryTable(base: base, positions: positions, headDimension: cosine.columns * 2, after: self)
  }

  package var cosines: [Float] { cosine.array() }
  package var sines: [Float] { sine.array() }
}

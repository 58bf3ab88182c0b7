// The boundary between models and the device that computes: its memory, and every kernel that a model calls.

/// The memory and the kernels of one device. Each kernel computes exactly what CKernels.h defines, whatever the device does to get
/// there; none depends on how many rows it is given. Arrays are the host's: small operands, and results that are read.
package protocol Backend: Sendable {
  /// Names the device in content keys: all devices of a class compute the same bits.
  static var deviceClass: String { get }
  /// In content keys. Raised when the bits of the class's arithmetic change.
  static var numericsVersion: Int { get }
  /// What the kernels that run here were compiled for, such as `avx2`; changes no result.
  static var instructionSet: String { get }
  /// - Parameter threads: threads of the host that work on one operation; changes no result.
  init(threads: Int)

  func allocate(byteCount: Int) -> any DeviceBuffer
  /// The same elements, of the same type.
  func copy(_ source: Tensor, into target: Tensor)
  func fill(_ x: Tensor, with value: Float)
  /// Of an fp32 tensor, in the order of its rows.
  func elements(of x: Tensor, at places: [Int]) -> [Float]

  /// `matrix` is [N, K] as weights are stored: columns N, reduction K. Writes over `old` when given. It may be
  /// a view of some columns, as whatever is packed.
  func pack(_ matrix: Tensor, as type: ElementType, over old: (any PackedMatrix)?) -> any PackedMatrix
  /// The same; the result lives in the workspace: use it before the next one.
  func pack(_ matrix: Tensor, as type: ElementType, in workspace: Workspace) -> any PackedMatrix
  /// The integers of `matrix` as they are.
  func pack(_ matrix: BlockMatrix) -> any PackedMatrix
  /// The transpose of the first: columns K, reduction N.
  func packTransposed(_ matrix: Tensor, as type: ElementType, over old: (any PackedMatrix)?)
    -> any PackedMatrix
  /// Rows of `matrix` [T, N] as the reduction. The result lives in the workspace: use it before the next one.
  func packRows(
    _ matrix: Tensor, as type: ElementType, reduction: ReductionBlocks, in workspace: Workspace
  ) -> any PackedMatrix
  /// out [M, N] = (accumulate ? out : 0) + a [M, K] b, then + bias [1, N]
  func multiply(_ a: Tensor, _ b: any PackedMatrix, bias: Tensor?, into out: Tensor, accumulate: Bool)
  /// gate [M, N] = a [M, K] b + bias [1, N], and `gated` = activation(gate) * up, or activation(gate) alone, while the gates are at
  /// hand.
  func multiply(
    _ a: Tensor, _ b: any PackedMatrix, bias: Tensor?, into gate: Tensor, activatedBy activation: Activation,
    times up: Tensor?, into gated: Tensor)
  /// db [1, N] += the sum of the rows of dy [T, N]
  func addBiasGradient(_ dy: Tensor, into db: Tensor)
  /// out [M, N] = transpose(a [T, M]) b, or += where it accumulates, b packed from rows; `out` may be a view of some columns
  func multiplyTransposed(_ a: Tensor, _ b: any PackedMatrix, into out: Tensor, accumulate: Bool)

  func store(_ x: Tensor, into out: Tensor)
  func add(_ y: Tensor, into x: Tensor)
  func gather(_ table: Tensor, _ ids: [Int32], into out: Tensor)
  func scatterAdd(_ rows: Tensor, _ ids: [Int32], into table: Tensor)
  func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, into out: Tensor, rstd: Tensor?)
  func rmsNormBackward(
    _ x: Tensor, weight: Tensor, rstd: Tensor, dy: Tensor, addTo dx: Tensor, addToWeight dw: Tensor?)
  /// mean and rstd: [T, 1], for the backward pass.
  func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into out: Tensor, mean: Tensor?, rstd: Tensor?)
  /// Gradients of both parameters are wanted, or of neither.
  func layerNormBackward(
    _ x: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor, dy: Tensor, addTo dx: Tensor,
    addToWeight dw: Tensor?, addToBias db: Tensor?)
  /// out = activation(gate) * up, or activation(gate) alone.
  func activate(_ gate: Tensor, _ up: Tensor?, by activation: Activation, into out: Tensor)
  /// Overwrites gate and up by their gradients.
  func activateBackward(_ gate: Tensor, _ up: Tensor?, by activation: Activation, dout: Tensor)
  /// Row i is of position `first` + i: cosine and sine, [positions, R / 2], of position * base^(-2i/R).
  func rotaryAngles(base: Double, from first: Int, cosine: Tensor, sine: Tensor)
  func pageList(capacity: Int) -> any PageList
  func view(_ queries: [KeyValueQuery], of lists: [any PageList], layout: KeyValueLayout) -> any KeyValueView
  /// Keys are stored rotated by the positions at which they go, where there is a table.
  func storeKeysValues(
    _ keys: Tensor, _ values: Tensor, layer: Int, view: any KeyValueView, rule: AttentionRule,
    rotary: RotaryTable?
  )
  /// Queries are rotated by their positions first, where there is a table.
  func attention(
    _ q: Tensor, layer: Int, view: any KeyValueView, rule: AttentionRule, rotary: RotaryTable?,
    into out: Tensor,
    lse: Tensor?)
  /// k, v: [T, kv heads * D] as stored; `starts` bounds the packed sequences. q, dq and dk are not rotated.
  func attentionBackward(
    q: Tensor, k: Tensor, v: Tensor, out: Tensor, lse: Tensor, dout: Tensor, starts: [Int32],
    rule: AttentionRule, rotary: RotaryTable?, dq: Tensor, dk: Tensor, dv: Tensor)
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
  /// One token for each row, -1 where every token is banned, -2 where a logit is NaN or infinite; and each token's probability in the
  /// distribution that it was drawn from: at its temperature, after the filters; 1 where that is greedy.
  func sample(
    _ logits: Tensor, parameters: [SamplingParameters], uniforms: [Double], banned: [Int32]
  ) -> (tokens: [Int32], probabilities: [Double])
  /// Makes it impossible to draw these tokens from a row.
  func ban(_ tokens: [Int32], in logits: Tensor)
  /// Penalises tokens of a row; `counts` are how often each is in the sample, 0 for those of the prompt alone.
  func penalize(_ tokens: [Int32], counts: [Int32], in logits: Tensor, _ penalties: Penalties)
  func adamW(_ p: Tensor, _ m: Tensor, _ v: Tensor, gradient: Tensor, step: AdamWStep)
  func rmsProp(_ p: Tensor, _ v: Tensor, gradient: Tensor, step: RMSPropStep)
  func sumOfSquares(_ x: Tensor) -> Double
}

extension Backend {
  /// out [M, N] = (accumulate ? out : 0) + a [M, K] b
  package func multiply(_ a: Tensor, _ b: any PackedMatrix, into out: Tensor, accumulate: Bool) {
    multiply(a, b, bias: nil, into: out, accumulate: accumulate)
  }

  /// A new tensor of zeros.
  package func tensor(_ rows: Int, _ columns: Int, _ type: ElementType = .float32) -> Tensor {
    Tensor(
      in: allocate(byteCount: rows * columns * type.byteCount), rows: rows, columns: columns, type: type)
  }
}

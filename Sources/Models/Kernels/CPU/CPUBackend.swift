// The CPU: CKernels behind the backend boundary.

import CKernels

package struct CPUBackend: Backend {
  package static let deviceClass = "cpu"
  package static let numericsVersion = 2
  package static var instructionSet: String { String(cString: pk_isa_name(pk_selected_isa())) }

  private let threads: Int32

  /// - Parameter threads: how many threads work on one operation; changes no result.
  package init(threads: Int) { self.threads = Int32(clamping: threads) }

  package func allocate(byteCount: Int) -> any DeviceBuffer { CPUBuffer(byteCount: byteCount) }

  package func copy(_ source: Tensor, into target: Tensor) {
    precondition(
      source.count == target.count && source.type == target.type,
      "\(source.count) elements of \(source.type) into \(target.count) of \(target.type)")
    target.cpuPointer.copyMemory(from: source.cpuPointer, byteCount: source.byteCount)
  }

  package func fill(_ x: Tensor, with value: Float) { pk_fill(threads, x.cpuFloats, value, x.count) }

  package func elements(of x: Tensor, at places: [Int]) -> [Float] {
    precondition(places.allSatisfy { $0 >= 0 && $0 < x.count }, "places outside \(x.count) elements")
    let floats = x.cpuFloats
    return places.map { floats[$0] }
  }

  private func packed(
    _ matrix: Tensor, reductionStride: Int, columnStride: Int, columns: Int, reduction: ReductionBlocks,
    type: ElementType, over old: (any PackedMatrix)?
  ) -> any PackedMatrix {
    CPUPackedMatrix(
      matrix, reductionStride: reductionStride, columnStride: columnStride, columns: columns,
      reduction: reduction, type: type, threads: threads
    ) { old.map { Self.packed($0).storage } ?? tensor(1, $0, type) }
  }

  private static func packed(_ matrix: any PackedMatrix) -> CPUPackedMatrix {
    guard let matrix = matrix as? CPUPackedMatrix else {
      preconditionFailure("a matrix packed by another device")
    }
    return matrix
  }

  private static func view(_ view: any KeyValueView) -> CPUKeyValueView {
    guard let view = view as? CPUKeyValueView else { preconditionFailure("a view of another device") }
    return view
  }

  package func pack(_ matrix: Tensor, as type: ElementType, over old: (any PackedMatrix)?) -> any PackedMatrix
  {
    packed(
      matrix, reductionStride: 1, columnStride: matrix.rowStride, columns: matrix.rows,
      reduction: ReductionBlocks(matrix.columns), type: type, over: old)
  }

  package func pack(_ matrix: Tensor, as type: ElementType, in workspace: Workspace) -> any PackedMatrix {
    CPUPackedMatrix(
      matrix, reductionStride: 1, columnStride: matrix.rowStride, columns: matrix.rows,
      reduction: ReductionBlocks(matrix.columns), type: type, threads: threads
    ) { workspace.tensor("packed.rows", $0, 1, type) }
  }

  package func pack(_ matrix: BlockMatrix) -> any PackedMatrix {
    CPUPackedMatrix(matrix, threads: threads) { tensor(1, $0, .int8) }
  }

  package func packTransposed(_ matrix: Tensor, as type: ElementType, over old: (any PackedMatrix)?)
    -> any PackedMatrix
  {
    packed(
      matrix, reductionStride: matrix.rowStride, columnStride: 1, columns: matrix.columns,
      reduction: ReductionBlocks(matrix.rows), type: type, over: old)
  }

  package func packRows(
    _ matrix: Tensor, as type: ElementType, reduction: ReductionBlocks, in workspace: Workspace
  ) -> any PackedMatrix {
    CPUPackedMatrix(
      matrix, reductionStride: matrix.rowStride, columnStride: 1, columns: matrix.columns,
      reduction: reduction,
      type: type, threads: threads
    ) { workspace.tensor("packed.rows", $0, 1, type) }
  }

  package func multiply(
    _ a: Tensor, _ b: any PackedMatrix, bias: Tensor?, into out: Tensor, accumulate: Bool
  ) {
    guard let bias else { return multiply(a, b, into: out, accumulate: accumulate, then: nil) }
    precondition(bias.count == b.columns, "\(bias.count) biases of \(b.columns) columns")
    var epilogue = pk_epilogue(bias: bias.cpuFloats, out: nil, up: nil, f: PK_SILU, type: PK_F32)
    multiply(a, b, into: out, accumulate: accumulate, then: &epilogue)
  }

  package func multiply(
    _ a: Tensor, _ b: any PackedMatrix, bias: Tensor?, into gate: Tensor, activatedBy activation: Activation,
    times up: Tensor?, into gated: Tensor
  ) {
    precondition(
      bias?.count ?? b.columns == b.columns, "\(bias?.count ?? 0) biases of \(b.columns) columns")
    precondition(
      gate.count == gated.count && gate.count == up?.count ?? gate.count,
      "\(gate.count) gates of \(up?.count ?? gate.count) into \(gated.count)")
    var epilogue = pk_epilogue(
      bias: bias?.cpuFloats, out: gated.cpuPointer, up: up?.cpuFloats, f: activation.kernelValue,
      type: gated.type.kernelType)
    multiply(a, b, into: gate, accumulate: false, then: &epilogue)
  }

  private func multiply(
    _ a: Tensor, _ b: any PackedMatrix, into out: Tensor, accumulate: Bool,
    then epilogue: UnsafePointer<pk_epilogue>?
  ) {
    let b = Self.packed(b)
    precondition(
      a.type == b.operandType && out.columns == b.columns && out.rows == a.rows,
      "[\(a.rows), \(a.columns)] \(a.type) times \(b.columns) columns into [\(out.rows), \(out.columns)]")
    pk_gemm(
      threads, a.cpuPointer, a.columns, 1, b.storage.cpuPointer, b.kernelType, out.cpuFloats,
      out.columns, a.rows, b.columns, b.blocks, b.blocks.count, accumulate ? 1 : 0, epilogue)
  }

  package func multiplyTransposed(_ a: Tensor, _ b: any PackedMatrix, into out: Tensor, accumulate: Bool) {
    let b = Self.packed(b)
    precondition(
      a.type == b.storage.type && out.columns == b.columns && out.rows == a.columns,
      "transposed [\(a.rows), \(a.columns)] times \(b.columns) columns into [\(out.rows), \(out.columns)]")
    pk_gemm(
      threads, a.cpuPointer, 1, a.columns, b.storage.cpuPointer, a.type.kernelType, out.stridedFloats,
      out.rowStride, a.columns, b.columns, b.blocks, b.blocks.count, accumulate ? 1 : 0, nil)
  }

  package func addBiasGradient(_ dy: Tensor, into db: Tensor) {
    precondition(db.count == dy.columns, "\(db.count) biases of \(dy.columns) columns")
    pk_bias_gradient(threads, dy.cpuFloats, db.cpuFloats, dy.rows, dy.columns)
  }

  package func store(_ x: Tensor, into out: Tensor) {
    precondition(x.count == out.count, "\(x.count) elements into \(out.count)")
    pk_store(threads, x.cpuFloats, out.cpuPointer, out.type.kernelType, x.count)
  }

  package func add(_ y: Tensor, into x: Tensor) {
    precondition(x.count == y.count, "\(y.count) elements added to \(x.count)")
    pk_add(threads, x.cpuFloats, y.cpuFloats, x.count)
  }

  package func gather(_ table: Tensor, _ ids: [Int32], into out: Tensor) {
    pk_gather(threads, table.cpuPointer, table.type.kernelType, ids, out.cpuFloats, ids.count, table.columns)
  }

  package func scatterAdd(_ rows: Tensor, _ ids: [Int32], into table: Tensor) {
    pk_scatter_add(threads, table.cpuFloats, ids, rows.cpuFloats, ids.count, table.columns)
  }

  package func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, into out: Tensor, rstd: Tensor?) {
    pk_rms_norm(
      threads, x.cpuFloats, weight.cpuFloats, epsilon, out.cpuPointer, out.type.kernelType, rstd?.cpuFloats,
      x.rows, x.columns)
  }

  package func rmsNormBackward(
    _ x: Tensor, weight: Tensor, rstd: Tensor, dy: Tensor, addTo dx: Tensor, addToWeight dw: Tensor?
  ) {
    pk_rms_norm_backward(
      threads, x.cpuFloats, weight.cpuFloats, rstd.cpuFloats, dy.cpuFloats, dx.cpuFloats, dw?.cpuFloats,
      x.rows, x.columns)
  }

  package func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into out: Tensor, mean: Tensor?, rstd: Tensor?
  ) {
    pk_layer_norm(
      threads, x.cpuFloats, weight.cpuFloats, bias.cpuFloats, epsilon, out.cpuPointer, out.type.kernelType,
      mean?.cpuFloats, rstd?.cpuFloats, x.rows, x.columns)
  }

  package func layerNormBackward(
    _ x: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor, dy: Tensor, addTo dx: Tensor,
    addToWeight dw: Tensor?, addToBias db: Tensor?
  ) {
    precondition((dw == nil) == (db == nil), "weight and bias of a norm train together")
    pk_layer_norm_backward(
      threads, x.cpuFloats, weight.cpuFloats, mean.cpuFloats, rstd.cpuFloats, dy.cpuFloats, dx.cpuFloats,
      dw?.cpuFloats, db?.cpuFloats, x.rows, x.columns)
  }

  package func activate(_ gate: Tensor, _ up: Tensor?, by activation: Activation, into out: Tensor) {
    precondition(
      gate.count == out.count && gate.count == up?.count ?? gate.count,
      "\(gate.count) gates of \(up?.count ?? gate.count) into \(out.count)")
    pk_activation_forward(
      threads, activation.kernelValue, gate.cpuFloats, up?.cpuFloats, out.cpuPointer, out.type.kernelType,
      gate.count)
  }

  package func activateBackward(_ gate: Tensor, _ up: Tensor?, by activation: Activation, dout: Tensor) {
    precondition(
      gate.count == dout.count && gate.count == up?.count ?? gate.count,
      "\(gate.count) gates of \(up?.count ?? gate.count), \(dout.count) gradients")
    pk_activation_backward(
      threads, activation.kernelValue, gate.cpuFloats, up?.cpuFloats, dout.cpuFloats, gate.count)
  }

  package func rotaryAngles(base: Double, from first: Int, cosine: Tensor, sine: Tensor) {
    pk_rotary_table(
      Float(base), first, cosine.rows, cosine.columns * 2, cosine.cpuFloats, sine.cpuFloats)
  }

  package func pageList(capacity: Int) -> any PageList { CPUPageList(capacity: capacity) }

  package func view(_ queries: [KeyValueQuery], of lists: [any PageList], layout: KeyValueLayout)
    -> any KeyValueView
  { CPUKeyValueView(queries, of: lists, layout: layout) }

  package func storeKeysValues(
    _ keys: Tensor, _ values: Tensor, layer: Int, view: any KeyValueView, rule: AttentionRule,
    rotary: RotaryTable?
  ) {
    let view = Self.view(view)
    var (layout, kernelRule) = (view.layout(layer: layer), rule.kernelValue(rotary))
    pk_store_kv(
      threads, keys.cpuFloats, values.cpuFloats, view.queries, keys.rows, rule.headDimension, &layout,
      &kernelRule)
  }

  package func attention(
    _ q: Tensor, layer: Int, view: any KeyValueView, rule: AttentionRule, rotary: RotaryTable?,
    into out: Tensor,
    lse: Tensor?
  ) {
    let view = Self.view(view)
    var (layout, kernelRule) = (view.layout(layer: layer), rule.kernelValue(rotary))
    pk_attention(
      threads, q.cpuFloats, view.queries, q.rows, q.columns / rule.headDimension, rule.headDimension, &layout,
      &kernelRule, out.cpuFloats, lse?.cpuFloats)
  }

  package func attentionBackward(
    q: Tensor, k: Tensor, v: Tensor, out: Tensor, lse: Tensor, dout: Tensor, starts: [Int32],
    rule: AttentionRule, rotary: RotaryTable?, dq: Tensor, dk: Tensor, dv: Tensor
  ) {
    let d = rule.headDimension
    var kernelRule = rule.kernelValue(rotary)
    pk_attention_backward(
      threads, q.cpuFloats, k.cpuPointer, v.cpuPointer, out.cpuFloats, lse.cpuFloats, dout.cpuFloats, starts,
      starts.count - 1,
      q.columns / d, k.columns / d, d, k.type.kernelType, &kernelRule, dq.cpuFloats, dk.cpuFloats,
      dv.cpuFloats)
  }

  package func logSumExp(_ logits: Tensor) -> [Float] {
    var result = [Float](repeating: 0, count: logits.rows)
    pk_log_sum_exp(threads, logits.cpuFloats, logits.columns, logits.rows, logits.columns, &result)
    return result
  }

  package func tokenStatistics(
    _ logits: Tensor, labels: [Int32]
  ) -> (logProbabilities: [Float], entropies: [Float]) {
    checkLabels(labels, of: logits)
    var logProbabilities = [Float](repeating: 0, count: logits.rows)
    var entropies = logProbabilities
    pk_token_statistics(
      threads, logits.cpuFloats, logits.rows, logits.columns, labels, &logProbabilities, &entropies)
    return (logProbabilities, entropies)
  }

  package func crossEntropy(_ logits: Tensor, labels: [Int32], scale: Float) -> [Float] {
    checkLabels(labels, of: logits)
    var losses = [Float](repeating: 0, count: logits.rows)
    pk_cross_entropy(threads, logits.cpuFloats, logits.rows, logits.columns, labels, scale, &losses)
    return losses
  }

  package func conditionalLoss(
    _ logits: Tensor, reference: Tensor?, labels: [Int32], loss: ConditionalLoss, scale: Float
  ) -> ConditionalLossRows {
    checkLabels(labels, of: logits)
    var rows = ConditionalLossRows(count: logits.rows)
    pk_conditional_loss(
      threads, logits.cpuFloats, reference?.cpuFloats, logits.rows, logits.columns, reference?.columns ?? 0,
      loss.klColumns,
      labels, reference == nil ? PK_KL_NONE : loss.direction.kernelValue, loss.kl, loss.entropy, scale,
      &rows.languageModel, &rows.kl, &rows.entropy)
    return rows
  }

  private func checkLabels(_ labels: [Int32], of logits: Tensor) {
    precondition(
      labels.count == logits.rows && labels.allSatisfy { $0 >= 0 && $0 < logits.columns },
      "one label of \(logits.columns) for each of \(logits.rows) rows; there are \(labels.count)")
  }

  package func sample(
    _ logits: Tensor, parameters: [SamplingParameters], uniforms: [Double], banned: [Int32]
  ) -> (tokens: [Int32], probabilities: [Double]) {
    var filters: [pk_filter] = []
    let sampling = parameters.map { row in
      let first = filters.count
      for setting in row.filters {
        let kernel = pk_filter_kernel(setting.filter)
        precondition(kernel >= 0, "there is no kernel of the filter `\(setting.filter)`")
        filters.append(pk_filter(kernel: kernel, value: setting.value))
      }
      return pk_sampling(
        temperature: row.temperature, first_filter: UInt32(first), filter_count: UInt32(row.filters.count))
    }
    var tokens = [Int32](repeating: 0, count: logits.rows)
    var probabilities = [Double](repeating: 0, count: logits.rows)
    pk_sample(
      threads, logits.cpuFloats, logits.rows, logits.columns, sampling, filters, uniforms, banned,
      banned.count,
      &tokens, &probabilities)
    return (tokens, probabilities)
  }

  package func ban(_ tokens: [Int32], in logits: Tensor) {
    precondition(
      logits.rows == 1 && tokens.allSatisfy { $0 >= 0 && $0 < logits.columns }, "one row, its tokens")
    pk_ban(logits.cpuFloats, tokens, tokens.count)
  }

  package func penalize(_ tokens: [Int32], counts: [Int32], in logits: Tensor, _ penalties: Penalties) {
    precondition(
      logits.rows == 1 && tokens.allSatisfy { $0 >= 0 && $0 < logits.columns }, "one row, its tokens")
    pk_penalize(
      threads, logits.cpuFloats, tokens, counts, tokens.count, penalties.repetition, penalties.presence,
      penalties.frequency)
  }

  package func adamW(_ p: Tensor, _ m: Tensor, _ v: Tensor, gradient: Tensor, step: AdamWStep) {
    var kernelStep = pk_adamw_step(
      lr: step.learningRate, beta1: step.beta1, beta2: step.beta2, eps: step.epsilon,
      weight_decay: step.weightDecay, l2: step.l2, bias1: step.bias1, bias2: step.bias2,
      gradient_scale: step.gradientScale)
    pk_adamw(threads, p.cpuFloats, m.cpuFloats, v.cpuFloats, gradient.cpuFloats, p.count, &kernelStep)
  }

  package func rmsProp(_ p: Tensor, _ v: Tensor, gradient: Tensor, step: RMSPropStep) {
    var kernelStep = pk_rmsprop_step(
      lr: step.learningRate, alpha: step.alpha, eps: step.epsilon, l2: step.l2,
      gradient_scale: step.gradientScale)
    pk_rmsprop(threads, p.cpuFloats, v.cpuFloats, gradient.cpuFloats, p.count, &kernelStep)
  }

  package func sumOfSquares(_ x: Tensor) -> Double { pk_sum_of_squares(threads, x.cpuFloats, x.count) }
}

// The CPU: CKernels behind the backend boundary.

import CKernels

package struct CPUBackend: Backend {
  private let threads: Int32

  /// - Parameter threads: how many threads work on one operation; changes no result.
  package init(threads: Int) { self.threads = Int32(clamping: threads) }

  /// The instruction-set path in use: `portable`, `avx2`, `avx512`, `amx`.
  package static var instructionSet: String { String(cString: pk_isa_name(pk_selected_isa())) }

  private func packed(
    _ matrix: Tensor, reductionStride: Int, columnStride: Int, columns: Int, reduction: ReductionBlocks,
    type: ElementType, over old: Tensor?
  ) -> PackedMatrix {
    let blocks = reduction.blocks
    let count =
      type == .int8
      ? pk_packed_int8_bytes(columns, blocks, blocks.count) : pk_packed_count(columns, blocks, blocks.count)
    let storage = old ?? Tensor(1, count, type)
    precondition(
      storage.count == count && storage.type == type, "packs \(count) elements over \(storage.count)")
    if type == .int8 {
      pk_pack_int8(
        threads, matrix.floats, reductionStride, columnStride, columns, blocks, blocks.count, storage.raw)
    } else if matrix.type == .float32 {
      pk_pack_f32(
        threads, matrix.floats, reductionStride, columnStride, columns, blocks, blocks.count, type.kernelType,
        storage.raw)
    } else {
      precondition(matrix.type == type, "packs \(matrix.type) as \(type)")
      pk_pack(
        threads, matrix.raw, reductionStride, columnStride, columns, blocks, blocks.count, type.kernelType,
        storage.raw
      )
    }
    return PackedMatrix(storage: storage, reduction: reduction, columns: columns)
  }

  package func pack(_ matrix: Tensor, as type: ElementType, over old: PackedMatrix?) -> PackedMatrix {
    packed(
      matrix, reductionStride: 1, columnStride: matrix.columns, columns: matrix.rows,
      reduction: ReductionBlocks(matrix.columns), type: type, over: old?.storage)
  }

  package func packTransposed(_ matrix: Tensor, as type: ElementType, over old: PackedMatrix?) -> PackedMatrix
  {
    packed(
      matrix, reductionStride: matrix.columns, columnStride: 1, columns: matrix.columns,
      reduction: ReductionBlocks(matrix.rows), type: type, over: old?.storage)
  }

  package func packRows(
    _ matrix: Tensor, as type: ElementType, reduction: ReductionBlocks, in workspace: Workspace
  ) -> PackedMatrix {
    let count = pk_packed_count(matrix.columns, reduction.blocks, reduction.blocks.count)
    return packed(
      matrix, reductionStride: matrix.columns, columnStride: 1, columns: matrix.columns, reduction: reduction,
      type: type, over: workspace.tensor("packed.rows", count, 1, type))
  }

  package func multiply(_ a: Tensor, _ b: PackedMatrix, into out: Tensor, accumulate: Bool) {
    multiply(a, b, into: out, accumulate: accumulate, then: nil)
  }

  package func multiply(
    _ a: Tensor, _ b: PackedMatrix, into gate: Tensor, activatedBy activation: Activation, times up: Tensor?,
    into gated: Tensor
  ) {
    precondition(
      gate.count == gated.count && gate.count == up?.count ?? gate.count,
      "\(gate.count) gates of \(up?.count ?? gate.count) into \(gated.count)")
    var epilogue = pk_epilogue(
      bias: nil, out: gated.raw, up: up?.floats, f: activation.kernelValue, type: gated.type.kernelType)
    multiply(a, b, into: gate, accumulate: false, then: &epilogue)
  }

  private func multiply(
    _ a: Tensor, _ b: PackedMatrix, into out: Tensor, accumulate: Bool,
    then epilogue: UnsafePointer<pk_epilogue>?
  ) {
    precondition(
      a.type == b.operandType && out.columns == b.columns && out.rows == a.rows,
      "[\(a.rows), \(a.columns)] \(a.type) times \(b.columns) columns into [\(out.rows), \(out.columns)]")
    pk_gemm(
      threads, a.raw, a.columns, 1, b.storage.raw, b.storage.type.kernelType, out.floats, out.columns, a.rows,
      b.columns, b.reduction.blocks, b.reduction.blocks.count, accumulate ? 1 : 0, epilogue)
  }

  package func multiplyTransposed(_ a: Tensor, _ b: PackedMatrix, into out: Tensor) {
    precondition(
      a.type == b.storage.type && out.columns == b.columns && out.rows == a.columns,
      "transposed [\(a.rows), \(a.columns)] times \(b.columns) columns into [\(out.rows), \(out.columns)]")
    pk_gemm(
      threads, a.raw, 1, a.columns, b.storage.raw, a.type.kernelType, out.floats, out.columns, a.columns,
      b.columns,
      b.reduction.blocks, b.reduction.blocks.count, 1, nil)
  }

  package func store(_ x: Tensor, into out: Tensor) {
    precondition(x.count == out.count, "\(x.count) elements into \(out.count)")
    pk_store(threads, x.floats, out.raw, out.type.kernelType, x.count)
  }

  package func add(_ y: Tensor, into x: Tensor) {
    precondition(x.count == y.count, "\(y.count) elements added to \(x.count)")
    pk_add(threads, x.floats, y.floats, x.count)
  }

  package func gather(_ table: Tensor, _ ids: [Int32], into out: Tensor) {
    pk_gather(threads, table.raw, table.type.kernelType, ids, out.floats, ids.count, table.columns)
  }

  package func scatterAdd(_ rows: Tensor, _ ids: [Int32], into table: Tensor) {
    pk_scatter_add(threads, table.floats, ids, rows.floats, ids.count, table.columns)
  }

  package func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, into out: Tensor, rstd: Tensor?) {
    pk_rms_norm(
      threads, x.floats, weight.floats, epsilon, out.raw, out.type.kernelType, rstd?.floats, x.rows, x.columns
    )
  }

  package func rmsNormBackward(
    _ x: Tensor, weight: Tensor, rstd: Tensor, dy: Tensor, addTo dx: Tensor, addToWeight dw: Tensor?
  ) {
    pk_rms_norm_backward(
      threads, x.floats, weight.floats, rstd.floats, dy.floats, dx.floats, dw?.floats, x.rows, x.columns)
  }

  package func activate(_ gate: Tensor, _ up: Tensor?, by activation: Activation, into out: Tensor) {
    precondition(
      gate.count == out.count && gate.count == up?.count ?? gate.count,
      "\(gate.count) gates of \(up?.count ?? gate.count) into \(out.count)")
    pk_activation_forward(
      threads, activation.kernelValue, gate.floats, up?.floats, out.raw, out.type.kernelType, gate.count)
  }

  package func activateBackward(_ gate: Tensor, _ up: Tensor?, by activation: Activation, dout: Tensor) {
    precondition(
      gate.count == dout.count && gate.count == up?.count ?? gate.count,
      "\(gate.count) gates of \(up?.count ?? gate.count), \(dout.count) gradients")
    pk_activation_backward(threads, activation.kernelValue, gate.floats, up?.floats, dout.floats, gate.count)
  }

  package func storeKeysValues(
    _ keys: Tensor, _ values: Tensor, layer: Int, view: KeyValueView, rule: AttentionRule,
    rotary: RotaryTable
  ) {
    var (layout, kernelRule) = (view.layout(layer: layer), rule.kernelValue(rotary))
    pk_store_kv(
      threads, keys.floats, values.floats, view.queries, keys.rows, rule.headDimension, &layout, &kernelRule)
  }

  package func attention(
    _ q: Tensor, layer: Int, view: KeyValueView, rule: AttentionRule, rotary: RotaryTable, into out: Tensor,
    lse: Tensor?
  ) {
    var (layout, kernelRule) = (view.layout(layer: layer), rule.kernelValue(rotary))
    pk_attention(
      threads, q.floats, view.queries, q.rows, q.columns / rule.headDimension, rule.headDimension, &layout,
      &kernelRule, out.floats, lse?.floats)
  }

  package func attentionBackward(
    q: Tensor, k: Tensor, v: Tensor, out: Tensor, lse: Tensor, dout: Tensor, starts: [Int32],
    rule: AttentionRule, rotary: RotaryTable, dq: Tensor, dk: Tensor, dv: Tensor
  ) {
    let d = rule.headDimension
    var kernelRule = rule.kernelValue(rotary)
    pk_attention_backward(
      threads, q.floats, k.raw, v.raw, out.floats, lse.floats, dout.floats, starts, starts.count - 1,
      q.columns / d, k.columns / d, d, k.type.kernelType, &kernelRule, dq.floats, dk.floats, dv.floats)
  }

  package func logSumExp(_ logits: Tensor) -> [Float] {
    var result = [Float](repeating: 0, count: logits.rows)
    pk_log_sum_exp(threads, logits.floats, logits.columns, logits.rows, logits.columns, &result)
    return result
  }

  package func tokenStatistics(
    _ logits: Tensor, labels: [Int32]
  ) -> (logProbabilities: [Float], entropies: [Float]) {
    checkLabels(labels, of: logits)
    var logProbabilities = [Float](repeating: 0, count: logits.rows)
    var entropies = logProbabilities
    pk_token_statistics(
      threads, logits.floats, logits.rows, logits.columns, labels, &logProbabilities, &entropies)
    return (logProbabilities, entropies)
  }

  package func crossEntropy(_ logits: Tensor, labels: [Int32], scale: Float) -> [Float] {
    checkLabels(labels, of: logits)
    var losses = [Float](repeating: 0, count: logits.rows)
    pk_cross_entropy(threads, logits.floats, logits.rows, logits.columns, labels, scale, &losses)
    return losses
  }

  package func conditionalLoss(
    _ logits: Tensor, reference: Tensor?, labels: [Int32], loss: ConditionalLoss, scale: Float
  ) -> ConditionalLossRows {
    checkLabels(labels, of: logits)
    var rows = ConditionalLossRows(count: logits.rows)
    pk_conditional_loss(
      threads, logits.floats, reference?.floats, logits.rows, logits.columns, reference?.columns ?? 0,
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
  ) -> [Int32] {
    let sampling = parameters.map {
      pk_sampling(
        temperature: $0.temperature, top_p: $0.topP, min_p: $0.minP, top_k: Int32(clamping: $0.topK),
        typical_p: $0.typicalP)
    }
    var tokens = [Int32](repeating: 0, count: logits.rows)
    pk_sample(
      threads, logits.floats, logits.rows, logits.columns, sampling, uniforms, banned, banned.count, &tokens)
    return tokens
  }

  package func ban(_ tokens: [Int32], in logits: Tensor) {
    precondition(
      logits.rows == 1 && tokens.allSatisfy { $0 >= 0 && $0 < logits.columns }, "one row, its tokens")
    pk_ban(logits.floats, tokens, tokens.count)
  }

  package func penalize(_ tokens: [Int32], counts: [Int32], in logits: Tensor, _ penalties: Penalties) {
    precondition(
      logits.rows == 1 && tokens.allSatisfy { $0 >= 0 && $0 < logits.columns }, "one row, its tokens")
    pk_penalize(
      threads, logits.floats, tokens, counts, tokens.count, penalties.repetition, penalties.presence,
      penalties.frequency)
  }

  package func adamW(_ p: Tensor, _ m: Tensor, _ v: Tensor, gradient: Tensor, step: AdamWStep) {
    var kernelStep = pk_adamw_step(
      lr: step.learningRate, beta1: step.beta1, beta2: step.beta2, eps: step.epsilon,
      weight_decay: step.weightDecay, bias1: step.bias1, bias2: step.bias2,
      gradient_scale: step.gradientScale)
    pk_adamw(threads, p.floats, m.floats, v.floats, gradient.floats, p.count, &kernelStep)
  }

  package func sumOfSquares(_ x: Tensor) -> Double { pk_sum_of_squares(threads, x.floats, x.count) }
}

extension AttentionRule {
  /// For use while the table lives.
  fileprivate func kernelValue(_ rotary: RotaryTable) -> pk_attention_rule {
    pk_attention_rule(
      scale: 1 / Float(headDimension).squareRoot(), cap: Float(softCap ?? 0),
      window: Int32(clamping: window ?? 0), cosine: rotary.cosine.floats, sine: rotary.sine.floats)
  }
}

extension KLDirection {
  fileprivate var kernelValue: pk_kl {
    switch self {
    case .referencePolicy: PK_KL_REFERENCE_POLICY
    case .policyReference: PK_KL_POLICY_REFERENCE
    }
  }
}

extension Activation {
  fileprivate var kernelValue: pk_activation {
    switch self {
    case .silu: PK_SILU
    case .gelu: PK_GELU
    case .geluTanh: PK_GELU_TANH
    }
  }
}

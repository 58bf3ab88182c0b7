import CKernels
import Glibc
import Models
import Testing

/// Every instruction-set path this machine has, against the definitions in plain loops: the same bits.
/// Serialized because the choice of path is the process's.
@Suite(.serialized) struct KernelPathTests {
  static let paths = [PK_PORTABLE, PK_AVX2, PK_AVX512, PK_AVX512BF16, PK_AMX].filter {
    pk_isa_available($0) != 0
  }

  /// Numbers of varied size and sign from a counter; some subnormal, some zero.
  static func numbers(_ count: Int, seed: UInt64) -> [Float] {
    let random = Philox(seed: seed)
    return (0..<count).map { index in
      let u = random.uniform(row: UInt64(index), sample: 0, position: 0)
      switch index % 37 {
      case 5: return 0
      case 11: return Float(bitPattern: UInt32(u * 8e6))
      case 17: return Float(u - 0.5) * 1e3
      default: return Float(u - 0.5) * 2
      }
    }
  }

  static func bits(_ x: [Float]) -> [UInt32] { x.map(\.bitPattern) }

  /// How many threads the kernels work on that a test calls.
  @TaskLocal static var threads: Int32 = 2

  /// Runs `body` on every path with 1 and 3 threads and expects the bits of `expected`.
  func onEveryPath(_ what: String, expected: [Float], _ body: () -> [Float]) {
    for path in Self.paths {
      #expect(pk_select_isa(path) == 1)
      for threads: Int32 in [1, 3] {
        let found = Self.$threads.withValue(threads, operation: body)
        #expect(
          Self.bits(found) == Self.bits(expected),
          "\(what) on \(String(cString: pk_isa_name(path))) with \(threads) threads")
      }
    }
    #expect(pk_select_isa(Self.paths[Self.paths.count - 1]) == 1)
  }

  @Test(arguments: [
    (1, 1, 1), (1, 16, 32), (2, 17, 33), (5, 15, 31), (6, 16, 64), (7, 48, 65), (13, 33, 7), (29, 70, 100),
    (64, 5, 96), (3, 200, 2),
  ])
  func `a product has the bits of its definition`(m: Int, n: Int, k: Int) {
    for type in [PK_F32, PK_BF16] {
      let a = Self.numbers(m * k, seed: 1)
      let b = Self.numbers(n * k, seed: 2)
      let old = Self.numbers(m * n, seed: 3)
      let blocks = stride(from: 0, to: k, by: 32).map { pk_block(start: $0, length: min(32, k - $0)) }
      let aStored = Self.stored(a, type)
      let bStored = Self.stored(b, type)
      for accumulate: Int32 in [0, 1] {
        var expected = old
        pk_reference_gemm(
          KernelPathTests.threads, aStored, k, 1, bStored, 1, k, type, &expected, n, m, n, blocks,
          blocks.count, accumulate)
        onEveryPath("\(m)x\(n)x\(k) \(type) accumulate \(accumulate)", expected: expected) {
          var packed = [UInt8](repeating: 0, count: pk_packed_count(n, blocks, blocks.count) * 4)
          pk_pack_f32(KernelPathTests.threads, b, 1, k, n, blocks, blocks.count, type, &packed)
          var c = old
          pk_gemm(
            KernelPathTests.threads, aStored, k, 1, packed, type, &c, n, m, n, blocks, blocks.count,
            accumulate, nil)
          return c
        }
      }
    }
  }

  @Test(arguments: [(1, 33, 40), (6, 16, 64), (29, 70, 100), (130, 20, 1200)])
  func `bias, activation and gate follow a product as they would apart from it`(m: Int, n: Int, k: Int) {
    let blocks = stride(from: 0, to: k, by: 32).map { pk_block(start: $0, length: min(32, k - $0)) }
    let (a, b) = (Self.numbers(m * k, seed: 31), Self.numbers(n * k, seed: 32))
    let (bias, up) = (Self.numbers(n, seed: 33), Self.numbers(m * n, seed: 34))
    for type in [PK_F32, PK_BF16] {
      let (aStored, bStored) = (Self.stored(a, type), Self.stored(b, type))
      var sums = [Float](repeating: 0, count: m * n)
      pk_reference_gemm(
        KernelPathTests.threads, aStored, k, 1, bStored, 1, k, type, &sums, n, m, n, blocks, blocks.count, 0)
      for row in 0..<m { for column in 0..<n { sums[row * n + column] += bias[column] } }
      var gated = [Float](repeating: 0, count: m * n)
      pk_reference_activation_forward(KernelPathTests.threads, PK_SILU, sums, up, &gated, PK_F32, m * n)
      onEveryPath("\(m)x\(n)x\(k) \(type)", expected: sums + gated) {
        var packed = [UInt8](repeating: 0, count: pk_packed_count(n, blocks, blocks.count) * 4)
        pk_pack_f32(KernelPathTests.threads, b, 1, k, n, blocks, blocks.count, type, &packed)
        var c = [Float](repeating: 0, count: m * n)
        var out = c
        bias.withUnsafeBufferPointer { bias in
          up.withUnsafeBufferPointer { up in
            out.withUnsafeMutableBytes { out in
              var epilogue = pk_epilogue(
                bias: bias.baseAddress, out: out.baseAddress, up: up.baseAddress, f: PK_SILU, type: PK_F32)
              pk_gemm(
                KernelPathTests.threads, aStored, k, 1, packed, type, &c, n, m, n, blocks, blocks.count, 0,
                &epilogue)
            }
          }
        }
        return c + out
      }
    }
  }

  @Test func `a product over tokens restarts its blocks at each sequence`() {
    // dW[n, k] = sum over tokens of dy[t, n] x[t, k], for sequences of 3, 32, 1 and 45 tokens.
    let lengths = [3, 32, 1, 45]
    var blocks: [pk_block] = []
    var start = 0
    for length in lengths {
      for offset in stride(from: 0, to: length, by: 32) {
        blocks.append(pk_block(start: start + offset, length: min(32, length - offset)))
      }
      start += length
    }
    let (t, n, k) = (start, 21, 35)
    let dy = Self.stored(Self.numbers(t * n, seed: 4), PK_BF16)
    let x = Self.stored(Self.numbers(t * k, seed: 5), PK_BF16)
    var expected = [Float](repeating: 0.25, count: n * k)
    pk_reference_gemm(
      KernelPathTests.threads, dy, 1, n, x, k, 1, PK_BF16, &expected, k, n, k, blocks, blocks.count, 1)
    onEveryPath("weight gradient", expected: expected) {
      var packed = [UInt8](repeating: 0, count: pk_packed_count(k, blocks, blocks.count) * 2)
      pk_pack(KernelPathTests.threads, x, k, 1, k, blocks, blocks.count, PK_BF16, &packed)
      var c = [Float](repeating: 0.25, count: n * k)
      pk_gemm(KernelPathTests.threads, dy, 1, n, packed, PK_BF16, &c, k, n, k, blocks, blocks.count, 1, nil)
      return c
    }
    // Sequence by sequence into the same sum gives the same bits as all at once.
    var c = [Float](repeating: 0.25, count: n * k)
    for block in blocks {
      var packed = [UInt8](repeating: 0, count: pk_packed_count(k, [block], 1) * 2)
      pk_pack(KernelPathTests.threads, x, k, 1, k, [block], 1, PK_BF16, &packed)
      pk_gemm(KernelPathTests.threads, dy, 1, n, packed, PK_BF16, &c, k, n, k, [block], 1, 1, nil)
    }
    #expect(Self.bits(c) == Self.bits(expected))
  }

  @Test(arguments: [0, 1, 15, 16, 17, 31, 48, 100])
  func `row operations have the bits of their definitions`(c: Int) {
    let t = 5
    let x = Self.numbers(t * c, seed: 9)
    let y = Self.numbers(t * c, seed: 10)
    let w = Self.numbers(c, seed: 11)
    func agree(_ what: String, _ body: (_ plain: Bool) -> [Float]) {
      _ = pk_select_isa(PK_PORTABLE)
      onEveryPath("\(what) of \(c)", expected: body(true)) { body(false) }
    }
    agree("norm") { plain in
      var out = [Float](repeating: 0, count: t * c)
      var rstd = [Float](repeating: 0, count: t)
      (plain ? pk_reference_rms_norm : pk_rms_norm)(
        KernelPathTests.threads, x, w, 1e-5, &out, PK_F32, &rstd, t, c)
      var dx = y
      var dw = w
      (plain ? pk_reference_rms_norm_backward : pk_rms_norm_backward)(
        KernelPathTests.threads, x, w, rstd, y, &dx, &dw, t, c)
      return out + rstd + dx + dw
    }
    agree("layer norm") { plain in
      var out = [Float](repeating: 0, count: t * c)
      var (mean, rstd) = ([Float](repeating: 0, count: t), [Float](repeating: 0, count: t))
      (plain ? pk_reference_layer_norm : pk_layer_norm)(
        KernelPathTests.threads, x, w, y, 1e-5, &out, PK_F32, &mean, &rstd, t, c)
      var (dx, dw, db) = (y, w, w)
      (plain ? pk_reference_layer_norm_backward : pk_layer_norm_backward)(
        KernelPathTests.threads, x, w, mean, rstd, y, &dx, &dw, &db, t, c)
      (plain ? pk_reference_bias_gradient : pk_bias_gradient)(
        KernelPathTests.threads, x, &db, t, c)
      return out + mean + rstd + dx + dw + db
    }
    for activation in [PK_SILU, PK_GELU, PK_GELU_TANH] {
      agree("gate \(activation)") { plain in
        var out = [Float](repeating: 0, count: t * c)
        (plain ? pk_reference_activation_forward : pk_activation_forward)(
          KernelPathTests.threads, activation, x, y, &out, PK_F32, t * c)
        var (gate, up) = (x, y)
        (plain ? pk_reference_activation_backward : pk_activation_backward)(
          KernelPathTests.threads, activation, &gate, &up, out, t * c)
        return out + gate + up
      }
      agree("activation \(activation)") { plain in
        var out = [Float](repeating: 0, count: t * c)
        (plain ? pk_reference_activation_forward : pk_activation_forward)(
          KernelPathTests.threads, activation, x, nil, &out, PK_F32, t * c)
        var gate = x
        (plain ? pk_reference_activation_backward : pk_activation_backward)(
          KernelPathTests.threads, activation, &gate, nil, y, t * c)
        return out + gate
      }
    }
    for l2: Float in [0, 0.02] {
      agree("RMSprop \(l2)") { plain in
        var (p, v) = (x, y.map { $0 * $0 })
        var step = pk_rmsprop_step(lr: 1e-3, alpha: 0.99, eps: 1e-8, l2: l2, gradient_scale: 0.7)
        (plain ? pk_reference_rmsprop : pk_rmsprop)(KernelPathTests.threads, &p, &v, y, t * c, &step)
        return p + v
      }
    }
    agree("Adam with L2") { plain in
      var (p, m, v) = (x, y.map { $0 * 0.1 }, y.map { $0 * $0 })
      var step = pk_adamw_step(
        lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0, l2: 0.02, bias1: 0.19, bias2: 0.002,
        gradient_scale: 0.7)
      (plain ? pk_reference_adamw : pk_adamw)(KernelPathTests.threads, &p, &m, &v, y, t * c, &step)
      return p + m + v
    }
    agree("AdamW") { plain in
      var (p, m, v) = (x, y.map { $0 * 0.1 }, y.map { $0 * $0 })
      var step = pk_adamw_step(
        lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01, l2: 0, bias1: 0.19, bias2: 0.002,
        gradient_scale: 0.7)
      (plain ? pk_reference_adamw : pk_adamw)(KernelPathTests.threads, &p, &m, &v, y, t * c, &step)
      let squares = (plain ? pk_reference_sum_of_squares : pk_sum_of_squares)(
        KernelPathTests.threads, x, t * c)
      let bits = squares.bitPattern
      return p + m + v + [
        Float(bitPattern: UInt32(bits >> 32)), Float(bitPattern: UInt32(truncatingIfNeeded: bits)),
      ]
    }
    agree("rounding") { plain in
      var half = [UInt16](repeating: 0, count: t * c)
      (plain ? pk_reference_store : pk_store)(KernelPathTests.threads, x, &half, PK_BF16, t * c)
      return half.map { Float($0) }
    }
    if c == 0 { return }
    agree("loss") { plain in
      let labels = (0..<Int32(t)).map { $0 % Int32(c) }
      var result = [Float](repeating: 0, count: t)
      (plain ? pk_reference_log_sum_exp : pk_log_sum_exp)(
        KernelPathTests.threads, x, c, t, max(1, c - 3), &result)
      var (logits, lm) = (x, x)
      var (logProbabilities, entropies) = (x, x)
      (plain ? pk_reference_cross_entropy : pk_cross_entropy)(
        KernelPathTests.threads, &logits, t, c, labels, 0.5, &lm)
      (plain ? pk_reference_token_statistics : pk_token_statistics)(
        KernelPathTests.threads, x, t, c, labels, &logProbabilities, &entropies)
      result += logits + lm.prefix(t) + logProbabilities.prefix(t) + entropies.prefix(t)
      for (direction, columns) in [
        (PK_KL_NONE, c), (PK_KL_REFERENCE_POLICY, max(1, c - 3)), (PK_KL_POLICY_REFERENCE, c),
      ] {
        var logits = x
        var (lm, kl, entropy) = (x, x, x)
        (plain ? pk_reference_conditional_loss : pk_conditional_loss)(
          KernelPathTests.threads, &logits, y, t, c, c, columns, labels, direction, 0.3, 0.2, 0.5, &lm, &kl,
          &entropy)
        result += logits + lm.prefix(t) + kl.prefix(t) + entropy.prefix(t)
      }
      return result
    }
  }

  @Test(arguments: [1, 2, 16, 17, 100])
  func `a token's statistics and its cross-entropy are those of the loss without weights`(v: Int) {
    let t = 3
    let x = Self.numbers(t * v, seed: 21)
    let labels = (0..<Int32(t)).map { ($0 * 7) % Int32(v) }
    var (gradient, lm, kl, entropy) = (x, x, x, x)
    pk_conditional_loss(
      KernelPathTests.threads, &gradient, nil, t, v, 0, v, labels, PK_KL_NONE, 0, 0, 0.5, &lm, &kl, &entropy)
    var (logProbabilities, entropies) = (x, x)
    pk_token_statistics(KernelPathTests.threads, x, t, v, labels, &logProbabilities, &entropies)
    #expect(Self.bits(logProbabilities.prefix(t).map { -$0 }) == Self.bits(Array(lm.prefix(t))))
    #expect(Self.bits(Array(entropies.prefix(t))) == Self.bits(Array(entropy.prefix(t))))
    var (logits, losses) = (x, x)
    pk_cross_entropy(KernelPathTests.threads, &logits, t, v, labels, 0.5, &losses)
    #expect(Self.bits(logits) == Self.bits(gradient))
    #expect(Self.bits(Array(losses.prefix(t))) == Self.bits(Array(lm.prefix(t))))
  }

  @Test func `a product without terms is zero, or what was there`() {
    for accumulate: Int32 in [0, 1] {
      let old = Self.numbers(6, seed: 18)
      onEveryPath("no terms", expected: accumulate == 1 ? old : [Float](repeating: 0, count: 6)) {
        var c = old
        pk_gemm(
          KernelPathTests.threads, [UInt8(0)], 0, 1, [UInt8(0)], PK_BF16, &c, 3, 2, 3, [], 0, accumulate, nil)
        return c
      }
    }
  }

  static func stored(_ x: [Float], _ type: pk_type) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: x.count * (type == PK_BF16 ? 2 : 4))
    pk_store(KernelPathTests.threads, x, &bytes, type, x.count)
    return bytes
  }
}

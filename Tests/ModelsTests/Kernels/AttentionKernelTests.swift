// Attention: the bits of its definition, windows and caps, and the slope that its gradient must be.

import CKernels
import Glibc
import Models
import Testing

/// Keys and values of one layer on pages, as the kernels read them.
private final class PagedKeysValues {
  private let memory: UnsafeMutableRawBufferPointer
  private let pages: UnsafeMutableBufferPointer<UnsafeRawPointer?>
  let layout: pk_kv_layout

  /// keys, values: [length, row] of `type`
  init(_ keys: [UInt8], _ values: [UInt8], kvHeads: Int, d: Int, type: pk_type) {
    let rowBytes = kvHeads * d * (type == PK_BF16 ? 2 : 4)
    let half = Int(PK_PAGE) * rowBytes
    let count = (keys.count / rowBytes + Int(PK_PAGE) - 1) / Int(PK_PAGE)
    memory = .allocate(byteCount: max(1, count * 2 * half), alignment: 64)
    pages = .allocate(capacity: max(1, count))
    layout = pk_kv_layout(
      kv_heads: kvHeads, kv_stride: kvHeads * d, key_offset: 0, value_offset: half, type: type)
    for page in 0..<count {
      pages.initializeElement(
        at: page, to: UnsafeRawPointer(memory.baseAddress)?.advanced(by: page * 2 * half))
      let part = page * half..<min((page + 1) * half, keys.count)
      for (offset, byte) in part.enumerated() {
        memory[page * 2 * half + offset] = keys[byte]
        memory[page * 2 * half + half + offset] = values[byte]
      }
    }
  }

  deinit {
    memory.deallocate()
    pages.deallocate()
  }

  /// out and lse of queries at these positions, one after the other.
  func attend(
    _ q: [Float], positions: [Int], heads: Int, d: Int, _ rule: pk_attention_rule, plain: Bool = false
  ) -> [Float] {
    let queries = positions.map { pk_query(pages: pages.baseAddress, position: Int32($0)) }
    var (layout, rule) = (layout, rule)
    var out = [Float](repeating: 0, count: q.count)
    var lse = [Float](repeating: 0, count: positions.count * heads)
    (plain ? pk_reference_attention : pk_attention)(
      KernelPathTests.threads, q, queries, positions.count, heads, d, &layout, &rule, &out, &lse)
    return out + lse
  }
}

extension KernelPathTests {
  @Suite struct AttentionTests {
    static let positions = [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 149]
    static let shapes = [
      (1, 1, 16), (4, 2, 32), (3, 3, 64), (9, 3, 64), (5, 1, 16), (3, 1, 2), (2, 2, 6), (3, 1, 12),
      (1, 1, 20), (3, 1, 80),
      (3, 3, 100), (6, 2, 120), (1, 1, 250), (3, 1, 272), (3, 1, 510), (1, 1, 512),
    ]

    static func rule(window: Int = 0, cap: Float = 0, scale: Float = 0.125) -> pk_attention_rule {
      pk_attention_rule(
        scale: scale, cap: cap, window: Int32(window), cosine: nil, sine: nil, turned: 0, interleaved: 0)
    }
    /// The rules, and one under which queries and keys turn by their positions, of which there are `length`.
    static func withRules(length: Int, d: Int, _ body: ([pk_attention_rule]) -> Void) {
      var (cosine, sine) = (
        [Float](repeating: 0, count: length * d / 2), [Float](repeating: 0, count: length * d / 2)
      )
      pk_rotary_table(10_000, 0, length, d, &cosine, &sine)
      cosine.withUnsafeBufferPointer { cosine in
        sine.withUnsafeBufferPointer { sine in
          var turning = rule(window: 70)
          (turning.cosine, turning.sine) = (cosine.baseAddress, sine.baseAddress)
          body(rules + [turning])
        }
      }
    }
    /// Windows of one key, across a block's edge, of whole blocks, wider than everything.
    static var rules: [pk_attention_rule] {
      [
        rule(), rule(window: 1), rule(window: 37, cap: 0.7), rule(window: 64), rule(window: 65),
        rule(window: 1000), rule(cap: 2),
      ]
    }

    @Test(arguments: shapes)
    func `attention has the bits of its definition`(heads: Int, kvHeads: Int, d: Int) {
      let length = 150
      let q = KernelPathTests.numbers(Self.positions.count * heads * d, seed: 6)
      for type in [PK_F32, PK_BF16] {
        let cache = PagedKeysValues(
          KernelPathTests.stored(KernelPathTests.numbers(length * kvHeads * d, seed: 7), type),
          KernelPathTests.stored(KernelPathTests.numbers(length * kvHeads * d, seed: 8), type),
          kvHeads: kvHeads, d: d, type: type)
        var results: [[Float]] = []
        Self.withRules(length: length, d: d) { rules in
          for rule in rules {
            func attend(plain: Bool) -> [Float] {
              cache.attend(q, positions: Self.positions, heads: heads, d: d, rule, plain: plain)
            }
            results.append(attend(plain: true))
            KernelPathTests().onEveryPath(
              "attention \(heads)/\(kvHeads) of \(d) \(type) \(rule)",
              expected: results[results.count - 1]
            ) {
              attend(plain: false)
            }
          }
        }
        #expect(results[7] != results[0])
        // A window wider than everything is none.
        #expect(results[5] == results[0])
        // Where all scores are 0, the sum of exponentials counts the keys that a query sees.
        let zeros = [Float](repeating: 0, count: q.count)
        for rule in Self.rules {
          let lse = cache.attend(zeros, positions: Self.positions, heads: heads, d: d, rule).dropFirst(
            q.count)
          let window = rule.window == 0 ? length : Int(rule.window)
          let expected = Self.positions.flatMap { [Int](repeating: min($0 + 1, window), count: heads) }
          #expect(lse.map { Int(exp($0).rounded()) } == expected, "\(rule)")
        }
        // A cap bounds scores that are larger without it.
        let bound = 2 + log(Float(length)) + 1e-5
        #expect(results[0].dropFirst(q.count).contains { $0 > bound })
        #expect(results[6].dropFirst(q.count).allSatisfy { $0 <= bound })
      }
    }

    /// Keys that are masked have scores so low that they weigh nothing: an independent way to leave them out.
    @Test(arguments: [1, 2, 63, 64, 65, 100])
    func `a window is exactly what masking gives, and reads nothing before it`(window: Int) {
      let (length, d) = (200, 32)
      let keys = KernelPathTests.numbers(length * d, seed: 7)
      let values = KernelPathTests.numbers(length * d, seed: 8)
      for type in [PK_F32, PK_BF16] {
        for position in [0, 1, 62, 63, 64, 99, 127, 128, 199] {
          let q = KernelPathTests.numbers(d, seed: UInt64(position))
          let hidden = max(0, position + 1 - window)
          let low = (0..<hidden).flatMap { _ in q.map { $0 * -1e30 } }
          func attend(_ keys: [Float], _ values: [Float], _ rule: pk_attention_rule) -> [UInt32] {
            let cache = PagedKeysValues(
              KernelPathTests.stored(keys, type), KernelPathTests.stored(values, type), kvHeads: 1, d: d,
              type: type)
            return KernelPathTests.bits(cache.attend(q, positions: [position], heads: 1, d: d, rule))
          }
          let expected = attend(keys, values, Self.rule(window: window))
          let masked = attend(low + keys.dropFirst(low.count), values, Self.rule())
          #expect(masked == expected, "position \(position) \(type)")
          let nonsense = [Float](repeating: .nan, count: hidden * d)
          let unread = attend(
            nonsense + keys.dropFirst(nonsense.count), nonsense + values.dropFirst(nonsense.count),
            Self.rule(window: window))
          #expect(unread == expected, "position \(position) \(type)")
        }
      }
    }

    @Test(arguments: [
      (1, 1, 16), (4, 2, 32), (3, 1, 64), (5, 1, 16), (3, 1, 2), (2, 2, 6), (6, 2, 12), (1, 1, 20),
      (3, 1, 96), (3, 1, 100),
      (1, 1, 250), (3, 1, 510), (1, 1, 512),
    ])
    func `attention's gradient has the bits of its definition`(heads: Int, kvHeads: Int, d: Int) {
      let starts: [Int32] = [0, 1, 1, 18, 90]
      let t = 90
      for type in [PK_F32, PK_BF16] {
        let q = KernelPathTests.numbers(t * heads * d, seed: 12)
        let keys = KernelPathTests.stored(KernelPathTests.numbers(t * kvHeads * d, seed: 13), type)
        let values = KernelPathTests.stored(KernelPathTests.numbers(t * kvHeads * d, seed: 14), type)
        let out = KernelPathTests.numbers(t * heads * d, seed: 15)
        let dout = KernelPathTests.numbers(t * heads * d, seed: 16)
        let lse = KernelPathTests.numbers(t * heads, seed: 17).map { abs($0) + 5 }
        Self.withRules(length: t, d: d) { rules in
          for var rule in rules {
            func gradients(_ plain: Bool) -> [Float] {
              var dq = [Float](repeating: 0, count: t * heads * d)
              var dk = [Float](repeating: 0, count: t * kvHeads * d)
              var dv = dk
              (plain ? pk_reference_attention_backward : pk_attention_backward)(
                KernelPathTests.threads, q, keys, values, out, lse, dout, starts, starts.count - 1, heads,
                kvHeads, d, type, &rule,
                &dq, &dk, &dv)
              return dq + dk + dv
            }
            _ = pk_select_isa(PK_PORTABLE)
            KernelPathTests().onEveryPath(
              "gradient \(heads)/\(kvHeads) of \(d) \(type) \(rule)", expected: gradients(true)
            ) {
              gradients(false)
            }
          }
        }
      }
    }

    /// The sum of weight * out in Double, for whole sequences; q: [T, H, D], k and v: [T, KV, D].
    private func objective(
      _ q: [Double], _ k: [Double], _ v: [Double], _ weight: [Float], lengths: [Int], heads: Int,
      kvHeads: Int,
      d: Int, _ rule: pk_attention_rule
    ) -> Double {
      var total = 0.0
      var start = 0
      for length in lengths {
        for t in start..<start + length {
          let first = rule.window > 0 ? max(start, t + 1 - Int(rule.window)) : start
          for head in 0..<heads {
            let (row, group) = ((t * heads + head) * d, head / (heads / kvHeads))
            var (sum, weighted) = (0.0, 0.0)
            for j in first...t {
              let key = (j * kvHeads + group) * d
              var (score, value) = (0.0, 0.0)
              for i in 0..<d {
                score += q[row + i] * k[key + i]
                value += Double(weight[row + i]) * v[key + i]
              }
              score *= Double(rule.scale)
              if rule.cap > 0 { score = Double(rule.cap) * tanh(score / Double(rule.cap)) }
              sum += exp(score)
              weighted += exp(score) * value
            }
            total += weighted / sum
          }
        }
        start += length
      }
      return total
    }

    @Test(arguments: [(0, 0), (7, 0), (0, 1.5), (33, 0.8), (64, 2)] as [(Int, Double)], [16, 12])
    func `attention's gradient is the slope of attention`(rule shape: (window: Int, cap: Double), d: Int) {
      let (window, cap) = shape
      var rule = Self.rule(window: window, cap: Float(cap), scale: 0.25)
      let (heads, kvHeads, lengths) = (4, 2, [1, 40, 70])
      let t = lengths.reduce(0, +)
      func smooth(_ count: Int, _ seed: UInt64) -> [Float] {
        let random = Philox(seed: seed)
        return (0..<count).map { Float(random.uniform(row: 0, sample: 0, position: $0) * 4 - 2) }
      }
      let (q, k, v) = (smooth(t * heads * d, 1), smooth(t * kvHeads * d, 2), smooth(t * kvHeads * d, 3))
      let weight = smooth(t * heads * d, 4)
      var (out, lse): ([Float], [Float]) = ([], [])
      var starts: [Int32] = [0]
      for length in lengths {
        let start = Int(starts[starts.count - 1])
        let rows = start * kvHeads * d..<(start + length) * kvHeads * d
        let cache = PagedKeysValues(
          KernelPathTests.stored(Array(k[rows]), PK_F32), KernelPathTests.stored(Array(v[rows]), PK_F32),
          kvHeads: kvHeads, d: d, type: PK_F32)
        let found = cache.attend(
          Array(q[start * heads * d..<(start + length) * heads * d]), positions: Array(0..<length),
          heads: heads,
          d: d, rule)
        out += found.prefix(length * heads * d)
        lse += found.suffix(length * heads)
        starts.append(Int32(start + length))
      }
      var dq = [Float](repeating: 0, count: q.count)
      var (dk, dv) = ([Float](repeating: 0, count: k.count), [Float](repeating: 0, count: v.count))
      pk_attention_backward(
        KernelPathTests.threads, q, k, v, out, lse, weight, starts, lengths.count, heads, kvHeads, d, PK_F32,
        &rule, &dq, &dk, &dv)

      let inputs = [q, k, v].map { $0.map { Double($0) } }
      for (which, gradient) in [dq, dk, dv].enumerated() {
        let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        for seed in 0..<3 as Range<UInt64> {
          let random = Philox(seed: 100 + seed)
          let signs = gradient.indices.map {
            random.uniform(row: 1, sample: 0, position: $0) < 0.5 ? -1.0 : 1
          }
          func value(_ step: Double) -> Double {
            var moved = inputs
            for index in signs.indices { moved[which][index] += step * signs[index] }
            return objective(
              moved[0], moved[1], moved[2], weight, lengths: lengths, heads: heads, kvHeads: kvHeads, d: d,
              rule)
          }
          let slope = (value(1e-5) - value(-1e-5)) / 2e-5
          let claimed = zip(signs, gradient).reduce(0) { $0 + $1.0 * Double($1.1) }
          #expect(abs(slope - claimed) < 1e-5 * norm, "\(["q", "k", "v"][which]): \(slope), not \(claimed)")
        }
      }
    }
  }
}

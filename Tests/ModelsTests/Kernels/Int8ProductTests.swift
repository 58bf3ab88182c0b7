// Products with weights as integers of 8 bits: the bits of their definition on every path, and how near they come.

import CKernels
import Models
import Testing

extension KernelPathTests {
  @Suite struct Int8ProductTests {
    static func blocks(_ k: Int) -> [pk_block] {
      stride(from: 0, to: k, by: 32).map { pk_block(start: $0, length: min(32, k - $0)) }
    }

    /// C = A W^T onto `c`, W [n, k].
    static func product(_ a: [Float], _ w: [Float], onto c: [Float], m: Int, n: Int, accumulate: Int32 = 0)
      -> [Float]
    {
      let k = a.count / m
      let blocks = blocks(k)
      var packed = [UInt8](repeating: 0xff, count: pk_packed_int8_bytes(n, blocks, blocks.count))
      pk_pack_int8(KernelPathTests.threads, w, 1, k, n, blocks, blocks.count, &packed)
      var c = c
      pk_gemm(
        KernelPathTests.threads, KernelPathTests.stored(a, PK_BF16), k, 1, packed, PK_I8, &c, n, m, n, blocks,
        blocks.count,
        accumulate,
        nil
      )
      return c
    }

    @Test(arguments: [
      (1, 1, 1), (1, 16, 32), (1, 49, 96), (2, 17, 33), (5, 15, 31), (6, 16, 64), (7, 48, 65), (13, 33, 7),
      (29, 70, 100), (64, 5, 96), (3, 200, 2), (97, 18, 900),
    ])
    func `a product has the bits of its definition`(m: Int, n: Int, k: Int) {
      let a = KernelPathTests.numbers(m * k, seed: 21)
      var w = KernelPathTests.numbers(n * k, seed: 22)
      // A block of zeros, and one whose scale is too small for a normal number.
      for index in 0..<min(32, k) { w[index] = 0 }
      if n > 1 { for index in k..<k + min(32, k) { w[index] = Float(bitPattern: 0x0080_0100) } }
      let old = KernelPathTests.numbers(m * n, seed: 23)
      let blocks = Self.blocks(k)
      for accumulate: Int32 in [0, 1] {
        var expected = old
        KernelPathTests.stored(a, PK_BF16).withUnsafeBytes {
          pk_reference_gemm_int8(
            KernelPathTests.threads, $0.assumingMemoryBound(to: UInt16.self).baseAddress, k, 1, w, 1, k,
            &expected, n, m, n, blocks,
            blocks.count, accumulate)
        }
        KernelPathTests().onEveryPath("\(m)x\(n)x\(k) accumulate \(accumulate)", expected: expected) {
          Self.product(a, w, onto: old, m: m, n: n, accumulate: accumulate)
        }
      }
    }

    /// The rows of a unit matrix read the weights back.
    private static func readBack(_ w: [Float], n: Int) -> [Float] {
      let k = w.count / n
      let unit = (0..<k * k).map { Float($0 / k == $0 % k ? 1 : 0) }
      let columns = product(unit, w, onto: [Float](repeating: 0, count: k * n), m: k, n: n)
      return (0..<w.count).map { columns[$0 % k * n + $0 / k] }
    }

    @Test func `weights come back within half a step of their block's largest`() {
      let (n, k) = (19, 77)
      let w = KernelPathTests.numbers(n * k, seed: 24)
      let found = Self.readBack(w, n: n)
      #expect(found != w)
      for column in 0..<n {
        for block in Self.blocks(k) {
          let range = column * k + block.start..<column * k + block.start + block.length
          let step = (w[range].map { abs($0) }.max() ?? 0) / 127
          for index in range { #expect(abs(found[index] - w[index]) <= step * 0.500001) }
        }
      }
    }

    /// What GGUF's Q8_0 holds: integers times a scale of 11 bits, the largest of a block 127.
    @Test func `weights that are integers times a scale come back exactly`() {
      let random = Philox(seed: 25)
      let w = (0..<20 * 64).map { index -> Float in
        let scale = Float(1024 + index / 32) * 0x1p-17
        let integer = Int(random.uniform(row: UInt64(index), sample: 0, position: 0) * 255) - 127
        return scale * Float(index % 32 == 7 ? 127 : integer)
      }
      #expect(Self.readBack(w, n: 20) == w)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func `a weight that is not finite is not hidden`(value: Float) {
      var w = KernelPathTests.numbers(3 * 40, seed: 26)
      w[40 + 33] = value
      let sums = Self.product(
        [Float](repeating: 0, count: 40), w, onto: [1, 1, 1], m: 1, n: 3, accumulate: 1)
      #expect(sums[0] == 1 && sums[1].isNaN && sums[2] == 1)
    }
  }
}

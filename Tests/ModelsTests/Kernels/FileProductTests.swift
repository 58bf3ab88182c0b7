// Products with the integers of a file's blocks: the bits of their definition on every path, and how near they come to products of the
// numbers that the blocks stand for.

import CKernels
import Models
import Testing

extension KernelPathTests {
  @Suite struct FileProductTests {
    /// C = A W^T onto `c`, of W's blocks [n, k].
    static func product(
      _ a: [Float], _ format: BlockFormat, _ rows: [UInt8], onto c: [Float], m: Int, n: Int,
      accumulate: Int32 = 0
    ) -> [Float] {
      let (type, k) = (format.kernelType, a.count / m)
      let terms = pk_reduction_terms(type)
      let blocks = stride(from: 0, to: k, by: terms).map { pk_block(start: $0, length: terms) }
      var packed = [UInt8](repeating: 0xff, count: pk_packed_file_bytes(type, n, k))
      pk_pack_file(KernelPathTests.threads, type, rows, nil, 0, n, k, &packed)
      var c = c
      pk_gemm(
        KernelPathTests.threads, KernelPathTests.stored(a, PK_BF16), k, 1, packed, type, &c, n, m, n, blocks,
        blocks.count, accumulate, nil)
      return c
    }

    @Test(
      arguments: BlockFormat.allCases,
      [(1, 1, 1), (1, 33, 2), (2, 17, 1), (5, 16, 3), (13, 49, 1), (29, 70, 2), (97, 18, 4)])
    func `a product has the bits of its definition`(format: BlockFormat, shape: (Int, Int, Int)) {
      let (m, n, k) = (shape.0, shape.1, shape.2 * format.blockLength)
      let a = KernelPathTests.numbers(m * k, seed: 41)
      let rows = format.randomBlocks(n * k, seed: 42)
      let old = KernelPathTests.numbers(m * n, seed: 43)
      for accumulate: Int32 in [0, 1] {
        var expected = old
        KernelPathTests.stored(a, PK_BF16).withUnsafeBytes {
          pk_reference_gemm_file(
            KernelPathTests.threads, $0.assumingMemoryBound(to: UInt16.self).baseAddress, k, 1,
            format.kernelType, rows, &expected, n, m, n, k, accumulate)
        }
        KernelPathTests().onEveryPath(
          "\(format.rawValue) \(m)x\(n)x\(k) accumulate \(accumulate)", expected: expected
        ) {
          Self.product(a, format, rows, onto: old, m: m, n: n, accumulate: accumulate)
        }
      }
    }

    /// One row and among others: another kernel on every path.
    @Test(arguments: BlockFormat.allCases)
    func `a row's result does not depend on the other rows`(format: BlockFormat) {
      let (m, n, k) = (37, 40, 2 * format.blockLength)
      let a = KernelPathTests.numbers(m * k, seed: 44)
      let rows = format.randomBlocks(n * k, seed: 45)
      let zeros = [Float](repeating: 0, count: m * n)
      let together = Self.product(a, format, rows, onto: zeros, m: m, n: n)
      for row in [0, 7, 36] {
        let alone = Self.product(
          Array(a[row * k..<(row + 1) * k]), format, rows, onto: Array(zeros[..<n]), m: 1, n: n)
        #expect(KernelPathTests.bits(alone) == KernelPathTests.bits(Array(together[row * n..<(row + 1) * n])))
      }
    }

    /// The rows of a unit matrix read the weights back: a product with one term that is not zero rounds as decoding does.
    @Test(arguments: BlockFormat.allCases)
    func `weights come back as a file's reader decodes them`(format: BlockFormat) {
      let (n, k) = (19, 256)
      let rows = format.randomBlocks(n * k, seed: 46)
      let weights = format.decoded(rows)
      let unit = (0..<k * k).map { Float($0 / k == $0 % k ? 1 : 0) }
      let columns = Self.product(
        unit, format, rows, onto: [Float](repeating: 0, count: k * n), m: k, n: n)
      #expect((0..<weights.count).map { columns[$0 % k * n + $0 / k] } == weights)
      #expect(Set(weights).count > 400)
    }

    /// A chain of a block has up to 16 additions, their sum one more, and each block adds a scaled sum and perhaps a scaled minimum:
    /// so many roundings, each of at most 2^-24 of what the sizes of all terms add up to.
    private static func tolerance(_ format: BlockFormat, _ k: Int) -> Double {
      Double(17 + 2 * (k / pk_reduction_terms(format.kernelType))) * 0x1p-24
    }

    @Test(arguments: BlockFormat.allCases)
    func `a product is that of the decoded weights within its roundings`(format: BlockFormat) {
      let (m, n, k) = (3, 33, 1024)
      let a = KernelPathTests.numbers(m * k, seed: 47).map { Float(bitPattern: $0.bitPattern & 0xffff_0000) }
      let rows = format.randomBlocks(n * k, seed: 48)
      let weights = format.decoded(rows)
      let found = Self.product(
        a, format, rows, onto: [Float](repeating: 0, count: m * n), m: m, n: n)
      // What a block's terms are multiplied by is at most this much for each: scale * integer and minimum apart.
      for row in 0..<m {
        for column in 0..<n {
          var (sum, size) = (0.0, 0.0)
          for block in stride(from: 0, to: k, by: format.blockLength) {
            let range = column * k + block..<column * k + block + format.blockLength
            let largest = weights[range].reduce(0) { max($0, Double(abs($1))) }
            for index in range {
              let x = Double(a[row * k + index - column * k])
              sum += x * Double(weights[index])
              // Decoding rounds twice, and scale * integer and minimum may cancel: both are within twice the largest weight's.
              size += abs(x) * 2 * largest
            }
          }
          let error = abs(Double(found[row * n + column]) - sum)
          #expect(error <= Self.tolerance(format, k) * size, "\(error) of \(size)")
        }
      }
    }
  }
}

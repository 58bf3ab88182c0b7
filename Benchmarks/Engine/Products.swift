// Matrix products on the model's shapes, beside the peak of fused multiply-adds in registers.

import CKernels
import Models

/// The shapes [N, K] of SmolLM2-135M's products: queries, keys, gate, down, head.
let productShapes = [(576, 576), (192, 576), (1536, 576), (576, 1536), (49152, 576)]
let productRows = [1, 4, 16, 64, 256, 1024]

func measureProducts(threads: [Int]) {
  for count in threads {
    pk_set_threads(Int32(count))
    for (n, k) in productShapes {
      let weights = numbers(n * k, seed: 1)
      let blocks = stride(from: 0, to: k, by: 32).map { pk_block(start: $0, length: min(32, k - $0)) }
      for type in [PK_BF16, PK_F32] {
        var packed = [UInt16](repeating: 0, count: pk_packed_count(n, blocks, blocks.count) * 2)
        pk_pack_f32(weights, 1, k, n, blocks, blocks.count, type, &packed)
        for m in productRows where m * n <= 256 * 49152 {
          let a = numbers(m * k, seed: 2)
          var stored = [UInt16](repeating: 0, count: m * k * 2)
          pk_store(a, &stored, type, m * k)
          var c = [Float](repeating: 0, count: m * n)
          let operations = 2 * Double(m) * Double(n) * Double(k)
          let calls = max(1, Int(4e9 / operations))
          let time = Measurement(runs: 5) {
            for _ in 0..<min(calls, 200) {
              pk_gemm(stored, k, 1, packed, type, &c, n, m, n, blocks, blocks.count, 0)
            }
          }
          let seconds = time.cpu.reduce(.infinity, min) / Double(min(calls, 200))
          report(
            "gemm \(type == PK_BF16 ? "bf16" : "fp32") M=\(m) N=\(n) K=\(k) threads=\(count)",
            [
              ("gflops_per_cpu_second", operations / seconds * 1e-9),
              ("weights_gb_per_cpu_second", Double(n * k * (type == PK_BF16 ? 2 : 4)) / seconds * 1e-9),
              ("wall", time.median / Double(min(calls, 200))),
            ])
        }
      }
    }
  }
}

/// Numbers in (-1, 1), named by a seed.
func numbers(_ count: Int, seed: UInt64) -> [Float] {
  let random = Philox(seed: seed)
  return (0..<count).map { Float(random.uniform(row: 0, sample: 0, position: $0) * 2 - 1) }
}

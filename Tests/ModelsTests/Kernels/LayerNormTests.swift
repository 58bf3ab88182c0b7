// Layer norm against its definition in Double, and its gradients against central differences of that.

import CKernels
import Models
import Testing

@Suite struct LayerNormTests {
  static let epsilon = 1e-5
  static let (rows, columns) = (3, 21)

  /// Between -1 and 1, from a counter.
  private static func numbers(_ count: Int, seed: UInt64) -> [Float] {
    let random = Philox(seed: seed)
    return (0..<count).map { Float(2 * random.uniform(row: 0, sample: 0, position: $0) - 1) }
  }

  private let x = numbers(rows * columns, seed: 70).map { 2 * $0 + 1 }
  private let weight = numbers(columns, seed: 71)
  private let bias = numbers(columns, seed: 72)
  private let dy = numbers(rows * columns, seed: 73)

  private func norm(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> [Double] {
    stride(from: 0, to: x.count, by: Self.columns).flatMap { start -> [Double] in
      let row = x[start..<start + Self.columns]
      let mean = row.reduce(0, +) / Double(Self.columns)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(Self.columns)
      return zip(row, zip(weight, bias)).map {
        ($0 - mean) / (variance + Self.epsilon).squareRoot() * $1.0 + $1.1
      }
    }
  }

  private func doubles(_ x: [Float]) -> [Double] { x.map { Double($0) } }

  private func forward() -> (out: [Float], mean: [Float], rstd: [Float]) {
    var out = x
    var (mean, rstd) = ([Float](repeating: 0, count: Self.rows), [Float](repeating: 0, count: Self.rows))
    pk_layer_norm(
      1, x, weight, bias, Float(Self.epsilon), &out, PK_F32, &mean, &rstd, Self.rows, Self.columns)
    return (out, mean, rstd)
  }

  @Test func `a row is its distance from its mean in standard deviations, times a weight, plus a bias`() {
    let expected = norm(doubles(x), doubles(weight), doubles(bias))
    for (found, expected) in zip(forward().out, expected) {
      #expect(abs(Double(found) - expected) < 1e-5 * max(1, abs(expected)))
    }
  }

  @Test func `gradients are the slopes of the definition in Double`() {
    let (_, mean, rstd) = forward()
    // The gradients are added to what is there.
    var (dx, dw, db) = (
      [Float](repeating: 1, count: x.count), [Float](repeating: 2, count: Self.columns),
      [Float](repeating: 3, count: Self.columns)
    )
    pk_layer_norm_backward(1, x, weight, mean, rstd, dy, &dx, &dw, &db, Self.rows, Self.columns)
    let inputs = [doubles(x), doubles(weight), doubles(bias)]
    for (which, (found, start)) in [(dx, 1.0), (dw, 2.0), (db, 3.0)].enumerated() {
      for index in found.indices {
        func value(_ step: Double) -> Double {
          var moved = inputs
          moved[which][index] += step
          return zip(norm(moved[0], moved[1], moved[2]), doubles(dy)).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let slope = (value(1e-5) - value(-1e-5)) / 2e-5
        #expect(abs(Double(found[index]) - start - slope) < 2e-5 * max(1, abs(slope)), "\(which) at \(index)")
      }
    }
  }

  /// In one pass the squares of numbers far from 0 would take the variance away.
  @Test func `numbers close to each other and far from 0 keep their variance`() {
    let far = (0..<32).map { 10_000 + Float($0 % 2) }
    let (ones, zeros) = ([Float](repeating: 1, count: 32), [Float](repeating: 0, count: 32))
    var out = far
    pk_layer_norm(1, far, ones, zeros, 0, &out, PK_F32, nil, nil, 1, 32)
    #expect(out.allSatisfy { abs(abs($0) - 1) < 1e-6 })
  }
}

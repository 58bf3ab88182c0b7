// Element functions and activations beside the C library's in Double; `make bounds` does all floats. And Philox.

import CKernels
import Glibc
import Models
import Testing

@Suite struct ElementFunctionTests {
  /// One float of some thousands, of every size and sign.
  static let points: [Float] = stride(from: UInt32(0), to: UInt32.max - 9973, by: 9973).map {
    Float(bitPattern: $0)
  }

  /// The largest error in units in the last place of the exact result, where that is not subnormal.
  private func largestError(
    _ x: [Float], _ found: [Float], from low: Float = -.infinity, to high: Float = .infinity,
    _ exact: (Double) -> Double
  ) -> (ulp: Double, at: Float) {
    var worst = (ulp: 0.0, at: Float(0))
    for (x, found) in zip(x, found) where x >= low && x <= high {
      let wanted = exact(x.isSubnormal ? 0 : Double(x))
      if abs(wanted) < Double(Float.leastNormalMagnitude) {
        if abs(found) > Float.leastNormalMagnitude { return (.infinity, x) }
        continue
      }
      if wanted == Double(found) { continue }
      let error = abs(Double(found) - wanted) / scalbn(1, Int32(ilogb(wanted)) - 23)
      if !(error <= worst.ulp) { worst = (error.isNaN ? .infinity : error, x) }
    }
    return worst
  }

  private func map(_ function: pk_function) -> [Float] {
    var out = Self.points
    pk_map(1, function, Self.points, &out, out.count)
    return out
  }

  private func activate(_ function: pk_activation) -> [Float] {
    var out = Self.points
    pk_activation_forward(1, function, Self.points, nil, &out, PK_F32, out.count)
    return out
  }

  /// The bounds of docs/arithmetic.md.
  @Test func `errors are within what is stated`() {
    let x = Self.points
    func geluByTanh(_ x: Double) -> Double {
      x / (1 + exp(-(8 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
    let errors = [
      ("exp", 1.02, largestError(x, map(PK_EXP), from: -87.3, to: 88.3, exp)),
      ("tanh", 1.47, largestError(x, map(PK_TANH), tanh)),
      ("erf", 1.67, largestError(x, map(PK_ERF), erf)),
      ("log", 0.501, largestError(x, x.map { pk_log($0) }, from: .leastNormalMagnitude, log)),
      ("silu", 2.41, largestError(x, activate(PK_SILU), from: -88.3) { $0 / (1 + exp(-$0)) }),
      ("gelu", 7.7, largestError(x, activate(PK_GELU)) { 0.5 * $0 * erfc(-$0 * 0.5.squareRoot()) }),
      ("gelu by tanh", 215, largestError(x, activate(PK_GELU_TANH), from: -10.04276, geluByTanh)),
      ("gelu by tanh from -1", 2.6, largestError(x, activate(PK_GELU_TANH), from: -1, geluByTanh)),
    ]
    for (name, stated, error) in errors {
      #expect(error.ulp <= stated && error.ulp > 0.4, "\(name): \(error.ulp) ulp at \(error.at)")
    }
  }

  @Test func `ends, zeros and what is not a number come out as such`() {
    let subnormal = Float(bitPattern: 0x8000_0123)
    for function in [pk_exp, pk_log, pk_tanh, pk_erf] { #expect(function(.nan).isNaN) }
    #expect(pk_exp(-.infinity) == 0 && pk_exp(-200) == 0 && pk_exp(.infinity) == .infinity && pk_exp(0) == 1)
    #expect(pk_log(1) == 0 && pk_log(0) == -.infinity && pk_log(-subnormal) == -.infinity && pk_log(-1).isNaN)
    for odd in [pk_tanh, pk_erf] {
      #expect(odd(.infinity) == 1 && odd(-.infinity) == -1 && odd(30) == 1)
      #expect(odd(subnormal).bitPattern == 0x8000_0000 && odd(-0.3) == -odd(0.3))
    }
    #expect(Self.points.contains { $0.isSubnormal } && Self.points.contains { $0.isNaN })
  }

  @Test func `an activation is 0 far below, as large as its input far above, and half of it near zero`() {
    let least = Float.leastNormalMagnitude
    let x: [Float] = [
      -.greatestFiniteMagnitude, -100, 0, least * 2, least * 3, least, 100, .infinity, -.infinity,
    ]
    for function in [PK_SILU, PK_GELU, PK_GELU_TANH] {
      var found = x
      pk_activation_forward(1, function, x, nil, &found, PK_F32, x.count)
      // The half of the least normal number is subnormal.
      #expect(Array(found.dropLast()) == [0, 0, 0, least, least * 1.5, 0, 100, .infinity], "\(function)")
      // -infinity over infinity, but where the tail is bounded.
      #expect(function == PK_GELU ? found[8] == 0 : found[8].isNaN, "\(function)")
    }
  }

  @Test func `one number and an array of them give the same bits`() {
    for (function, alone) in [(PK_EXP, pk_exp), (PK_TANH, pk_tanh), (PK_ERF, pk_erf)] {
      let found = map(function)
      let others = Self.points.indices.filter { index in
        let expected = alone(Self.points[index])
        return found[index].bitPattern != expected.bitPattern && !(found[index].isNaN && expected.isNaN)
      }
      #expect(others.isEmpty, "\(others.count), such as at \(others.first.map { Self.points[$0] } ?? 0)")
    }
  }

  /// With s the logistic function of v, the slope is s (1 + x v' (1 - s)), and 1 - s has the rounding of s, at most 2^-24, until
  /// s is 1, where v = 17.3. x v' is then 17.3 for silu, and 36 for gelu by tanh. gelu's slope is a sum of two terms of at most
  /// 1, each good to two units. The central difference in Double is good to 1e-9.
  @Test(arguments: [(PK_SILU, 17.3 * 0x1p-24), (PK_GELU, 4 * 0x1p-24), (PK_GELU_TANH, 36 * 0x1p-24)])
  func `an activation's gradient is its slope`(activation: pk_activation, tolerance: Double) {
    func exact(_ x: Double) -> Double {
      switch activation {
      case PK_SILU: x / (1 + exp(-x))
      case PK_GELU: 0.5 * x * (1 + erf(x * 0.5.squareRoot()))
      default: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      }
    }
    let x = (0..<40_001).map { Float($0 - 20_000) * 0.001 }
    let ones = [Float](repeating: 1, count: x.count)
    let up = x.map { 1.5 - $0 * 0.1 }
    var (gate, value, alone) = (x, up, x)
    pk_activation_backward(1, activation, &gate, &value, ones, x.count)
    pk_activation_backward(1, activation, &alone, nil, ones, x.count)
    // Of the slope, of the slope times what multiplies the activation, of the activation beside it.
    var worst = (alone: 0.0, gate: 0.0, value: 0.0)
    for index in x.indices {
      let at = Double(x[index])
      let slope = (exact(at + 1e-5) - exact(at - 1e-5)) / 2e-5
      worst.alone = max(worst.alone, abs(Double(alone[index]) - slope))
      worst.gate = max(worst.gate, abs(Double(gate[index]) - slope * Double(up[index])))
      worst.value = max(worst.value, abs(Double(value[index]) - exact(at)) / max(abs(exact(at)), 0.1))
    }
    #expect(worst.alone < tolerance + 1e-9 && worst.alone > tolerance / 3)
    // That factor is at most 3.5, and its product is rounded once more. The activation is good to 8 units.
    #expect(worst.gate < tolerance * 3.5 + 0x1p-22 && worst.value < 8 * 0x1p-24, "\(worst)")
  }

  @Test func `Philox gives the published numbers`() {
    // Known answers of the Random123 distribution, kat_vectors, philox4x32 10.
    func block(_ c: [UInt32], _ k: [UInt32]) -> [UInt32] {
      var out: [UInt32] = [0, 0, 0, 0]
      pk_philox(c, k, &out)
      let found = Philox(seed: UInt64(k[0]) | UInt64(k[1]) << 32).block(c[0], c[1], c[2], c[3])
      #expect([found.0, found.1, found.2, found.3] == out, "in Swift and in C")
      return out
    }
    #expect(block([0, 0, 0, 0], [0, 0]) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    let ones = UInt32.max
    #expect(
      block([ones, ones, ones, ones], [ones, ones]) == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    #expect(
      block([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0])
        == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }
}

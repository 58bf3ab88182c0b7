// The angles of rotary positions.

/// Cosine and sine of position times frequency, [positions, R / 2] each, of the first R elements of a head.
package struct RotaryTable: Sendable {
  package let cosine: Tensor
  package let sine: Tensor

  package init(cosine: Tensor, sine: Tensor) {
    self.cosine = cosine
    self.sine = sine
  }

  /// - Parameter known: a table of the same base, whose positions are taken over.
  package init(
    base: Double, positions: Int, dimension: Int, extending known: RotaryTable? = nil,
    on backend: any Backend
  ) {
    cosine = backend.tensor(positions, dimension / 2)
    sine = backend.tensor(positions, dimension / 2)
    let first = known?.positions ?? 0
    if let known {
      backend.copy(known.cosine, into: cosine.slice(0..<first))
      backend.copy(known.sine, into: sine.slice(0..<first))
    }
    backend.rotaryAngles(
      base: base, from: first, cosine: cosine.slice(first..<positions), sine: sine.slice(first..<positions))
  }

  package var positions: Int { cosine.rows }
  /// R
  package var dimension: Int { cosine.columns * 2 }
}

// Standard scores: numbers by how many standard deviations they lie above their mean.

/// The deviation is the population's; where all numbers are equal, each one's score is 0.
struct StandardScore {
  private let mean: Double
  /// Nil where all numbers are equal, whatever the rounding of their mean.
  private let deviation: Double?

  /// Of these numbers; finite.
  init(_ numbers: [Double]) {
    let isSpread = numbers.contains { $0 != numbers[0] }
    let (mean, deviation) = isSpread ? meanAndDeviation(numbers) : (0, 0)
    self.mean = mean
    self.deviation = isSpread ? deviation : nil
  }

  func of(_ number: Double) -> Double { deviation.map { (number - mean) / $0 } ?? 0 }
}

/// Of the population. Divided by the largest one's power of two on the way, which changes no digit, so that no square overflows or
/// vanishes.
func meanAndDeviation(_ numbers: [Double]) -> (mean: Double, deviation: Double) {
  let largest = numbers.reduce(0) { max($0, $1.magnitude) }
  let scale = largest.isNormal ? largest.binade : 1
  let scaled = numbers.map { $0 / scale }
  let count = Double(numbers.count)
  let mean = scaled.reduce(0, +) / count
  let squares = scaled.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (mean * scale, (squares / count).squareRoot() * scale)
}

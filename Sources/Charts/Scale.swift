// From numbers to places on an axis: bounds, and ticks at round numbers.

import Glibc
import System

/// A linear axis from a least to a greatest number, with ticks at multiples of 1, 2 or 5 times a power of ten.
package struct Scale: Sendable, Equatable {
  package let least: Double
  package let most: Double
  package let ticks: [Double]
  /// Decimal places that tell the ticks apart; nil where they are written with an exponent.
  private let places: Int?

  /// - Parameters:
  ///   - values: what has to fit; not finite ones are left out. Of none, and of equal ones, an axis around them.
  ///   - count: about how many ticks.
  package init(_ values: [Double], ticks count: Int) {
    let finite = values.filter(\.isFinite)
    var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    if low == high {
      let half = low == 0 ? 1 : abs(low) / 10
      (low, high) = (low - half, high + half)
    }
    // Between whole numbers, such as iterations, there is nothing.
    let isWhole = !finite.isEmpty && finite.allSatisfy { $0 == $0.rounded() }
    let step = max(isWhole ? 1 : 0, Scale.step(from: low, to: high, count: max(1, count)))
    least = (low / step).rounded(.down) * step
    most = (high / step).rounded(.up) * step
    let first = (least / step).rounded()
    let steps = Int(((most - least) / step).rounded())
    // A multiple of the step, not a sum of steps, which would drift.
    ticks = (0...max(1, steps)).map { (first + Double($0)) * step }
    let exponent = floor(log10(step) + 1e-9)
    let greatest = max(abs(least), abs(most))
    places = greatest >= 1e6 || (greatest < 1e-3 && greatest > 0) ? nil : Int(max(0, -exponent))
  }

  private static func step(from low: Double, to high: Double, count: Int) -> Double {
    let rough = (high - low) / Double(count)
    let power = pow(10, floor(log10(rough)))
    for factor in [1.0, 2, 5] where rough <= factor * power * (1 + 1e-9) { return factor * power }
    return 10 * power
  }

  /// 0 at the least number, 1 at the greatest.
  package func share(_ value: Double) -> Double { (value - least) / (most - least) }

  package func label(_ tick: Double) -> String {
    // The zero of a multiple may be negative.
    let tick = tick == 0 ? 0 : tick
    guard let places else { return TextTable.format("%.2g", tick) }
    return TextTable.format("%.\(places)f", tick)
  }
}

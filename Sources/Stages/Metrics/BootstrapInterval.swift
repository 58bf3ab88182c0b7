// An interval around a mean by resampling: prompts are drawn again, with all of their generations.

import Models

extension ClusteredMean {
  /// The percentile interval of the mean over resamples of the prompts: as many prompts as there are, drawn with replacement, each with all of its
  /// values. Quantiles between two resamples are interpolated linearly.
  ///
  /// The draws depend on the seed, the resample and the prompt's place alone, so that two means over the same prompts are resampled alike.
  ///
  /// Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, section 13.3; quantiles as `numpy.quantile` interpolates them.
  /// - Parameters:
  ///   - level: above 0, below 1.
  ///   - checkpoint: called between resamples.
  /// - Returns: nil where fewer than two prompts have a value.
  /// - Throws: what `checkpoint` throws.
  package func bootstrapInterval(
    level: Double, resamples: Int, seed: UInt64, checkpoint: () throws -> Void = {}
  ) throws -> ClosedRange<Double>? {
    precondition(level > 0 && level < 1 && resamples > 0, "level \(level), \(resamples) resamples")
    guard clusters.count > 1 else { return nil }
    var means: [Double] = []
    means.reserveCapacity(resamples)
    for resample in 0..<resamples {
      try checkpoint()
      means.append(resampledMean(resample, Philox(seed: seed)))
    }
    means.sort()
    let low = quantile(of: means, (1 - level) / 2)
    return low * scale...max(low, quantile(of: means, (1 + level) / 2)) * scale
  }

  /// Divided by `scale`.
  private func resampledMean(_ resample: Int, _ philox: Philox) -> Double {
    var sum = 0.0
    var count = 0
    for start in stride(from: 0, to: clusters.count, by: 4) {
      let words = philox.block(
        UInt32(truncatingIfNeeded: start / 4), UInt32(truncatingIfNeeded: resample), 0,
        RandomPurpose.resamplePrompts.rawValue)
      let left = clusters.count - start
      add(words.0, &sum, &count)
      if left > 1 { add(words.1, &sum, &count) }
      if left > 2 { add(words.2, &sum, &count) }
      if left > 3 { add(words.3, &sum, &count) }
    }
    return sum / Double(count)
  }

  private func add(_ word: UInt32, _ sum: inout Double, _ count: inout Int) {
    let drawn = clusters[Int((UInt64(word) * UInt64(clusters.count)) >> 32)]
    sum += drawn.sum
    count += drawn.count
  }

  private func quantile(of sorted: [Double], _ probability: Double) -> Double {
    let place = probability * Double(sorted.count - 1)
    let below = min(Int(place), sorted.count - 1)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
  }
}

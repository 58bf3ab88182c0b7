// What values a parameter may have, and how likely each is: as it is declared.

import JSON

/// Both ends belong to a distribution. A step makes it a lattice: least, least + step, and so on to most, which has to be one of them.
package enum Distribution: Sendable {
  /// Each as likely as the others; one that is written twice counts once.
  case values([JSON])
  case uniform(Double, Double, step: Double? = nil)
  /// Uniform in the logarithm. On a lattice a number's share is that of the interval from half a step below it to half a step above it, in
  /// logarithms, so that the least number must be more than half a step.
  case logUniform(Double, Double, step: Double? = nil)
  /// Integers of at most 2^53 in size, which is as far as a double counts.
  case integers(Int, Int, step: Int = 1, isLogarithmic: Bool = false)
}

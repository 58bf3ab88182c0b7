// Numbers of a text that are computed with in single precision.

extension Double {
  /// Whether it keeps its meaning as a `Float` where subnormals count as zero: a number other than 0 becomes neither 0 nor
  /// infinite.
  public var fitsSinglePrecision: Bool {
    let size = Float(self).magnitude
    return self == 0 || (size >= .leastNormalMagnitude && size <= .greatestFiniteMagnitude)
  }
}

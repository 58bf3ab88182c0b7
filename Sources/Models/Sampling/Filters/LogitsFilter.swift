// What a filter of logits is: it leaves tokens out before one is drawn.

/// A filter by the name of its option, with the values that it takes. Its kernel, of the same name, is one file in CKernels.
package struct LogitsFilter: Sendable {
  package enum Values: Sendable {
    /// Integers that are exact in single precision.
    case integer(ClosedRange<Int>, standard: Int)
    case number(ClosedRange<Double>, exclusiveMinimum: Bool = false, standard: Double)
  }

  /// `top_k`: the option of `sample`.
  package let name: String
  /// The standard value leaves nothing out.
  package let values: Values
  package let summary: String

  init(_ name: String, _ values: Values, summary: String) {
    self.name = name
    self.values = values
    self.summary = summary
  }

  /// The filter at a value.
  package func callAsFunction(_ value: Float) -> FilterSetting { FilterSetting(filter: name, value: value) }
}

/// In the order in which they apply, each to what the one before left.
package let logitsFilters: [LogitsFilter] = [.topK, .topP, .minP, .typicalP]

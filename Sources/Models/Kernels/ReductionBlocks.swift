// Where the sum of a product over its reduction is cut.

/// The blocks in which a reduction is summed (docs/arithmetic.md): at most 32 terms each.
package struct ReductionBlocks: Sendable {
  package static let length = 32

  /// The terms of each block.
  package let blocks: [Range<Int>]

  /// `count` terms in a row, as in a product over features.
  package init(_ count: Int) { self.init(sequences: [0..<count]) }

  /// Terms that belong to sequences; blocks start afresh at each sequence, so that a sum over tokens does
  /// not depend on which sequences lie side by side.
  package init(sequences: [Range<Int>]) {
    blocks = sequences.flatMap { sequence in
      stride(from: sequence.lowerBound, to: sequence.upperBound, by: Self.length).map {
        $0..<min($0 + Self.length, sequence.upperBound)
      }
    }
  }
}

// The targets of a packed micro-batch, and the chunks in which their outputs exist.

/// Sequences side by side, and the rows of them at which the head is read.
struct PackedTargets {
  let sequences: PackedSequences
  /// Rows of the packed tokens.
  private(set) var rows: [Int32] = []
  private(set) var labels: [Int32] = []
  /// For each sequence, its range among `rows`.
  private var parts: [Range<Int>] = []

  init(_ targets: [TargetSequence]) {
    sequences = PackedSequences(targets.map(\.tokens))
    for (target, range) in zip(targets, sequences.ranges) {
      let first = rows.count
      rows += target.rows.map { Int32(range.lowerBound + $0) }
      labels += target.labels
      parts.append(first..<rows.count)
    }
  }

  /// Rows whose outputs exist together.
  struct Chunk {
    let rows: Range<Int>
    /// The rows of each sequence that are in it, counted from the chunk's first row.
    let sequences: [Range<Int>]
    /// The same in reduction blocks.
    let pieces: [Range<Int>]
  }

  /// Cuts the rows at block boundaries of each sequence, so that the sums over rows do not depend on the cut.
  /// - Parameter limit: rows of outputs that may exist at once.
  func chunks(limit: Int) -> [Chunk] {
    var chunks: [Chunk] = []
    var first = 0
    var sequences: [Range<Int>] = []
    var pieces: [Range<Int>] = []
    var end = 0
    func close() {
      if end > first { chunks.append(Chunk(rows: first..<end, sequences: sequences, pieces: pieces)) }
      (sequences, pieces) = ([], [])
      first = end
    }
    for part in parts {
      for start in stride(from: part.lowerBound, to: part.upperBound, by: ReductionBlocks.length) {
        let stop = min(start + ReductionBlocks.length, part.upperBound)
        if stop - first > limit { close() }
        pieces.append(start - first..<stop - first)
        if start > part.lowerBound, let begun = sequences.popLast() {
          sequences.append(begun.lowerBound..<stop - first)
        } else {
          sequences.append(start - first..<stop - first)
        }
        end = stop
      }
    }
    close()
    return chunks
  }
}

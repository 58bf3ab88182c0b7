// A forward pass over any number of tokens, in pieces, so that its memory does not grow with them.

extension Decoder {
  /// Fills the cache of a batch's sequences, so many tokens at a time, and hands over the residual stream of `rows`,
  /// ascending, as the pieces come: [R, C] with their places among `rows`. The pieces change no bit.
  func forward(
    _ batch: TokenBatch, _ pool: PagePool, rows: [Int32] = [], tokensAtOnce: Int,
    read: (_ places: Range<Int>, _ x: Tensor) -> Void = { _, _ in }
  ) {
    var place = 0
    for piece in batch.pieces(of: tokensAtOnce) {
      let first = place
      while place < rows.count, piece.rows.contains(Int(rows[place])) { place += 1 }
      let x = hidden(
        tokens: piece.batch.tokens, view: piece.batch.view(pool),
        rows: rows[first..<place].map { $0 - Int32(piece.rows.lowerBound) })
      if place > first { read(first..<place, x) }
    }
    precondition(place == rows.count, "\(rows.count - place) rows lie outside the batch or are not ascending")
  }
}

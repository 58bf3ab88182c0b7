// The hashes of many texts, four texts at a time: a step of one waits for the step before, so that one alone takes four times as long.

/// `hash64` of each text.
/// - Parameters:
///   - texts: one behind the other.
///   - ends: where each ends.
package func hash64(texts: UnsafeBufferPointer<UInt8>, endingAt ends: [Int]) -> [UInt64] {
  precondition(ends.last ?? 0 == texts.count, "texts of \(texts.count) bytes that end at \(ends.last ?? 0)")
  var hashes = [UInt64](repeating: TextHash.start, count: ends.count)
  var lanes = (Lane(), Lane(), Lane(), Lane())
  var begun = 0

  /// Gives a lane that is free the next text, after what it had was put away.
  func refill(_ lane: inout Lane) {
    while lane.left == 0 {
      if let text = lane.text { hashes[text] = TextHash.final(lane.hash) }
      guard begun < ends.count else {
        lane.text = nil
        return
      }
      let start = begun == 0 ? 0 : ends[begun - 1]
      lane = Lane(text: begun, hash: TextHash.start, position: start, left: ends[begun] - start)
      begun += 1
    }
  }

  while true {
    refill(&lanes.0)
    refill(&lanes.1)
    refill(&lanes.2)
    refill(&lanes.3)
    let count = min(min(lanes.0.left, lanes.1.left), min(lanes.2.left, lanes.3.left))
    guard count > 0 else { break }
    for offset in 0..<count {
      lanes.0.hash = TextHash.next(lanes.0.hash, texts[lanes.0.position + offset])
      lanes.1.hash = TextHash.next(lanes.1.hash, texts[lanes.1.position + offset])
      lanes.2.hash = TextHash.next(lanes.2.hash, texts[lanes.2.position + offset])
      lanes.3.hash = TextHash.next(lanes.3.hash, texts[lanes.3.position + offset])
    }
    lanes.0.pass(count)
    lanes.1.pass(count)
    lanes.2.pass(count)
    lanes.3.pass(count)
  }
  // Fewer than four texts are left.
  for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
    guard let text = lane.text else { continue }
    hashes[text] = TextHash.final(
      texts[lane.position..<(lane.position + lane.left)].reduce(lane.hash) { TextHash.next($0, $1) })
  }
  return hashes
}

/// A text that is read.
private struct Lane {
  var text: Int?
  var hash = TextHash.start
  var position = 0
  var left = 0

  mutating func pass(_ count: Int) {
    position += count
    left -= count
  }
}

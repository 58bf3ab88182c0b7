// Which neighbours to compute together because they begin alike.

/// Neighbouring sequences and how many of their first tokens are computed once for all of them.
package struct SharedPrefix: Equatable, Sendable {
  package let items: Range<Int>
  package let length: Int

  package init(items: Range<Int>, length: Int) {
    self.items = items
    self.length = length
  }
}

/// How many tokens two sequences have in common at the start, leaving each its last.
func commonLength(_ a: [Int32], _ b: [Int32]) -> Int {
  let limit = min(a.count, b.count) - 1
  var length = 0
  while length < limit, a[length] == b[length] { length += 1 }
  return length
}

/// Cuts sequences, in their order, into groups so that the most tokens are saved by computing the common start of each
/// group once. All begin with `known` tokens that are in the cache already. No group has more tokens to compute than the
/// budget, but for single sequences.
///
/// Shortest paths from cut to cut: a group of n that shares s tokens beyond these saves (n - 1) s.
package func sharedPrefixes(of sequences: [[Int32]], beyond known: Int, tokenBudget: Int) -> [SharedPrefix] {
  let count = sequences.count
  let shared = (0..<max(0, count - 1)).map { commonLength(sequences[$0], sequences[$0 + 1]) }
  // The most that can be saved up to a cut, and the last group of the way there.
  var saved = [0] + [Int](repeating: -1, count: count)
  var groups = [SharedPrefix](repeating: SharedPrefix(items: 0..<0, length: known), count: count + 1)
  for start in 0..<count {
    var length = sequences[start].count - 1
    var tokens = 0
    for end in start + 1...count {
      if end - start > 1 { length = min(length, shared[end - 2]) }
      tokens += sequences[end - 1].count - known
      let alone = end - start == 1
      if !alone, length <= known { break }
      let saving = alone ? 0 : (end - start - 1) * (length - known)
      if !alone, tokens - saving > tokenBudget { break }
      if saved[start] + saving > saved[end] {
        saved[end] = saved[start] + saving
        groups[end] = SharedPrefix(items: start..<end, length: alone ? known : length)
      }
    }
  }
  var result: [SharedPrefix] = []
  var end = count
  while end > 0 {
    result.append(groups[end])
    end = groups[end].items.lowerBound
  }
  return result.reversed()
}

// Byte-pair merging: from the bytes of one piece to token ids.

import System

/// What merges with what, and in which order; spellings are in the byte alphabet.
package struct BytePairModel: TokenModel {
  package static let type = "BPE"

  package let vocabulary: Vocabulary
  /// In rank order; kept for writing.
  let mergedPairs: [(left: Int32, right: Int32)]
  let ignoresMerges: Bool
  /// The token of each single byte; -1 for a byte that the vocabulary does not have.
  private let byteTokens: [Int32]
  private let merges: MergeTable
  /// Whole pieces that are taken as one token without merging, where a tokenizer asks for that (`ignore_merges`).
  private let wholePieces: [[UInt8]: Int32]?

  /// - Parameters:
  ///   - merges: in rank order; of two equal pairs the later counts, as in Hugging Face's reader.
  ///   - ignoreMerges: whether a piece that is a token is taken whole, without merging.
  ///   - mergeLocation: names the merge of an index, for errors.
  /// - Throws: `TokenizerError` when a merge names a token that is not there.
  package init(
    _ vocabulary: Vocabulary, merges: [(left: String, right: String)], ignoreMerges: Bool = false,
    mergeLocation: (Int) -> String = { "merges[\($0)]" }
  ) throws {
    var pairs: [(left: Int32, right: Int32)] = []
    pairs.reserveCapacity(merges.count)
    var table = MergeTable(capacity: merges.count)
    for (rank, merge) in merges.enumerated() {
      func id(_ token: String) throws -> Int32 {
        guard let id = vocabulary[token] else {
          throw TokenizerError(mergeLocation(rank), "the token \(quoted(token)) is not in the vocabulary")
        }
        return id
      }
      let pair = (left: try id(merge.left), right: try id(merge.right))
      pairs.append(pair)
      table[pair.left, pair.right] = MergeTable.Merge(
        rank: Int32(truncatingIfNeeded: rank), result: try id(merge.left + merge.right))
    }
    var wholePieces: [[UInt8]: Int32]?
    if ignoreMerges {
      wholePieces = [:]
      for (index, token) in vocabulary.tokens.enumerated() {
        wholePieces?[ByteAlphabet.decode(token)] = Int32(truncatingIfNeeded: index)
      }
    }
    self.vocabulary = vocabulary
    mergedPairs = pairs
    ignoresMerges = ignoreMerges
    byteTokens = ByteAlphabet.scalars.map { vocabulary[String(Character($0))] ?? -1 }
    self.merges = table
    self.wholePieces = wholePieces
  }

  package var description: String { "byte-level BPE" }
  package var missingByteCount: Int { byteTokens.count { $0 < 0 } }
  package var facts: [String] { ["merges: \(mergedPairs.count)"] }

  package func byteCount(of id: Int32) -> Int { ByteAlphabet.decode(vocabulary.tokens[Int(id)]).count }

  package func encoder() -> PieceEncoder {
    var space = Workspace()
    return { piece, output in encode(piece, &space, into: &output) }
  }

  /// Up to so many bytes, looking at all pairs for the one that merges first takes less time than keeping them in order.
  private static let shortPiece = 40

  /// Appends the tokens of one piece. Bytes without a token are left out, as Hugging Face does for a model without an
  /// unknown token. O(n log n).
  private func encode(
    _ piece: UnsafeBufferPointer<UInt8>, _ space: inout Workspace, into output: inout [Int32]
  ) {
    if let wholePieces, let token = wholePieces[Array(piece)] {
      output.append(token)
    } else if piece.count == 1 {
      if byteTokens[Int(piece[0])] >= 0 { output.append(byteTokens[Int(piece[0])]) }
    } else if piece.count <= Self.shortPiece {
      encodeShort(piece, into: &output)
    } else {
      encodeLong(piece, &space, into: &output)
    }
  }

  private func encodeShort(_ piece: UnsafeBufferPointer<UInt8>, into output: inout [Int32]) {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: piece.count) { tokens in
      withUnsafeTemporaryAllocation(of: MergeTable.Merge.self, capacity: piece.count) { pairs in
        var count = 0
        for byte in piece where byteTokens[Int(byte)] >= 0 {
          tokens.initializeElement(at: count, to: byteTokens[Int(byte)])
          count += 1
        }
        guard count > 0 else { return }
        // The merge of each token with the next one.
        for place in 0..<(count - 1) {
          pairs.initializeElement(at: place, to: merges[tokens[place], tokens[place + 1]])
        }
        while count > 1 {
          // The leftmost of equals merges first.
          var first = 0
          for place in 1..<max(1, count - 1) where pairs[place] < pairs[first] { first = place }
          let merge = pairs[first]
          if merge == .none { break }
          tokens[first] = merge.result
          count -= 1
          for place in (first + 1)..<max(first + 1, count) { tokens[place] = tokens[place + 1] }
          for place in (first + 1)..<max(first + 1, count - 1) { pairs[place] = pairs[place + 1] }
          if first + 1 < count { pairs[first] = merges[merge.result, tokens[first + 1]] }
          if first > 0 { pairs[first - 1] = merges[tokens[first - 1], merge.result] }
        }
        output.append(contentsOf: UnsafeBufferPointer(rebasing: tokens[..<count]))
      }
    }
  }

  /// Reused from piece to piece.
  private struct Workspace {
    var tokens: [Int32] = []
    var next: [Int32] = []
    var previous: [Int32] = []
    var heap = MinimumHeap()
  }

  private func encodeLong(
    _ piece: UnsafeBufferPointer<UInt8>, _ space: inout Workspace, into output: inout [Int32]
  ) {
    space.tokens.removeAll(keepingCapacity: true)
    for byte in piece where byteTokens[Int(byte)] >= 0 { space.tokens.append(byteTokens[Int(byte)]) }
    let count = space.tokens.count
    guard count > 1 else {
      output.append(contentsOf: space.tokens)
      return
    }
    space.next.removeAll(keepingCapacity: true)
    space.previous.removeAll(keepingCapacity: true)
    space.heap.removeAll()
    for position in 0..<Int32(truncatingIfNeeded: count) {
      space.previous.append(position - 1)
      space.next.append(Int(position) + 1 < count ? position + 1 : -1)
    }
    func wait(_ merge: MergeTable.Merge, at position: Int32) {
      if merge != .none { space.heap.insert(entry(merge.rank, position)) }
    }
    for position in 0..<(count - 1) {
      wait(
        merges[space.tokens[position], space.tokens[position + 1]], at: Int32(truncatingIfNeeded: position))
    }
    while let top = space.heap.removeMinimum() {
      let position = Int(top & 0xFFFF_FFFF)
      // Stale when the left token was merged away (-1) or either side has changed since.
      let right = Int(space.next[position])
      guard space.tokens[position] >= 0, right >= 0 else { continue }
      let merge = merges[space.tokens[position], space.tokens[right]]
      guard merge != .none, UInt64(merge.rank) == top >> 32 else { continue }
      space.tokens[position] = merge.result
      space.tokens[right] = -1
      let after = space.next[right]
      space.next[position] = after
      if after >= 0 {
        space.previous[Int(after)] = Int32(truncatingIfNeeded: position)
        wait(merges[merge.result, space.tokens[Int(after)]], at: Int32(truncatingIfNeeded: position))
      }
      let before = space.previous[position]
      if before >= 0 { wait(merges[space.tokens[Int(before)], merge.result], at: before) }
    }
    for token in space.tokens where token >= 0 { output.append(token) }
  }

  /// Orders by rank, then by position: the leftmost of equals merges first.
  private func entry(_ rank: UInt32, _ position: Int32) -> UInt64 {
    UInt64(rank) << 32 | UInt64(UInt32(bitPattern: position))
  }
}

/// A binary heap of integers, smallest first.
struct MinimumHeap {
  private var items: [UInt64] = []

  mutating func removeAll() { items.removeAll(keepingCapacity: true) }

  mutating func insert(_ item: UInt64) {
    items.append(item)
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard items[child] < items[parent] else { break }
      items.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeMinimum() -> UInt64? {
    guard let last = items.popLast() else { return nil }
    guard let minimum = items.first else { return last }
    items[0] = last
    var parent = 0
    while true {
      let left = 2 * parent + 1
      guard left < items.count else { break }
      let right = left + 1
      let child = right < items.count && items[right] < items[left] ? right : left
      guard items[child] < items[parent] else { break }
      items.swapAt(child, parent)
      parent = child
    }
    return minimum
  }
}

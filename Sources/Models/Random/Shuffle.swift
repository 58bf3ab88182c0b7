// Seeded orders: a shuffle is a sort by a random number that belongs to each element alone.

/// What a random number is used for: equal seeds and ids must not give equal numbers in two places of one stage.
package enum RandomPurpose: UInt32 {
  case shuffleRows = 1
  case drawWithReplacement = 2
  case pickSamples = 3
  case dropSamples = 4
  case askAgain = 5
  case drawExemplar = 6
  case resamplePrompts = 11
  case orderReplies = 12
  case askServer = 13
}

/// The 64-bit random number of one element of one row. Depends on the seed, the purpose, the row's id and the
/// element, and on nothing else: not on what stands beside it.
package func randomNumber(seed: UInt64, _ purpose: RandomPurpose, id: String, element: Int) -> UInt64 {
  let hash = hash64(id)
  let block = Philox(seed: seed).block(
    UInt32(truncatingIfNeeded: hash), UInt32(truncatingIfNeeded: hash >> 32),
    UInt32(truncatingIfNeeded: element), purpose.rawValue)
  return UInt64(block.0) << 32 | UInt64(block.1)
}

/// The places of rows in random order. Rows whose numbers agree are in the order of their ids' bytes, so that the result
/// does not depend on the order they came in.
/// - Parameter epoch: which of the orders that belong to the seed.
package func shuffledOrder(_ ids: [String], seed: UInt64, epoch: Int = 0) -> [Int] {
  let numbers = ids.map { randomNumber(seed: seed, .shuffleRows, id: $0, element: epoch) }
  return ids.indices.sorted {
    numbers[$0] != numbers[$1]
      ? numbers[$0] < numbers[$1] : ids[$0].utf8.lexicographicallyPrecedes(ids[$1].utf8)
  }
}

/// The given elements of one row in random order. Elements whose numbers agree keep their order.
package func shuffled(_ elements: [Int], seed: UInt64, _ purpose: RandomPurpose, id: String) -> [Int] {
  elements.map { (number: randomNumber(seed: seed, purpose, id: id, element: $0), element: $0) }
    .sorted { ($0.number, $0.element) < ($1.number, $1.element) }
    .map(\.element)
}

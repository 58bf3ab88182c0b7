// Seeded orders: a shuffle is a sort by a random number that belongs to each element alone.

import Models

/// What a random number is used for: equal seeds and ids must not give equal numbers in two places.
enum RandomPurpose: UInt32 {
  case shuffleRows = 1
  case drawWithReplacement = 2
  case pickSamples = 3
  case dropSamples = 4
}

/// The 64-bit random number of one element of one row. Depends on the seed, the purpose, the row's id and the
/// element, and on nothing else: not on what stands beside it.
func randomNumber(seed: UInt64, _ purpose: RandomPurpose, id: String, element: Int) -> UInt64 {
  let hash = hash64(id)
  let block = Philox(seed: seed).block(
    UInt32(truncatingIfNeeded: hash), UInt32(truncatingIfNeeded: hash >> 32),
    UInt32(truncatingIfNeeded: element), purpose.rawValue)
  return UInt64(block.0) << 32 | UInt64(block.1)
}

/// The given elements of one row in random order. Elements whose numbers agree keep their order.
func shuffled(_ elements: [Int], seed: UInt64, _ purpose: RandomPurpose, id: String) -> [Int] {
  elements.map { (number: randomNumber(seed: seed, purpose, id: id, element: $0), element: $0) }
    .sorted { ($0.number, $0.element) < ($1.number, $1.element) }
    .map(\.element)
}

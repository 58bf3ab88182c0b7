// The random numbers of a search: each one is a function of the seed, the trial, a name and an element alone.

import System

/// A number in [0, 1): the first 53 bits of the SHA-256 of seed, trial, name and element, each on a line of its own, as a fraction. In Python
/// `(int.from_bytes(sha256(f"{seed}\n{trial}\n{name}\n{element}".encode()).digest()[:8], "big") >> 11) / 2**53`. There is no
/// generator and so no state: what one trial draws changes nothing for another.
package enum UnitNumber {
  package static func at(seed: Int, trial: Int, name: String, element: Int) -> Double {
    let digits = Digest.of(text: "\(seed)\n\(trial)\n\(name)\n\(element)").hex.prefix(16)
    return Double((UInt64(digits, radix: 16) ?? 0) >> 11) * 0x1p-53
  }
}

// Numbers for what records hold, whatever the order of their members.

import JSON
import Models

struct ContentHashes {
  /// The canonical texts of the values that were added, and where each ends.
  private var texts: [UInt8] = []
  private var ends: [Int] = []

  mutating func add(_ value: JSON) {
    value.write(to: &texts, .canonical)
    ends.append(texts.count)
  }

  /// A value whose canonical text `write` appends.
  mutating func add(_ write: (inout [UInt8]) -> Void) {
    write(&texts)
    ends.append(texts.count)
  }

  /// Of what was added since the last call.
  mutating func take() -> [UInt64] {
    defer {
      texts.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
    }
    return texts.withUnsafeBufferPointer { hash64(texts: $0, endingAt: ends) }
  }
}

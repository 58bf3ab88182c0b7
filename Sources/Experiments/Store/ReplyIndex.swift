// Where in a journal's files each entry lies, by the first 64 bits of its key: 16 bytes a place, and no entry is read for it.

/// A table with open addressing. Several entries may share their first bits, and one key may stand in several files: whoever looks
/// up reads each place.
struct ReplyIndex {
  struct Place: Equatable {
    let file: Int
    let offset: Int
  }

  private(set) var count = 0
  private var slots: [Slot]

  /// `place` is the file's number in the upper 20 bits, the offset in the lower 44; all ones of a free slot.
  private struct Slot {
    var bits: UInt64
    var place: UInt64
    static let free = Slot(bits: 0, place: .max)
  }

  private static let offsetBits: UInt64 = 44

  init() { slots = Array(repeating: Slot.free, count: 1024) }

  mutating func insert(_ bits: UInt64, _ place: Place) {
    // What lies beyond 16 TiB, or in the millionth file, is as if it were not there.
    guard place.file < 1 << 20 - 1, place.offset < 1 << Int(Self.offsetBits) else { return }
    if count * 2 >= slots.count { grow() }
    put(Slot(bits: bits, place: UInt64(place.file) << Self.offsetBits | UInt64(place.offset)), in: &slots)
    count += 1
  }

  /// In no order.
  func places(of bits: UInt64) -> [Place] {
    var places: [Place] = []
    var index = start(bits, slots.count)
    while slots[index].place != .max {
      if slots[index].bits == bits {
        places.append(
          Place(
            file: Int(slots[index].place >> Self.offsetBits),
            offset: Int(slots[index].place & (1 << Self.offsetBits - 1))))
      }
      index = (index + 1) & (slots.count - 1)
    }
    return places
  }

  /// The key is a digest: its bits need no further mixing.
  private func start(_ bits: UInt64, _ count: Int) -> Int { Int(truncatingIfNeeded: bits) & (count - 1) }

  private func put(_ slot: Slot, in slots: inout [Slot]) {
    var index = start(slot.bits, slots.count)
    while slots[index].place != .max { index = (index + 1) & (slots.count - 1) }
    slots[index] = slot
  }

  private mutating func grow() {
    var larger = Array(repeating: Slot.free, count: slots.count * 2)
    for slot in slots where slot.place != .max { put(slot, in: &larger) }
    slots = larger
  }
}

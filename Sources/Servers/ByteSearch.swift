// A piece of memory inside another.

import Glibc

extension UnsafeRawBufferPointer {
  /// Where `wanted` first stands from `start` on; nil where it is empty.
  func firstRange(of wanted: UnsafeRawBufferPointer, from start: Int) -> Range<Int>? {
    guard let base = baseAddress, let needle = wanted.baseAddress, !wanted.isEmpty, start <= count else {
      return nil
    }
    var position = start
    while count - position >= wanted.count {
      guard let found = memchr(base + position, Int32(needle.load(as: UInt8.self)), count - position) else {
        return nil
      }
      position = UnsafeRawPointer(found) - base
      guard count - position >= wanted.count else { return nil }
      if memcmp(base + position, needle, wanted.count) == 0 { return position..<(position + wanted.count) }
      position += 1
    }
    return nil
  }
}

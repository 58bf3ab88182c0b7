// Memory in huge pages, where the system has them: a gigabyte in pages of 4 KiB costs a second of faults.

import Glibc
import Synchronization

/// Slabs that buffers share which are less than two huge pages long. One for the process, as the system's memory is; any thread may
/// call it. What is given back is used again; a slab goes back to the system when all of it was given back.
package final class HugePages: Sendable {
  static let shared = HugePages()
  package static let size = 2 << 20

  /// Buffers start at multiples of this.
  private static let grain = 128

  private struct Slab {
    let start: UInt
    /// Offsets in ascending order, none beside another.
    var free: [Range<Int>]
    /// From here on the system's zeros are untouched.
    var fresh = 0
  }

  private let slabBytes: Int
  private let slabs = Mutex<[Slab]>([])

  /// - Parameter slabBytes: a multiple of `size`, at least what a buffer takes.
  package init(slabBytes: Int = 16 * size) { self.slabBytes = slabBytes }

  /// Zeros, given back by `release`.
  package func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let length = Self.length(byteCount)
    precondition(length <= slabBytes, "\(byteCount) bytes of a slab of \(slabBytes)")
    let (address, used) = slabs.withLock { slabs in
      for index in slabs.indices {
        if let place = Self.take(length, of: &slabs[index]) { return place }
      }
      let memory = Self.map(slabBytes)
      slabs.append(
        Slab(start: UInt(bitPattern: memory.baseAddress), free: [length..<slabBytes], fresh: length))
      return (UInt(bitPattern: memory.baseAddress), 0)
    }
    guard let pointer = UnsafeMutableRawPointer(bitPattern: address) else {
      preconditionFailure("a slab at 0")
    }
    memset(pointer, 0, used)
    return pointer
  }

  /// - Parameter byteCount: what was asked for.
  package func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    let (address, length) = (UInt(bitPattern: pointer), Self.length(byteCount))
    slabs.withLock { slabs in
      guard
        let index = slabs.firstIndex(where: { address >= $0.start && address < $0.start + UInt(slabBytes) })
      else { preconditionFailure("memory of no slab is given back") }
      let offset = Int(address - slabs[index].start)
      Self.join(offset..<offset + length, to: &slabs[index].free)
      guard slabs[index].free == [0..<slabBytes] else { return }
      munmap(UnsafeMutableRawPointer(bitPattern: slabs.remove(at: index).start), slabBytes)
    }
  }

  /// Slabs that are held.
  package var slabCount: Int { slabs.withLock { $0.count } }

  private static func length(_ byteCount: Int) -> Int { (max(byteCount, 1) + grain - 1) / grain * grain }

  /// Of the first free range that is long enough: where it starts, and how many of its bytes were used before.
  private static func take(_ length: Int, of slab: inout Slab) -> (address: UInt, used: Int)? {
    guard let index = slab.free.firstIndex(where: { $0.count >= length }) else { return nil }
    let range = slab.free[index].prefix(length)
    slab.free[index] = range.upperBound..<slab.free[index].upperBound
    if slab.free[index].isEmpty { slab.free.remove(at: index) }
    let used = max(0, min(range.upperBound, slab.fresh) - range.lowerBound)
    slab.fresh = max(slab.fresh, range.upperBound)
    return (slab.start + UInt(range.lowerBound), used)
  }

  /// Adds a range, as one with those beside it.
  private static func join(_ range: Range<Int>, to free: inout [Range<Int>]) {
    var range = range
    var index = free.firstIndex { $0.lowerBound >= range.upperBound } ?? free.count
    if index < free.count, free[index].lowerBound == range.upperBound {
      range = range.lowerBound..<free.remove(at: index).upperBound
    }
    if index > 0, free[index - 1].upperBound == range.lowerBound {
      index -= 1
      range = free.remove(at: index).lowerBound..<range.upperBound
    }
    free.insert(range, at: index)
  }

  /// Fresh memory in whole huge pages.
  static func map(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    let count = (byteCount + size - 1) / size * size
    guard let base = mmap(nil, count + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else { preconditionFailure("no memory for \(byteCount) bytes: \(String(cString: strerror(errno)))") }
    let start = base.alignedUp(toMultipleOf: size)
    if start > base { munmap(base, start - base) }
    munmap(start + count, base + size - start)
    madvise(start, count, MADV_HUGEPAGE)  // a wish; refusing it changes only the time
    return UnsafeMutableRawBufferPointer(start: start, count: count)
  }

  static func unmap(_ memory: UnsafeMutableRawBufferPointer) { munmap(memory.baseAddress, memory.count) }
}

// Memory of many buffers in few huge pages: no two share a byte, all are zeros at first, and slabs without users go.

import Glibc
import Models
import Testing

@Suite struct HugePagesTests {
  private struct Piece {
    let memory: UnsafeMutableRawBufferPointer
    let mark: UInt8
  }

  private static func isFull(_ memory: UnsafeMutableRawBufferPointer, of mark: UInt8) -> Bool {
    Array(memory) == Array(repeating: mark, count: memory.count)
  }

  @Test func piecesAreApartAndZeros() throws {
    let pages = HugePages(slabBytes: HugePages.size)
    let philox = Philox(seed: 1)
    var held: [Piece] = []
    for round in 0..<400 {
      let (choice, size, place, _) = philox.block(UInt32(round), 0, 0, 0)
      if round < 200 || held.isEmpty || choice % 3 == 0 {
        let count = Int(size % 400_000) + 1
        let memory = UnsafeMutableRawBufferPointer(start: pages.allocate(count), count: count)
        #expect(Self.isFull(memory, of: 0), "round \(round)")
        let mark = UInt8(round % 255 + 1)
        memset(try #require(memory.baseAddress), Int32(mark), count)
        held.append(Piece(memory: memory, mark: mark))
      } else {
        let piece = held.remove(at: Int(place) % held.count)
        #expect(Self.isFull(piece.memory, of: piece.mark), "round \(round)")
        pages.release(try #require(piece.memory.baseAddress), piece.memory.count)
      }
    }
    #expect(pages.slabCount > 1)
    for piece in held {
      #expect(Self.isFull(piece.memory, of: piece.mark))
      pages.release(try #require(piece.memory.baseAddress), piece.memory.count)
    }
    #expect(pages.slabCount == 0)
  }

  @Test func whatIsGivenBackIsUsedAgain() {
    let pages = HugePages(slabBytes: HugePages.size)
    let pieces = (0..<4).map { _ in pages.allocate(HugePages.size / 4) }
    for index in [2, 0, 1] { pages.release(pieces[index], HugePages.size / 4) }
    let joined = pages.allocate(3 * HugePages.size / 4)
    #expect(joined == pieces[0])
    #expect(pages.slabCount == 1)
    pages.release(joined, 3 * HugePages.size / 4)
    pages.release(pieces[3], HugePages.size / 4)
    #expect(pages.slabCount == 0)
  }

  /// A slab, a mapping of its own, and the heap.
  @Test(arguments: [0, 1, 63 << 10, 64 << 10, 1 << 20, 4 << 20, (4 << 20) + 1])
  func buffersAreZerosOfTheirSize(
    byteCount: Int
  ) {
    let buffer = CPUBackend(threads: 1).allocate(byteCount: byteCount)
    buffer.withHostRead(0..<byteCount) { bytes in
      #expect(bytes.count == byteCount)
      #expect(bytes.allSatisfy { $0 == 0 })
    }
  }
}

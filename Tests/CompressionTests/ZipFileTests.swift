// One member of a zip archive: found, unpacked, and refused where the archive is damaged.

import CompressedData
import Compression
import System
import TestFolder
import Testing

@Suite struct ZipFileTests {
  private let folder = TemporaryFolder()

  /// Nil where there is no such member.
  private func extract(_ name: String, from bytes: [UInt8]) throws -> [UInt8]? {
    try folder.write(bytes, to: "a.zip")
    let target = "\(folder.path)/out"
    try? File.remove(target)
    return try ZipFile("\(folder.path)/a.zip").extract(name, to: target) ? File.read(target) : nil
  }

  private let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 8) }

  @Test(arguments: [false, true], [false, true])
  func `a member is unpacked to its bytes`(isDeflated: Bool, isZip64: Bool) throws {
    let all: [(String, [UInt8])] = [("a/x", [1, 2, 3]), ("a/large", large), ("empty", []), ("a", [9])]
    let bytes = zipArchive(
      all.map { ZipEntry(name: $0.0, data: $0.1, isDeflated: isDeflated, isZip64: isZip64) },
      comment: "PK\u{5}\u{6}")
    for (name, data) in all { #expect(try extract(name, from: bytes) == data) }
    #expect(try extract("none", from: bytes) == nil)
    #expect(try extract("a/", from: bytes) == nil)
  }

  @Test func `of two with one name the last counts`() throws {
    let bytes = zipArchive([ZipEntry(name: "x", data: [1]), ZipEntry(name: "x", data: [2])])
    #expect(try extract("x", from: bytes) == [2])
  }

  @Test func `what is damaged or not read is refused, and said`() throws {
    func problem(_ bytes: [UInt8]) -> String {
      do {
        _ = try extract("x", from: bytes)
        return "taken"
      } catch let error as CompressionError {
        return error.problem
      } catch { return "another error: \(error)" }
    }
    let right = zipArchive([ZipEntry(name: "x", data: Array(large.prefix(10_000)))])
    #expect(problem(right) == "taken")
    #expect(problem([]).contains("no zip archive"))
    #expect(problem(Array(right.dropLast(30))).contains("no zip archive"))
    #expect(problem(Array(right.dropFirst(5))) != "taken")
    var flipped = right
    flipped[2000] ^= 1
    #expect(
      ["a member is damaged", "other bytes", "ends before", "more bytes"].contains {
        problem(flipped).contains($0)
      })
    #expect(
      problem(zipArchive([ZipEntry(name: "x", data: [1], isDeflated: false, flags: 1)])).contains("encrypted")
    )
    for size in [9999, 10_001] {
      let lying = zipArchive([ZipEntry(name: "x", data: Array(large.prefix(10_000)), size: size)])
      #expect(problem(lying).contains(size < 10_000 ? "more bytes" : "other bytes"))
    }
    // 100 MB of zeros in 100 kB.
    let bomb = zipArchive([ZipEntry(name: "x", data: [UInt8](repeating: 0, count: 100 << 20))])
    #expect(problem(bomb).contains("expands to more than"))
  }

  @Test func `no byte of an archive can end the process`() throws {
    let right = zipArchive([
      ZipEntry(name: "x", data: [1, 2, 3], isZip64: true), ZipEntry(name: "y", data: [4]),
    ])
    for index in right.indices {
      for value: UInt8 in [0, 0x7F, 0xFF] where right[index] != value {
        var bytes = right
        bytes[index] = value
        do { _ = try extract("x", from: bytes) } catch is CompressionError {}
      }
      do { _ = try extract("x", from: Array(right[..<index])) } catch is CompressionError {}
    }
  }
}

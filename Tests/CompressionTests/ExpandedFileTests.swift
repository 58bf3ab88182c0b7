// Files that are compressed as a whole, right, cut and damaged.

import CompressedData
import Compression
import System
import TestFolder
import Testing

private let codecs: [(name: String, compress: @Sendable ([UInt8]) -> [UInt8])] = [
  ("gzip", CompressedData.gzip), ("zstd", CompressedData.zstd),
]

/// Bytes that compress by a half.
private func content(_ count: Int) -> [UInt8] {
  var state: UInt64 = 1
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: 0x61 + (state >> 60))
  }
}

@Suite struct ExpandedFileTests {
  private let folder = TemporaryFolder()

  /// Nil for a file that is not compressed.
  private func expanded(_ bytes: [UInt8], blockSize: Int = 1000) throws -> [UInt8]? {
    let file = try UserFile(try folder.file("data", bytes))
    let start = try [UInt8](unsafeUninitializedCapacity: min(ExpandedFile.startLength, file.size)) {
      $1 = try file.read(into: UnsafeMutableRawBufferPointer($0))
    }
    guard let expanded = try ExpandedFile(file, start: start) else { return nil }
    var content: [UInt8] = []
    while true {
      let block = try [UInt8](unsafeUninitializedCapacity: blockSize) {
        $1 = try expanded.read(into: UnsafeMutableRawBufferPointer($0))
      }
      content += block
      if block.count < blockSize {
        #expect(expanded.isAtEnd && expanded.position == bytes.count)
        return content
      }
    }
  }

  private func problem(_ bytes: [UInt8]) -> String {
    do {
      _ = try expanded(bytes)
      return "none"
    } catch {
      return "\(error)".split(separator: "/").last.map(String.init) ?? ""
    }
  }

  @Test(arguments: [0, 1]) func `parts one behind the other are one content, whatever the size of blocks`(
    _ codec: Int
  ) throws {
    let compress = codecs[codec].compress
    let parts = [content(200_000), [], content(1), content(70_000)]
    let bytes = parts.flatMap(compress)
    for blockSize in [1, 4096, 200_000, 270_001, 270_002, 1 << 20] {
      #expect(try expanded(bytes, blockSize: blockSize) == parts.flatMap { $0 })
    }
    #expect(try expanded(compress([])) == [])
  }

  @Test(arguments: [0, 1]) func `a file that was cut says so, unless a part ends there`(_ codec: Int) throws {
    let (name, compress) = codecs[codec]
    let first = compress(content(3000))
    let bytes = first + compress(content(10))
    for length in ExpandedFile.startLength..<bytes.count {
      guard length != first.count else { continue }
      #expect(
        problem(Array(bytes[..<length]))
          == "data: at byte \(length) of the file: \(name) data end before they are complete: the file was cut"
      )
    }
    #expect(try expanded(first) == content(3000))
  }

  @Test(arguments: [0, 1]) func `a damaged byte is an error, or changes nothing`(_ codec: Int) throws {
    let (name, compress) = codecs[codec]
    let content = content(300)
    let bytes = compress(content)
    var errors = 0
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0x10
      do {
        if let found = try expanded(damaged) { #expect(found == content, "byte \(index)") }
      } catch let error as CompressionError {
        errors += 1
        #expect(error.problem.hasPrefix("\(name) data "), "\(error)")
      }
    }
    #expect(errors > bytes.count - 12)
  }

  @Test func `what follows gzip data is gzip data or zeros`() throws {
    let bytes = CompressedData.gzip(content(100))
    #expect(try expanded(bytes + [UInt8](repeating: 0, count: 512)) == content(100))
    #expect(
      problem(bytes + Array("text".utf8))
        == "data: at byte \(bytes.count) of the file: gzip data are damaged: incorrect header check")
    let frame = CompressedData.zstd(content(100))
    #expect(
      problem(frame + Array("text".utf8))
        == "data: at byte \(frame.count) of the file: zstd data are damaged or not read: Unknown frame descriptor"
    )
    // A frame that is there to be skipped: its magic, its length, its bytes.
    let skipped: [UInt8] = [0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
    #expect(try expanded(skipped + frame + skipped) == content(100))
  }

  @Test(arguments: [0, 1]) func `what a file expands to is bounded`(_ codec: Int) throws {
    let bytes = codecs[codec].compress([UInt8](repeating: 0, count: (64 << 20) + 1))
    #expect(
      problem(bytes).hasSuffix(
        "the file expands to more than 67108864 bytes, the limit for its size (256 times as much, and 67108864 in any case); "
          + "decompress the file: one that is not compressed has no limit"))
    #expect(
      try expanded(codecs[codec].compress([UInt8](repeating: 0, count: 64 << 20)), blockSize: 1 << 20)?.count
        == 64 << 20)
  }

  @Test func `after an error nothing more is expanded`() throws {
    let good = CompressedData.gzip(content(10))
    let file = try UserFile(try folder.file("data", good + Array("text, and more".utf8) + good))
    let start = try [UInt8](unsafeUninitializedCapacity: ExpandedFile.startLength) {
      $1 = try file.read(into: UnsafeMutableRawBufferPointer($0))
    }
    let expanded = try #require(try ExpandedFile(file, start: start))
    for _ in 0..<3 {
      let error = #expect(throws: CompressionError.self) {
        _ = try [UInt8](unsafeUninitializedCapacity: 4096) {
          $1 = try expanded.read(into: UnsafeMutableRawBufferPointer($0))
        }
      }
      #expect(error?.offset == good.count && !expanded.isAtEnd)
    }
  }

  @Test func `other ways are refused by name, and what is not compressed is left alone`() throws {
    let starts: [(String, [UInt8])] = [
      ("bzip2", Array("BZh91AY&SY".utf8)), ("xz", [0xFD] + Array("7zXZ".utf8) + [0, 0]),
      ("zip", Array("PK\u{3}\u{4}....".utf8)), ("lz4", [0x04, 0x22, 0x4D, 0x18, 0, 0]),
    ]
    for (name, start) in starts {
      #expect(
        problem(start)
          == "data: at byte 0 of the file: \(name) data, which are not read; decompress the file, or compress it with gzip or zstd"
      )
    }
    for text in ["", "{", "BZh, a name", "PK"] { #expect(try expanded(Array(text.utf8)) == nil) }
    #expect(try expanded([0x1F, 0x8B]) == nil)
  }
}

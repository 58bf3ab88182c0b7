// SHA-256: the names of contents and of computations. The one file that imports Crypto.

import Crypto
import Glibc

/// A SHA-256 digest.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// 32 bytes.
  package let bytes: [UInt8]

  /// Nil unless `hex` is 64 hexadecimal digits.
  package init?(hex: String) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    var high: UInt8?
    for character in hex.utf8 {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
      if bytes.count > 32 { return nil }
    }
    guard high == nil, bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  fileprivate init(_ digest: SHA256.Digest) { bytes = Array(digest) }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(64)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  package var description: String { hex }

  package static func of(_ bytes: [UInt8]) -> Digest { Digest(SHA256.hash(data: bytes)) }

  package static func sha256(_ bytes: [UInt8]) -> Digest { of(bytes) }

  package static func of(text: String) -> Digest { of(Array(text.utf8)) }

  /// Digest and size of a file, read by 1 MiB pieces.
  /// - Throws: `FileReadError`.
  package static func ofFile(_ path: String) throws -> (digest: Digest, size: Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileReadError(path: path, errno: errno) }
    defer { close(descriptor) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    let stream = DigestStream()
    var size = 0
    while true {
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw FileReadError(path: path, errno: errno)
      }
      if count == 0 { break }
      stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      size += count
    }
    return (stream.finish(), size)
  }
}

/// SHA-256 of bytes that come piece by piece.
package final class DigestStream {
  private var state = SHA256()
  package init() {}
  package func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }
  package func finish() -> Digest { Digest(state.finalize()) }
}

/// A file could not be read.
package struct FileReadError: Error, Sendable, CustomStringConvertible {
  package let path: String
  package let errno: Int32
  package init(path: String, errno: Int32) {
    self.path = path
    self.errno = errno
  }
  /// `no such file or directory`
  package var reason: String { String(cString: strerror(errno)).lowercased() }
  package var description: String { "cannot read `\(path)`: \(reason)" }
}

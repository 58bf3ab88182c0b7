// SHA-256: the one file that imports the cryptography library.

import Crypto
import Glibc

/// A SHA-256 digest.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// 64 lower-case hexadecimal digits.
  package let hex: String

  fileprivate init(bytes: some Sequence<UInt8>) {
    var hex = ""
    hex.reserveCapacity(64)
    for byte in bytes {
      hex.unicodeScalars.append(Digest.digits[Int(byte >> 4)])
      hex.unicodeScalars.append(Digest.digits[Int(byte & 15)])
    }
    self.hex = hex
  }

  private static let digits = Array("0123456789abcdef".unicodeScalars)

  /// Nil unless `hex` is 64 lower-case hexadecimal digits.
  package init?(hex: String) {
    guard hex.utf8.count == 64,
      hex.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    self.hex = hex
  }

  package var description: String { hex }

  package static func of(_ bytes: [UInt8]) -> Digest {
    var stream = DigestStream()
    bytes.withUnsafeBytes { stream.update($0) }
    return stream.finish()
  }

  package static func of(text: String) -> Digest { of(Array(text.utf8)) }

  /// Reads the file once, by 1 MiB pieces.
  /// - Throws: `DigestReadError`.
  package static func ofFile(_ path: String) throws -> (digest: Digest, size: Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DigestReadError(path: path, code: errno) }
    defer { close(descriptor) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    var stream = DigestStream()
    var size = 0
    while true {
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw DigestReadError(path: path, code: errno) }
      guard count > 0 else { return (stream.finish(), size) }
      stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      size += count
    }
  }
}

/// A digest taken piece by piece.
package struct DigestStream {
  private var hash = SHA256()
  package init() {}
  package mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }
  package func finish() -> Digest { Digest(bytes: hash.finalize()) }
}

private struct DigestReadError: Error, CustomStringConvertible {
  let path: String
  let code: Int32
  var description: String { "cannot read `\(path)`: \(String(cString: strerror(code)).lowercased())" }
}

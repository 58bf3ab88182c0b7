// SHA-256: the one file that imports the cryptography library.

import CCrypto
import Glibc

/// A SHA-256 digest.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// 64 lower-case hexadecimal digits.
  package let hex: String

  fileprivate init(bytes: some Sequence<UInt8>) {
    let digits: StaticString = "0123456789abcdef"
    hex = String(unsafeUninitializedCapacity: 64) { buffer in
      var count = 0
      for byte in bytes where count + 1 < buffer.count {
        buffer[count] = digits.utf8Start[Int(byte >> 4)]
        buffer[count + 1] = digits.utf8Start[Int(byte & 15)]
        count += 2
      }
      return count
    }
  }

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

  package static func of(text: String) -> Digest {
    var stream = DigestStream()
    var text = text
    text.withUTF8 { stream.update(UnsafeRawBufferPointer($0)) }
    return stream.finish()
  }

  /// Reads the file once, in blocks, as far as it reached when it was opened.
  /// - Throws: `SystemError`, `FileKindError`.
  package static func ofFile(_ path: String) throws -> (digest: Digest, size: Int) {
    let file = try File.openToRead(path)
    defer { file.closeQuietly() }
    var stream = DigestStream()
    var size = 0
    try file.readBlocks(upTo: file.status().size) { block in
      stream.update(block)
      size += block.count
    }
    return (stream.finish(), size)
  }
}

/// A digest taken piece by piece.
package struct DigestStream {
  private var context = SHA256_CTX()

  package init() { _ = SHA256_Init(&context) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    _ = SHA256_Update(&context, bytes.baseAddress, bytes.count)
  }

  package func finish() -> Digest {
    var context = context
    var bytes = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    _ = SHA256_Final(&bytes, &context)
    return Digest(bytes: bytes)
  }
}

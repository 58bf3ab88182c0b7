// A JSON value in a file that carries a digest of itself, so that damage is seen and not believed.

import JSON
import System

/// First line: the SHA-256 of the rest. Rest: one JSON text and a newline.
package enum SealedText {
  package static func text(of value: JSON) -> String {
    let body = value.text() + "\n"
    return Digest.of(text: body).hex + "\n" + body
  }

  /// - Throws: `SystemError` when the file cannot be read, `Damaged` when it is not what was written.
  package static func read(_ path: String) throws -> JSON {
    let bytes = try File.read(path)
    guard let newline = bytes.firstIndex(of: 0x0A) else { throw Damaged() }
    let value = bytes.withUnsafeBytes { bytes -> JSON? in
      let body = UnsafeRawBufferPointer(rebasing: bytes[(newline + 1)...])
      var stream = DigestStream()
      stream.update(body)
      guard bytes[..<newline].elementsEqual(stream.finish().hex.utf8) else { return nil }
      return try? JSON(parsing: body, maximumDepth: 128)
    }
    guard let value else { throw Damaged() }
    return value
  }

  package struct Damaged: Error {}
}

// Reading a text from disk or standard input, never more of it than a file of settings may have.

import Glibc
import System

extension SourceFile {
  /// The file at `path`, or standard input for `-`.
  /// - Throws: one diagnostic (`missing-file`, `not-a-file`) when it cannot be read.
  package static func read(_ path: String) throws(DiagnosticList) -> SourceFile {
    if path == "-" {
      let folder = Path.real(".") ?? "/"
      return SourceFile(name: "standard input", folder: folder, bytes: try bytes(of: 0, path))
    }
    do {
      let file = try File.openToRead(path)
      defer { file.closeQuietly() }
      let folder = Path.parent(Path.real(path) ?? path)
      return SourceFile(name: path, folder: folder, bytes: try bytes(of: file.descriptor, path))
    } catch let error as FileKindError {
      throw DiagnosticList([
        Diagnostic(
          code: .notAFile, "\(error)", at: nil,
          help: "what another program writes is read from standard input: `-`")
      ])
    } catch let error as DiagnosticList {
      throw error
    } catch {
      throw unreadable(path, (error as? SystemError)?.code ?? errno)
    }
  }

  /// Stops one buffer past the limit, which `TextCheck` reports.
  private static func bytes(of descriptor: Int32, _ path: String) throws(DiagnosticList) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= TextCheck.maximumBytes {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(path, errno) }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    return bytes
  }

  private static func unreadable(_ path: String, _ code: Int32) -> DiagnosticList {
    let reason = String(cString: strerror(code)).lowercased()
    return DiagnosticList([Diagnostic(code: .missingFile, "cannot read `\(path)`: \(reason)", at: nil)])
  }
}

// Reading a text from disk or standard input, never more of it than a file of settings may have.

import Glibc
import System

/// How a file of settings is read by its path: from there, or from what a run kept of it.
package typealias SourceReader = (_ path: String) throws(DiagnosticList) -> SourceFile

extension SourceFile {
  /// Beyond what a file of settings may have, which `TextCheck` reports.
  private static let mostBytes = TextCheck.maximumBytes + (1 << 16)

  /// The file at `path`, or standard input for `-`.
  /// - Throws: one diagnostic (`missing-file`, `not-a-file`) when it cannot be read.
  package static func read(_ path: String) throws(DiagnosticList) -> SourceFile {
    do {
      if path == "-" {
        var bytes: [UInt8] = []
        try File(descriptor: 0, path: path).readBlocks(upTo: mostBytes) { bytes += $0 }
        return SourceFile(name: "standard input", folder: Path.real(".") ?? "/", bytes: bytes)
      }
      let bytes = try File.readUserFile(path, upTo: mostBytes)
      return SourceFile(name: path, folder: Path.parent(Path.real(path) ?? path), bytes: bytes)
    } catch let error as UserFileError {
      if case .irregular(let kind) = error.cause {
        throw DiagnosticList([
          Diagnostic(
            code: .notAFile, "`\(path)` is \(kind); expected a regular file", at: nil,
            help: "what another program writes is read from standard input: `-`")
        ])
      }
      throw unreadable(path, error.reason)
    } catch {
      // The machine's fault, of which nothing but the file is known here.
      let code = (error as? SystemError)?.code ?? EIO
      throw unreadable(path, UserFileError(path: path, cause: .refused(code)).reason)
    }
  }

  private static func unreadable(_ path: String, _ reason: String) -> DiagnosticList {
    DiagnosticList([Diagnostic(code: .missingFile, "cannot read `\(path)`: \(reason)", at: nil)])
  }
}

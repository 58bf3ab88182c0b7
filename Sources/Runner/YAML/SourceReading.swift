// Reading a text from disk or standard input, never more of it than a file of settings may have.

import Glibc

extension SourceFile {
  /// The file at `path`, or standard input for `-`.
  /// - Throws: one diagnostic (`missing-file`) when it cannot be read.
  package static func read(_ path: String) throws(DiagnosticList) -> SourceFile {
    if path == "-" {
      let folder = ProjectPaths.real(".") ?? "/"
      return SourceFile(name: "standard input", folder: folder, bytes: try bytes(of: 0, path))
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path) }
    defer { close(descriptor) }
    let folder = ProjectPaths.parent(ProjectPaths.real(path) ?? path)
    return SourceFile(name: path, folder: folder, bytes: try bytes(of: descriptor, path))
  }

  /// Stops one buffer past the limit, which `TextCheck` reports.
  private static func bytes(of descriptor: Int32, _ path: String) throws(DiagnosticList) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= TextCheck.maximumBytes {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(path) }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    return bytes
  }

  private static func unreadable(_ path: String) -> DiagnosticList {
    let reason = String(cString: strerror(errno)).lowercased()
    return DiagnosticList([Diagnostic(code: "missing-file", "cannot read `\(path)`: \(reason)", at: nil)])
  }
}

// A file that breaks a rule of its format.

import Glibc
import System

/// A model file breaks a rule: which file, which part of it, where, which rule. Names inside the file are data
/// from outside: they reach this type through `quoted`.
package struct FormatError: Error, Sendable, Equatable, CustomStringConvertible {
  package let path: String
  /// The part of the file, already in words: "tensor `a`", "key `b`".
  package let part: String?
  /// Bytes from the start of the file.
  package let offset: Int?
  package let problem: String

  package init(path: String, part: String? = nil, offset: Int? = nil, _ problem: String) {
    self.path = path
    self.part = part
    self.offset = offset
    self.problem = problem
  }

  package var description: String {
    var text = "\(quoted(path, limit: 4096)): "
    if let part { text += "\(part): " }
    text += problem
    if let offset { text += " (at byte \(offset))" }
    return text
  }
}

extension FormatError {
  /// A file that cannot be opened or read is a wrong input, unless the machine is to blame.
  static func unreadable(_ operation: String, _ path: String, code: Int32) -> any Error {
    guard ![EIO, EMFILE, ENFILE, ENOMEM].contains(code) else {
      return SystemError(operation, path, code: code)
    }
    return FormatError(path: path, "cannot \(operation) it: \(String(cString: strerror(code)).lowercased())")
  }
}

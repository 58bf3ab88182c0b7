// What is said of a file that breaks a rule of its format, or that the system would not let us read or write.

import Glibc

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

/// The system refused an operation on a file. `code` is the `errno`, so that a full disk can be told from the rest.
package struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
  package let operation: String
  package let path: String
  package let code: Int32
  /// For a write: how long the file was to be, as far as that is known.
  package let bytes: Int?

  package init(_ operation: String, _ path: String, code: Int32, bytes: Int? = nil) {
    self.operation = operation
    self.path = path
    self.code = code
    self.bytes = bytes
  }

  package var description: String {
    var text = "cannot \(operation) \(quoted(path, limit: 4096))"
    if let bytes { text += " (\(bytes) bytes)" }
    text += ": \(String(cString: strerror(code)).lowercased())"
    if code == ENOSPC || code == EDQUOT { text += "; free some space and run again: finished work is kept" }
    return text
  }
}

/// A name from a file between backticks, safe to print: control characters and everything that could disturb a
/// terminal are escaped, long names are cut.
package func quoted(_ name: String, limit: Int = 120) -> String {
  var text = "`"
  var length = 0
  for scalar in name.unicodeScalars {
    guard length < limit else {
      text += "…"
      break
    }
    length += 1
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      text += "\\u{\(String(scalar.value, radix: 16))}"
    default: text.unicodeScalars.append(scalar)
    }
  }
  return text + "`"
}

// Colours and other styles of text on a terminal, and when there are any.

import Glibc

package enum TerminalStyle: Int, Sendable {
  case bold = 1
  case faint = 2
  case red = 31
  case green = 32
  case yellow = 33
  case cyan = 36

  package func applied(to text: String) -> String {
    text.isEmpty ? text : "\u{1B}[\(rawValue)m\(text)\u{1B}[0m"
  }
}

/// Whether text may be in colour here: on a terminal that has some, unless `NO_COLOR` is set and not empty.
package func usesColor(_ descriptor: Int32) -> Bool {
  isatty(descriptor) == 1 && (getenv("TERM").map { String(cString: $0) != "dumb" } ?? false)
    && (getenv("NO_COLOR").map { String(cString: $0).isEmpty } ?? true)
}

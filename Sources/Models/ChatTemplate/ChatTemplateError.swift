// What is wrong with a chat template, or with what it was given.

import System

/// A template that cannot be read, uses what is not supported, fails, or passes a bound.
package struct ChatTemplateError: Error, Sendable, Equatable, CustomStringConvertible {
  /// 1-based line of the template.
  package let line: Int
  package let problem: String
  /// Whether the template itself refused its messages, by `raise_exception`.
  package let isRefusal: Bool
  /// Whether a template that is given no time asked for it.
  package let needsTime: Bool

  init(line: Int, _ problem: String, isRefusal: Bool = false, needsTime: Bool = false) {
    self.needsTime = needsTime
    self.line = line
    self.problem = problem
    self.isRefusal = isRefusal
  }

  package var description: String {
    isRefusal
      ? "the chat template refuses these messages (line \(line)): \(quoted(problem, limit: 1024))"
      : "chat template, line \(line): \(problem)"
  }
}

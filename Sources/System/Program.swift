// The name this program was started under: what a command to type begins with.

package enum Program {
  /// `plumb`, or that of a program with stages of its own.
  /// SAFETY: set once, by the command line's entry, before any other thread runs.
  package nonisolated(unsafe) static var name = "plumb"
}

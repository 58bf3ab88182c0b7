// What rendering a template may cost.

/// Bounds of one rendering. A template comes from outside: whatever it does, it ends.
package struct TemplateLimits: Sendable {
  /// Statements, expressions, rounds of loops, and items or characters that are compared.
  package var steps = 2_000_000
  /// Characters of all texts that are made, an item of a list or dictionary counting as 32.
  package var characters = 1 << 26
  /// UTF-8 bytes of what is rendered.
  package var outputBytes = 1 << 24
  /// Statements, expressions and calls inside each other.
  package var depth = 256
  /// Lists and dictionaries inside each other.
  package var valueDepth = 64

  package init() {}
}

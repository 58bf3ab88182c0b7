// top-p, the nucleus: the most probable tokens that reach a mass.

extension LogitsFilter {
  /// Source: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020.
  package static let topP = LogitsFilter(
    "top_p", .number(0...1, exclusiveMinimum: true, standard: 1),
    summary: "the smallest set of most probable tokens with this mass")
}

// typical-p: tokens whose surprisal is close to the entropy.

extension LogitsFilter {
  /// Source: Meister et al., "Locally Typical Sampling", 2022.
  package static let typicalP = LogitsFilter(
    "typical_p", .number(0...1, exclusiveMinimum: true, standard: 1),
    summary: "the smallest set of tokens with this mass whose surprisal is closest to the entropy")
}

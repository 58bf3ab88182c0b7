// top-k: the most probable tokens, so many of them.

extension LogitsFilter {
  package static let topK = LogitsFilter(
    "top_k", .integer(0...10_000_000, standard: 0), summary: "0 keeps all")
}

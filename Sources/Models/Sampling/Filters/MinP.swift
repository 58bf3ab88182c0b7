// min-p: tokens that are not much less probable than the most probable one.

extension LogitsFilter {
  package static let minP = LogitsFilter(
    "min_p", .number(0...1, standard: 0),
    summary: "drops tokens whose probability is less than this share of the highest")
}

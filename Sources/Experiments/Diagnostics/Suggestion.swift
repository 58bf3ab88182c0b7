// "did you mean": the nearest of the names that would have been right.

package enum Suggestion {
  /// The candidate nearest to `name`, if one is near enough to be a slip of the fingers: within a third of
  /// its length, at least 1 and at most 3 edits. Ties go to the earlier candidate.
  package static func nearest(to name: String, among candidates: [String]) -> String? {
    let wanted = Array(name.lowercased().unicodeScalars)
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    let limit = min(3, max(1, wanted.count / 3))
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let letters = Array(candidate.lowercased().unicodeScalars)
      guard letters.count <= 64, abs(letters.count - wanted.count) <= limit else { continue }
      let distance = editDistance(wanted, letters)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.candidate
  }

  /// `did you mean …?`, or nil when nothing is near.
  static func help(for name: String, among candidates: [String]) -> String? {
    nearest(to: name, among: candidates).map { "did you mean `\($0)`?" }
  }

  /// The same, or else the whole choice when it is short.
  package static func helpOrList(for name: String, among candidates: [String], what: String) -> String? {
    if let help = help(for: name, among: candidates) { return help }
    guard !candidates.isEmpty, candidates.count <= 16 else { return nil }
    return "\(what): \(candidates.map { "`\($0)`" }.joined(separator: ", "))"
  }

  /// The whole choice when it is short, else what is near: for values, of which a near one is seldom what was meant.
  static func listOrHelp(for name: String, among candidates: [String], what: String) -> String? {
    if candidates.count > 16 || candidates.isEmpty { return help(for: name, among: candidates) }
    return "\(what): \(candidates.map { "`\($0)`" }.joined(separator: ", "))"
  }

  /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
  private static func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 1...a.count {
      var row = [i] + [Int](repeating: 0, count: b.count)
      for j in 1...b.count {
        let substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        row[j] = min(last[j] + 1, row[j - 1] + 1, substitution)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          row[j] = min(row[j], beforeLast[j - 2] + 1)
        }
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}

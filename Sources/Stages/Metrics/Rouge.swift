// ROUGE: how much of a reference text a generation says, in n-grams or in one common subsequence of words.

/// The F-measures of ROUGE-1, ROUGE-2 and ROUGE-L.
/// Source: Lin, "ROUGE: a package for automatic evaluation of summaries", 2004, as the rouge-score package computes it (`rouge1`, `rouge2`, `rougeL`).
package struct Rouge: Sendable, Equatable {
  package let one: Double
  package let two: Double
  package let longest: Double

  package init(of generation: String, against reference: String, stems: Bool) {
    self.init(of: RougeWords(generation, stems: stems), against: RougeWords(reference, stems: stems))
  }

  init(of generation: RougeWords, against reference: RougeWords) {
    one = Self.grams(1, generation.words, reference.words)
    two = Self.grams(2, generation.words, reference.words)
    longest = Self.fMeasure(
      shared: Self.longestCommonSubsequence(generation.words, reference.words),
      of: generation.words.count, and: reference.words.count)
  }

  /// Each number's best over several references. Source: `RougeScorer.score_multi`.
  package init?(of generation: String, againstBestOf references: [String], stems: Bool) {
    let generation = RougeWords(generation, stems: stems)
    let scores = references.map { Rouge(of: generation, against: RougeWords($0, stems: stems)) }
    guard let one = scores.map(\.one).max(), let two = scores.map(\.two).max(),
      let longest = scores.map(\.longest).max()
    else { return nil }
    (self.one, self.two, self.longest) = (one, two, longest)
  }

  /// n-grams count as often as they stand in both.
  private static func grams(_ n: Int, _ generation: [[UInt8]], _ reference: [[UInt8]]) -> Double {
    func count(_ words: [[UInt8]]) -> [[[UInt8]]: Int] {
      guard words.count >= n else { return [:] }
      var counts: [[[UInt8]]: Int] = [:]
      for start in 0...(words.count - n) { counts[Array(words[start..<start + n]), default: 0] += 1 }
      return counts
    }
    let written = count(generation)
    let shared = count(reference).reduce(0) { $0 + min($1.value, written[$1.key] ?? 0) }
    return fMeasure(
      shared: shared, of: max(0, generation.count - n + 1), and: max(0, reference.count - n + 1))
  }

  /// Of precision and recall; 0 where nothing is shared.
  private static func fMeasure(shared: Int, of generation: Int, and reference: Int) -> Double {
    guard shared > 0 else { return 0 }
    let precision = Double(shared) / Double(generation)
    let recall = Double(shared) / Double(reference)
    return 2 * precision * recall / (precision + recall)
  }

  /// Its length in words. Memory for one row of the table.
  private static func longestCommonSubsequence(_ a: [[UInt8]], _ b: [[UInt8]]) -> Int {
    var lengths = [Int](repeating: 0, count: b.count + 1)
    for word in a {
      var diagonal = 0
      for (column, other) in b.enumerated() {
        let above = lengths[column + 1]
        lengths[column + 1] = word == other ? diagonal + 1 : max(above, lengths[column])
        diagonal = above
      }
    }
    return lengths[b.count]
  }
}

/// A text as ROUGE reads it: runs of the letters a to z and of digits, in lower case; with stems, those of more than three letters without
/// their endings. Source: `rouge_score.tokenize`.
struct RougeWords {
  let words: [[UInt8]]

  init(_ text: String, stems: Bool) {
    var words: [[UInt8]] = []
    var word: [UInt8] = []
    func close() {
      if !word.isEmpty { words.append(stems && word.count > 3 ? PorterStemmer.stem(word) : word) }
      word = []
    }
    for scalar in text.unicodeScalars {
      // A character's lower case may be several: of İ an i and a dot.
      let lower = scalar.isASCII ? nil : scalar.properties.lowercaseMapping
      for byte in lower.map({ Array($0.utf8) }) ?? [UInt8(truncatingIfNeeded: scalar.value)] {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): word.append(byte)
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): word.append(byte | 0x20)
        default: close()
        }
      }
    }
    close()
    self.words = words
  }
}

// distinct-n: how varied a set of texts is.

import JSON

/// Distinct n-grams over all texts, divided by the number of all words. A word is what stands between single
/// spaces, empty strings included; an n-gram does not cross from one text into the next.
/// Source: METHODS 1.13, dist-n over the corpus. Nil without texts (0 / 0 there).
package func distinctN(_ texts: [String], n: Int) -> Double? {
  precondition(n >= 1, "an n-gram of \(n) words")
  var numbers: [UTF8Key: Int] = [:]
  var grams: Set<[Int]> = []
  var wordCount = 0
  for text in texts {
    // By bytes: a space and a combining mark are one Character.
    let words = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { word in
      let next = numbers.count
      let key = UTF8Key(String(decoding: word, as: UTF8.self))
      if let number = numbers[key] { return number }
      numbers[key] = next
      return next
    }
    wordCount += words.count
    guard words.count >= n else { continue }
    for start in 0...(words.count - n) { grams.insert(Array(words[start..<(start + n)])) }
  }
  return wordCount == 0 ? nil : Double(grams.count) / Double(wordCount)
}

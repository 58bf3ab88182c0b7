// Porter's stemmer: English words without their endings, as the rouge-score package cuts them.

/// Source: Porter, "An algorithm for suffix stripping", 1980, with the changes of nltk's `PorterStemmer` in its mode `NLTK_EXTENSIONS`: irregular
/// words, `ies` and `ied` of words of four letters, `y` after a consonant, `alli` first, `fulli` and `logi`, two letters that count as consonant,
/// vowel, consonant.
package enum PorterStemmer {
  private typealias Bytes = [UInt8]

  /// - Parameter word: ASCII letters and digits, in lower case. A digit is a consonant.
  package static func stem(_ word: [UInt8]) -> [UInt8] {
    if let irregular = irregular[word] { return irregular }
    if word.count <= 2 { return word }
    var stem = plural(word)
    stem = pastOrProgressive(stem)
    stem = finalY(stem)
    stem = doubleSuffix(stem)
    stem = apply(shortSuffixes, to: stem, where: { measure($0) > 0 })
    stem = lastSuffix(stem)
    stem = finalE(stem)
    return finalDoubleL(stem)
  }

  private static let irregular: [[UInt8]: [UInt8]] = {
    let forms = [
      "sky": ["sky", "skies"], "die": ["dying"], "lie": ["lying"], "tie": ["tying"], "news": ["news"],
      "inning": ["innings", "inning"], "outing": ["outings", "outing"], "canning": ["cannings", "canning"],
      "howe": ["howe"], "proceed": ["proceed"], "exceed": ["exceed"], "succeed": ["succeed"],
    ]
    var words: [[UInt8]: [UInt8]] = [:]
    for (stem, forms) in forms { for form in forms { words[Array(form.utf8)] = Array(stem.utf8) } }
    return words
  }()

  // MARK: the steps

  /// Step 1a.
  private static func plural(_ word: Bytes) -> Bytes {
    if word.count == 4, let stem = word.without("ies") { return stem + Bytes("ie".utf8) }
    return apply([("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")].map(Rule.init), to: word) { _ in true
    }
  }

  /// Step 1b.
  private static func pastOrProgressive(_ word: Bytes) -> Bytes {
    if let stem = word.without("ied") { return stem + Bytes((word.count == 4 ? "ie" : "i").utf8) }
    if let stem = word.without("eed") { return measure(stem) > 0 ? stem + Bytes("ee".utf8) : word }
    let stems = ["ed", "ing"].compactMap { word.without($0) }
    guard let stem = stems.first(where: containsVowel), let last = stem.last else { return word }
    for ending in ["at", "bl", "iz"] where stem.without(ending) != nil { return stem + Bytes("e".utf8) }
    if endsWithDoubleConsonant(stem) {
      return Bytes("lsz".utf8).contains(last) ? stem : Bytes(stem.dropLast())
    }
    return measure(stem) == 1 && endsWithShortSyllable(stem) ? stem + Bytes("e".utf8) : stem
  }

  /// Step 1c.
  private static func finalY(_ word: Bytes) -> Bytes {
    guard let stem = word.without("y"), stem.count > 1, consonants(stem).last == true else { return word }
    return stem + Bytes("i".utf8)
  }

  /// Step 2.
  private static func doubleSuffix(_ word: Bytes) -> Bytes {
    if let stem = word.without("alli"), measure(stem) > 0 { return doubleSuffix(stem + Bytes("al".utf8)) }
    for rule in doubleSuffixes {
      guard let stem = word.without(rule.suffix) else { continue }
      // The l of `logi` counts with the stem.
      let measured = rule.suffix == "logi" ? Bytes(word.dropLast(3)) : stem
      return measure(measured) > 0 ? stem + rule.replacement : word
    }
    return word
  }

  private static let doubleSuffixes = [
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"),
    ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"),
    ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
    ("logi", "log"),
  ].map(Rule.init)

  /// Step 3.
  private static let shortSuffixes = [
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""),
    ("ness", ""),
  ].map(Rule.init)

  /// Step 4.
  private static func lastSuffix(_ word: Bytes) -> Bytes {
    for suffix in lastSuffixes {
      guard let stem = word.without(suffix) else { continue }
      let isAllowed = suffix != "ion" || stem.last.map { Bytes("st".utf8).contains($0) } ?? false
      return measure(stem) > 1 && isAllowed ? stem : word
    }
    return word
  }

  private static let lastSuffixes = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
    "ate",
    "iti", "ous", "ive", "ize",
  ]

  /// Step 5a.
  private static func finalE(_ word: Bytes) -> Bytes {
    guard let stem = word.without("e") else { return word }
    let measure = measure(stem)
    return measure > 1 || (measure == 1 && !endsWithShortSyllable(stem)) ? stem : word
  }

  /// Step 5b.
  private static func finalDoubleL(_ word: Bytes) -> Bytes {
    let stem = Bytes(word.dropLast())
    return word.without("ll") != nil && measure(stem) > 1 ? stem : word
  }

  // MARK: rules

  private struct Rule {
    let suffix: String
    let replacement: Bytes
    init(_ suffix: String, _ replacement: String) {
      self.suffix = suffix
      self.replacement = Bytes(replacement.utf8)
    }
  }

  /// The first rule whose suffix the word has, if what stands before it is as wanted; no other one is tried.
  private static func apply(_ rules: [Rule], to word: Bytes, where isAllowed: (Bytes) -> Bool) -> Bytes {
    for rule in rules {
      guard let stem = word.without(rule.suffix) else { continue }
      return isAllowed(stem) ? stem + rule.replacement : word
    }
    return word
  }

  // MARK: what a stem is like

  /// Of each letter whether it is a consonant. A `y` is one where it comes first or follows a vowel.
  private static func consonants(_ word: Bytes) -> [Bool] {
    var flags: [Bool] = []
    for letter in word {
      switch letter {
      case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"):
        flags.append(false)
      case UInt8(ascii: "y"): flags.append(flags.last.map { !$0 } ?? true)
      default: flags.append(true)
      }
    }
    return flags
  }

  /// How often a consonant follows a vowel.
  private static func measure(_ stem: Bytes) -> Int {
    let flags = consonants(stem)
    return zip(flags, flags.dropFirst()).count { !$0 && $1 }
  }

  private static func containsVowel(_ stem: Bytes) -> Bool { consonants(stem).contains(false) }

  private static func endsWithDoubleConsonant(_ word: Bytes) -> Bool {
    word.count >= 2 && word[word.count - 1] == word[word.count - 2] && consonants(word).last == true
  }

  /// Consonant, vowel, consonant that is not w, x or y; of a word of two letters vowel, consonant.
  private static func endsWithShortSyllable(_ word: Bytes) -> Bool {
    let flags = consonants(word)
    if flags.count == 2 { return flags == [false, true] }
    guard let last = word.last else { return false }
    return flags.suffix(3) == [true, false, true] && !Bytes("wxy".utf8).contains(last)
  }
}

extension [UInt8] {
  /// What stands before this ending; nil where it has another one.
  fileprivate func without(_ suffix: String) -> [UInt8]? {
    guard count >= suffix.utf8.count, suffix.utf8.elementsEqual(self.suffix(suffix.utf8.count)) else {
      return nil
    }
    return Array(dropLast(suffix.utf8.count))
  }
}

// Normalizers of tokenizer.json.

import JSON
import Models
import Testing

@Suite struct NormalizerTests {
  /// Source: Unicode's NormalizationTest.txt, and the composition exclusions.
  @Test(arguments: [
    ("e\u{301}", "\u{E9}"), ("\u{212B}", "\u{C5}"), ("a\u{315}\u{300}\u{5AE}", "\u{E0}\u{5AE}\u{315}"),
    ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"), ("\u{958}", "\u{915}\u{93C}"), ("\u{FB01}", "\u{FB01}"),
    ("\u{1E9B}\u{323}", "\u{1E9B}\u{323}"), ("\u{340}", "\u{300}"), ("plain", "plain"), ("", ""),
    // Characters of class 0 that decompose to marks alone are ordered with the marks beside them.
    ("\u{484}\u{F73}", "\u{F71}\u{F72}\u{484}"), ("a\u{301}\u{F81}\u{F71}", "\u{E1}\u{F71}\u{F71}\u{F80}"),
  ])
  func `NFC composes, canonically alone`(text: String, composed: String) {
    #expect(NFCNormalizer().normalized(text).unicodeScalars.elementsEqual(composed.unicodeScalars))
  }
}

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
  ])
  func `NFC composes, canonically alone`(text: String, composed: String) {
    #expect(NFCNormalizer().normalized(text).unicodeScalars.elementsEqual(composed.unicodeScalars))
  }
}

// `NFC`: Unicode's canonical composition.

import JSON
@_spi(_Unicode) import Swift

package struct NFCNormalizer: Normalizer {
  package static let type = "NFC"

  package init() {}
  package init(_ json: JSON, _ path: String) throws {}

  package var json: JSON { .object(JSONObject([("type", .string(Self.type))])) }

  package func normalized(_ text: String) -> String {
    // Most texts are ASCII, which is composed.
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: text._nfc)
    return String(scalars)
  }
}

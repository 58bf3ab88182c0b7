// Dropout of a `config.json`: carried along, not applied, and reported once by what trains.

import JSON
import System

extension DecoderConfiguration {
  private static let dropoutKeys = [
    "attention_dropout", "hidden_dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop",
  ]

  /// What the file asks for, but for rates of 0.
  /// - Throws: `ConfigurationError` where a rate is none.
  func dropoutRates() throws -> [(key: String, rate: Double)] {
    try Self.dropoutKeys.compactMap { key in
      guard let value = carried[key], !value.isNull else { return nil }
      guard let rate = value.doubleValue, rate >= 0, rate < 1 else {
        throw ConfigurationError(
          key, "expected a rate of 0 to 1, found \(quoted(value.text(), limit: 80))")
      }
      return rate == 0 ? nil : (key, rate)
    }
  }

  /// That training applies no dropout although the file asks for it; nil where it does not.
  package var dropoutNotice: String? {
    guard let rates = try? dropoutRates(), !rates.isEmpty else { return nil }
    let asked = rates.map { "`\($0.key)` \($0.rate)" }.joined(separator: ", ")
    return "trains without dropout; config.json asks for \(asked)"
  }
}

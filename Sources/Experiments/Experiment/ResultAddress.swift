// A result by its address: `EXPERIMENT.yaml::quark@last.train.model`, or in the words of one run, `runs/NAME/ID::…`.

package struct ResultAddress: Sendable, Equatable {
  /// An experiment file, or the directory of a run.
  package let file: String
  /// As `plumb plan` shows it; `@last` and an output's name may be used.
  package let address: String

  package init(file: String, address: String) {
    self.file = file
    self.address = address
  }

  /// Nil when there is no `::` with something on both sides.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard let colons = bytes.indices.dropLast().last(where: { bytes[$0] == 0x3A && bytes[$0 + 1] == 0x3A }),
      colons > 0, colons + 2 < bytes.count
    else { return nil }
    file = String(decoding: bytes[..<colons], as: UTF8.self)
    address = String(decoding: bytes[(colons + 2)...], as: UTF8.self)
  }

  package var text: String { "\(file)::\(address)" }
}

// What the YAML at the top of a model's README says of its licence.

import JSON
import System

package enum ReadmeLicence {
  private static let mostBytes = 1 << 16

  /// The word under `license:`, or the name under `license_name:` where that word is `other`; nil where no README says one.
  package static func of(folder: String) -> String? {
    guard let bytes = try? File.read("\(folder)/README.md", upTo: mostBytes) else { return nil }
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    func isFence(_ line: ArraySlice<UInt8>) -> Bool {
      line.starts(with: "---".utf8) && line.dropFirst(3).allSatisfy { $0 == 0x20 || $0 == 0x0D }
    }
    guard let first = lines.first, isFence(first), let end = lines.dropFirst().firstIndex(where: isFence)
    else {
      return nil
    }
    // Lines of the first level alone: what else stands there may be anything.
    func value(_ key: String) -> String? {
      guard let line = lines[1..<end].first(where: { $0.starts(with: "\(key):".utf8) }) else { return nil }
      let file = SourceFile(name: "README.md", folder: folder, bytes: Array(line))
      guard case .success(let json) = Document.json(of: file) else { return nil }
      return json[key]?.stringValue
    }
    let licence = value("license")
    return licence == "other" ? value("license_name") ?? licence : licence
  }
}

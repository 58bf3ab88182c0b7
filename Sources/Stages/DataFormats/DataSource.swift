// A data file as its format reads it: whole, or so much of it as a check looks at.

import Experiments
import System

struct DataSource {
  let path: String
  /// No more bytes than these are looked at, from the start of the file or of what it expands to; nil reads all of them.
  var limit: Int?
  /// The fields that are needed, or paths of fields joined by dots; nil needs all.
  var needed: [String]?

  /// As many bytes from the start as tell a format.
  private static let startLength = 4096

  /// The given format, or else the one that the file's first bytes tell.
  /// - Throws: `InputError` for a file that cannot be read or is wrong as a whole.
  func records(_ format: (any DataFormat.Type)?) throws -> any DataFormat {
    if let format { return try format.init(self) }
    let start = try DataBytes(path).read(upTo: Self.startLength)
    for format in dataFormats where format.isRecognized(by: start) { return try format.init(self) }
    preconditionFailure("no format of \(dataFormats.map { $0.name }) recognizes any file")
  }

  /// Of a file's fields those that are needed; nil needs all of them, which an error names where one is missing.
  func fields(among all: [String]) -> [String]? {
    guard let needed else { return nil }
    var found: [String] = []
    for path in needed {
      // The name of a field may hold dots.
      let fields = all.filter { sameStart($0, path) }
      if fields.isEmpty { return nil }
      found += fields
    }
    return found
  }

  private func sameStart(_ field: String, _ path: String) -> Bool {
    path.utf8.elementsEqual(field.utf8) || path.utf8.starts(with: (field + ".").utf8)
  }

  static func withoutMark(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
  }
}

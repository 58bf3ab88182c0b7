// A format of data files: what hands over a file's records, one after the other.

import Experiments
import JSON

/// A record of a data file: a JSON object, and where it stands.
struct DataRecord {
  let place: RecordPlace
  /// An object.
  let value: JSON
}

/// Where a record stands in its file; lines, columns (in bytes) and rows count from 1.
enum RecordPlace {
  case line(Int, column: Int)
  case row(Int)

  /// What an error of this record begins with.
  func inside(_ path: String) -> String {
    switch self {
    case .line(let line, let column): "\(path):\(line):\(column)"
    case .row(let row): "\(path): row \(row)"
    }
  }

  /// For a message that names the file elsewhere.
  var short: String {
    switch self {
    case .line(let line, _): "on line \(line)"
    case .row(let row): "in row \(row)"
    }
  }
}

/// A record that is wrong by itself, or does not fit an option; those after it can be read.
struct BadRecord: Error {
  let place: RecordPlace
  var option: String?
  /// The field that the option names and the record lacks.
  var missing: String?
  /// Put together only where it is said: a file may have millions of bad records.
  var reason: String { before + problem + behind }
  private let before: String
  private let problem: String
  private let behind: String

  init(
    place: RecordPlace, option: String? = nil, missing: String? = nil, before: String = "", reason: String,
    behind: String = ""
  ) {
    self.place = place
    self.option = option
    self.missing = missing
    self.before = before
    problem = reason
    self.behind = behind
  }
}

protocol DataFormat: SendableMetatype {
  /// What the option `format` calls it.
  static var name: String { get }
  /// What a message calls its records, in the plural.
  static var unit: String { get }

  /// Whether a file that begins like this is of the format, where no option says so. By content alone: a file's content is in
  /// the key of a result, its name is not.
  static func isRecognized(by start: [UInt8]) -> Bool

  /// - Throws: `InputError` for a file that is wrong as a whole.
  init(_ source: DataSource) throws

  /// Whether the records that are handed over are all that the file has.
  var isWhole: Bool { get }
  /// Where a check looks at the file, how much it looks at: bytes of the file, or of what it expands to.
  var byteCount: Int { get }

  /// The next record; nil after the last.
  /// - Throws: `BadRecord`, after which the next one can be asked for; `InputError` where the file cannot be read on.
  mutating func next() throws -> DataRecord?

  /// Appends the rows of the records that come next, as far as they can be made directly and no more than some bytes of them.
  /// - Throws: as `next`, but for bad records.
  mutating func appendLines(
    _ rows: inout DirectRows, to lines: inout DirectLines, _ contents: inout ContentHashes?) throws
}

extension DataFormat {
  mutating func appendLines(_: inout DirectRows, to _: inout DirectLines, _: inout ContentHashes?) throws {}
}

/// In the order in which a file's first bytes are tried; the last recognizes any file.
let dataFormats: [any DataFormat.Type] = [
  ParquetFormat.self, JSONArrayFormat.self, CSVFormat.self, TSVFormat.self, TextFormat.self,
  JSONLinesFormat.self,
]

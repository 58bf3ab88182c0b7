// The records of data files for whoever looks into them, in any of the formats that `data` reads.

import Experiments
import JSON

package struct RecordFile {
  private var files: DataFiles
  private var lastPlace: RecordPlace?

  /// - Parameters:
  ///   - paths: in the order in which they are read.
  ///   - format: one of `formats`; nil takes what each file's first bytes tell.
  ///   - fields: those that are needed, or paths of fields joined by dots; nil needs all.
  /// - Precondition: at least one file.
  package init(_ paths: [String], format: String? = nil, fields: [String]? = nil) {
    files = DataFiles(paths)
    files.format = dataFormats.first { $0.name == format }
    files.needed = fields
  }

  /// That a table's name tells, since nothing in it does.
  package static func formatByName(_ path: String) -> String? {
    DataFileName.format(of: path).flatMap { $0 == TextFormat.name ? nil : $0 }
  }

  /// Of files that are all called so.
  package static func formatByName(_ paths: [String]) -> String? {
    let formats = paths.map { formatByName($0) }
    return formats.dropFirst().allSatisfy { $0 == formats[0] } ? formats.first ?? nil : nil
  }

  package static var formats: [String] { dataFormats.map { $0.name } }

  /// The next record, an object; nil after the last.
  /// - Throws: `InputError` with the place of what is wrong, or for a file that cannot be read.
  package mutating func next() throws -> JSON? {
    do {
      let record = try files.next()
      lastPlace = record?.place
      return record?.value
    } catch let error as BadRecord {
      throw InputError("\(error.place.inside(files.path)): \(error.reason)")
    }
  }

  /// Where the record stands that `next` gave, as its errors say it.
  package var place: String { lastPlace?.inside(files.path) ?? files.name }
}

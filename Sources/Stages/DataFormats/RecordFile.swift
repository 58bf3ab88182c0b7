// The records of a data file for whoever looks into it, in any of the formats that `data` reads.

import JSON
import Runner

package struct RecordFile {
  private let path: String
  private var records: any DataFormat

  /// - Parameters:
  ///   - format: one of `formats`; nil takes what the file's first bytes tell.
  ///   - fields: those that are needed, or paths of fields joined by dots; nil needs all.
  /// - Throws: `InputError` for a file that cannot be read or is wrong as a whole.
  package init(_ path: String, format: String? = nil, fields: [String]? = nil) throws {
    self.path = path
    records = try DataSource(path: path, needed: fields).records(dataFormats.first { $0.name == format })
  }

  /// That a table's name tells, since nothing in it does.
  package static func formatByName(_ path: String) -> String? {
    DataFileName.format(of: path).flatMap { $0 == TextFormat.name ? nil : $0 }
  }

  package static var formats: [String] { dataFormats.map { $0.name } }

  /// What a message calls its records, in the plural.
  package var unit: String { type(of: records).unit }

  /// The next record, an object; nil after the last.
  /// - Throws: `InputError` with the place of what is wrong.
  package mutating func next() throws -> JSON? {
    do {
      return try records.next()?.value
    } catch let error as BadRecord {
      throw InputError("\(error.place.inside(path)): \(error.reason)")
    }
  }
}

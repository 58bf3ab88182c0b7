// Reads the records of data files and hands over, one after the other, the rows that they become.

import JSON
import Runner

struct DataReader {
  private let options: DataOptions
  private let builder: RowBuilder
  private var identifiers: RowIdentifiers

  private(set) var rowCount = 0
  private(set) var recordCount = 0
  /// `place: reason` of bad records that were left out: the first of them.
  private(set) var skipped: [String] = []
  private(set) var skippedCount = 0
  private(set) var unmatchedCount = 0
  /// What the format calls its records.
  private(set) var unit = ""
  /// Whether the records that were read, up to `limit`, are all that the files have.
  private(set) var isWhole = false
  private(set) var fieldsOfFirstRecord: [String] = []
  /// The option that the record at which reading ended does not fit; nil when the record is wrong by itself.
  private(set) var faultyOption: String?
  /// Reading ends at the row of this id.
  private var soughtID: String?

  init(_ options: DataOptions) {
    self.options = options
    builder = RowBuilder(options)
    identifiers = RowIdentifiers(field: options.id)
  }

  /// - Parameters:
  ///   - pause: called now and then with the number of records that were read; ends the reading by an error.
  ///   - give: takes each row.
  /// - Throws: `InputError`, and what the functions throw.
  mutating func read(
    _ files: DataFiles, pause: (_ recordCount: Int) throws -> Void = { _ in }, _ give: (Row) throws -> Void
  ) throws {
    let all = files
    var files = files
    files.needed = options.neededFields
    files.format = options.format
    defer {
      unit = files.unit
      isWhole = files.isWhole || rowCount >= options.limit
    }
    while rowCount < options.limit {
      do {
        recordCount += 1
        guard let record = try files.next() else {
          recordCount -= 1
          break
        }
        if recordCount % 4096 == 0 { try pause(recordCount) }
        guard let row = try row(of: record, in: files.path, of: all) else { continue }
        rowCount += 1
        try give(row)
      } catch let error as BadRecord {
        let text = "\(error.place.inside(files.path)): \(error.reason)"
        guard options.skipsBadRows else {
          faultyOption = error.option
          throw InputError(text)
        }
        skippedCount += 1
        if skipped.count < 20 { skipped.append(text) }
      }
    }
  }

  /// Nil for a record that is left out.
  private mutating func row(of record: DataRecord, in path: String, of files: DataFiles) throws -> Row? {
    if fieldsOfFirstRecord.isEmpty { fieldsOfFirstRecord = record.value.objectValue?.keys ?? [] }
    guard try options.conditions.allSatisfy({ try $0.holds(record) }) else {
      unmatchedCount += 1
      return nil
    }
    let columns = try builder.columns(of: record)
    let id: String
    do {
      id = try identifiers.id(of: record)
    } catch let error as RepeatedID {
      let first = placeOfRow(error.id, in: files).map { found in
        UTF8Key(found.path) == UTF8Key(path)
          ? ", \(found.place.short)" : ": \(found.place.inside(found.path))"
      }
      throw InputError(
        "\(record.place.inside(path)): the id `\(error.id)` was given before\(first ?? "")")
    }
    if let soughtID, UTF8Key(soughtID) == UTF8Key(id) { throw FoundRow(path: path, place: record.place) }
    return Row(.object(JSONObject(distinct: [("id", .string(id))] + columns.members)))
  }

  private struct FoundRow: Error {
    let path: String
    let place: RecordPlace
  }

  /// Where the first row of this id stands: the files are read again, so that the places of all need not be kept.
  private func placeOfRow(_ id: String, in files: DataFiles) -> FoundRow? {
    var reader = DataReader(options)
    reader.soughtID = id
    do {
      try reader.read(files) { _ in }
    } catch let found as FoundRow {
      return found
    } catch {}
    return nil
  }

  /// Said when no row was taken.
  func whyEmpty(_ paths: [String]) -> String {
    let place = paths.count == 1 ? paths[0] : "\(paths[0]) and \(paths.count - 1) more"
    return recordCount == 0
      ? "\(place): the \(paths.count == 1 ? "file holds" : "files hold") no rows"
      : "\(place): none of \(recordCount) \(unit) was taken: \(skippedCount) were bad, "
        + "\(unmatchedCount) did not satisfy `where`"
  }
}

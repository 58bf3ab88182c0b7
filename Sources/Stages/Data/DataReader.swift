// Reads the records of a data file and hands over, one after the other, the rows that they become.

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
  /// Whether the records that were read, up to `limit`, are all that the file has.
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
    _ source: DataSource, pause: (_ recordCount: Int) throws -> Void = { _ in }, _ give: (Row) throws -> Void
  ) throws {
    var source = source
    source.needed = options.neededFields
    var records = try source.records(options.format)
    unit = type(of: records).unit
    isWhole = records.isWhole
    while rowCount < options.limit {
      do {
        recordCount += 1
        guard let record = try records.next() else {
          recordCount -= 1
          break
        }
        if recordCount % 4096 == 0 { try pause(recordCount) }
        guard let row = try row(of: record, in: source) else { continue }
        rowCount += 1
        try give(row)
      } catch let error as BadRecord {
        let text = "\(error.place.inside(source.path)): \(error.reason)"
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
  private mutating func row(of record: DataRecord, in source: DataSource) throws -> Row? {
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
      let first = placeOfRow(error.id, in: source).map { ", \($0.short)" } ?? ""
      throw InputError(
        "\(record.place.inside(source.path)): the id `\(error.id)` was given before\(first)")
    }
    if let soughtID, UTF8Key(soughtID) == UTF8Key(id) { throw FoundRow(place: record.place) }
    return Row(.object(JSONObject(distinct: [("id", .string(id))] + columns.members)))
  }

  private struct FoundRow: Error {
    let place: RecordPlace
  }

  /// Where the first row of this id stands: the file is read again, so that the places of all need not be kept.
  private func placeOfRow(_ id: String, in source: DataSource) -> RecordPlace? {
    var reader = DataReader(options)
    reader.soughtID = id
    do {
      try reader.read(source) { _ in }
    } catch let found as FoundRow {
      return found.place
    } catch {}
    return nil
  }

  /// Said when no row was taken.
  func whyEmpty(_ path: String) -> String {
    recordCount == 0
      ? "\(path): the file holds no rows"
      : "\(path): none of \(recordCount) \(unit) was taken: \(skippedCount) were bad, "
        + "\(unmatchedCount) did not satisfy `where`"
  }
}

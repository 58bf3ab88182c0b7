// Reads the records of data files and hands over, one after the other, the rows that they become: those that satisfy `where`, `dedup` and
// `partition`, from `skip` up to `limit`.

import Experiments
import JSON
import Models

struct DataReader {
  private let options: DataOptions
  private let builder: RowBuilder
  private let tokenCount: ((String) -> Int)?
  private var identifiers: RowIdentifiers
  private var seen = TextSet()

  /// Of rows that were handed over.
  private(set) var rowCount = 0
  private(set) var recordCount = 0
  var leftOut = LeftOut()
  /// `place: reason` of bad records that were left out: the first of them.
  private(set) var badRecords: [String] = []
  /// What the format calls its records.
  private(set) var unit = ""
  /// Whether the records that were read, up to `limit`, are all that the files have.
  private(set) var isWhole = false
  private(set) var fieldsOfFirstRecord: [String] = []
  /// The record at which reading ended because it does not fit an option; nil where it is wrong by itself.
  private(set) var misfit: (option: String, missing: String?)?
  /// Reading ends at the row of this id.
  private var soughtID: String?

  /// How many records became no rows.
  struct LeftOut {
    var bad = 0
    var filtered = 0
    var repeated = 0
    var ofOtherParts = 0
    var skipped = 0
  }

  /// - Parameter tokenizer: counts tokens; without one no condition on them is looked at.
  init(_ options: DataOptions, tokenizer: Tokenizer?) {
    self.options = options
    builder = RowBuilder(options)
    tokenCount = tokenizer.map { tokenizer in { tokenizer.encode($0).count } }
    identifiers = RowIdentifiers(field: options.id)
  }

  /// Rows that are shuffled are handed over from the first to the last: `skip` and `limit` count in the new order.
  /// - Parameters:
  ///   - pause: called now and then with the number of records that were read; ends the reading by an error.
  ///   - direct: makes rows of those records of which it can.
  ///   - giveWritten: takes each of those rows: its id, whose text is written as it is, and what follows it in the row's line.
  ///   - give: takes each other row.
  /// - Throws: `InputError`, and what the functions throw.
  mutating func read(
    _ files: DataFiles, pause: (_ recordCount: Int) throws -> Void = { _ in },
    direct: DirectRows? = nil, giveWritten: GiveWritten = { _, _ in }, _ give: (Row) throws -> Void
  ) throws {
    let all = files
    var files = files
    files.needed = options.neededFields
    files.format = options.format
    let limit = options.shuffle == nil ? options.limit : .max
    var records = RecordsAhead(files, rows: direct, hashesContents: options.id == nil)
    while rowCount < limit {
      recordCount += 1
      let next = try records.next()
      unit = records.unit
      switch next.found {
      case .end:
        recordCount -= 1
        isWhole = records.isWhole
        return
      case .failed(let error): throw error
      case .bad(let bad):
        if recordCount % 4096 == 0 { try pause(recordCount) }
        try leaveOut(bad, in: next.path)
      case .lines(let lines):
        recordCount -= 1
        try take(lines, in: next.path, of: all, limit: limit, pause: pause, giveWritten)
      case .record(let record):
        if recordCount % 4096 == 0 { try pause(recordCount) }
        do {
          guard
            let row = try row(of: record, contentHash: next.contentHash, in: next.path, of: all)
          else { continue }
          rowCount += 1
          try give(row)
        } catch let bad as BadRecord {
          try leaveOut(bad, in: next.path)
        }
      }
    }
    isWhole = true
  }

  typealias GiveWritten = (_ id: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer) throws -> Void

  private mutating func take(
    _ lines: DirectLines, in path: String, of files: DataFiles, limit: Int,
    pause: (_ recordCount: Int) throws -> Void, _ give: GiveWritten
  ) throws {
    try withUnsafeTemporaryAllocation(byteCount: RowIdentifiers.derivedLength, alignment: 1) { derived in
      for index in 0..<lines.count where rowCount < limit {
        recordCount += 1
        if recordCount % 4096 == 0 { try pause(recordCount) }
        try lines.withRow(index) { given, rest in
          var id = given
          if !identifiers.areGiven {
            let length = identifiers.write(lines.hashes[index], to: derived)
            id = UnsafeRawBufferPointer(rebasing: derived[..<length])
          } else if !identifiers.take(given) {
            throw repeated(
              String(decoding: given, as: UTF8.self), at: lines.place(index), in: path, of: files)
          }
          guard leftOut.skipped >= options.skip else {
            leftOut.skipped += 1
            return
          }
          rowCount += 1
          try give(id, rest)
        }
      }
    }
  }

  /// - Throws: `InputError` where bad records are not left out.
  private mutating func leaveOut(_ bad: BadRecord, in path: String) throws {
    // Most of many are not said: their text is not made.
    func text() -> String { "\(bad.place.inside(path)): \(bad.reason)" }
    guard options.skipsBadRows else {
      misfit = bad.option.map { ($0, bad.missing) }
      throw InputError(text())
    }
    leftOut.bad += 1
    if badRecords.count < 20 { badRecords.append(text()) }
  }

  /// Nil for a record that is left out.
  private mutating func row(
    of record: DataRecord, contentHash: UInt64, in path: String, of files: DataFiles
  ) throws -> Row? {
    if fieldsOfFirstRecord.isEmpty { fieldsOfFirstRecord = record.value.objectValue?.keys ?? [] }
    let fields = try RecordFields(record, options)
    guard try options.conditions.allSatisfy({ try $0.holds(fields, tokenCount: tokenCount) }) else {
      leftOut.filtered += 1
      return nil
    }
    var columns = try builder.columns(of: fields)
    let name = try identifiers.name(of: fields, contentHash: contentHash)
    let deciding = try options.partition.map { partition in
      try partition.by.map { try fields.field($0, option: "partition").plainText } ?? name.text
    }
    // A row that is bad leaves no trace behind: it is looked at whole before it is compared with others.
    if !options.dedup.isEmpty {
      let values = JSON.array(try options.dedup.map { try fields.field($0, option: "dedup") })
      guard seen.insert(values.text(.canonical)) else {
        leftOut.repeated += 1
        return nil
      }
    }
    let id = try newID(name, at: record.place, in: path, of: files)
    if let soughtID, UTF8Key(soughtID) == UTF8Key(id) { throw FoundRow(path: path, place: record.place) }
    if let partition = options.partition, let deciding, !partition.takes(deciding) {
      leftOut.ofOtherParts += 1
      return nil
    }
    if options.shuffle == nil, leftOut.skipped < options.skip {
      leftOut.skipped += 1
      return nil
    }
    columns[0].value = .string(id)
    return Row(.object(JSONObject(distinct: columns)))
  }

  private mutating func newID(
    _ name: RowIdentifiers.Name, at place: RecordPlace, in path: String, of files: DataFiles
  ) throws -> String {
    do {
      return try identifiers.id(name)
    } catch let error as RepeatedID {
      throw repeated(error.id, at: place, in: path, of: files)
    }
  }

  private func repeated(_ id: String, at place: RecordPlace, in path: String, of files: DataFiles)
    -> InputError
  {
    let first = placeOfRow(id, in: files).map { found in
      UTF8Key(found.path) == UTF8Key(path)
        ? ", \(found.place.short)" : ": \(found.place.inside(found.path))"
    }
    return InputError("\(place.inside(path)): the id `\(id)` was given before\(first ?? "")")
  }

  private struct FoundRow: Error {
    let path: String
    let place: RecordPlace
  }

  /// Where the first row of this id stands: the files are read again, so that the places of all need not be kept.
  private func placeOfRow(_ id: String, in files: DataFiles) -> FoundRow? {
    var reader = self
    reader.identifiers = RowIdentifiers(field: options.id)
    reader.seen = TextSet()
    reader.rowCount = 0
    reader.leftOut = LeftOut()
    reader.soughtID = id
    do {
      try reader.read(files) { _ in }
    } catch let found as FoundRow {
      return found
    } catch {}
    return nil
  }

  /// Said when no row was taken.
  func whyEmpty(_ files: DataFiles) -> String {
    if recordCount == 0 {
      return "\(files.name): the \(files.paths.count == 1 ? "file holds" : "files hold") no rows"
    }
    let causes = [
      "\(leftOut.bad) were bad", "\(leftOut.filtered) did not satisfy `where`",
      leftOut.repeated > 0 ? "\(leftOut.repeated) repeated others" : nil,
      leftOut.ofOtherParts > 0 ? "\(leftOut.ofOtherParts) are in other parts" : nil,
      leftOut.skipped > 0 ? "\(leftOut.skipped) were skipped" : nil,
    ]
    return "\(files.name): none of \(recordCount) \(unit) was taken: "
      + causes.compactMap { $0 }.joined(separator: ", ")
  }
}

extension JSON {
  /// A text as it is, any other value as JSON.
  fileprivate var plainText: String { stringValue ?? text(.canonical) }
}

extension DirectRows {
  /// Nil where a row is more than fields of its record.
  init?(_ options: DataOptions) {
    guard case .field(let prompt)? = options.template?.pieces.first, options.template?.pieces.count == 1,
      options.messages == nil, options.cuttable.isEmpty, options.generations.isEmpty,
      options.conditions.isEmpty,
      options.dedup.isEmpty, options.partition == nil, options.shuffle == nil,
      options.derived.inOrder.isEmpty,
      case .none = options.stripped, options.columns.samples.isEmpty
    else { return nil }
    var columns: [(name: String, field: String)] = []
    for column in options.columns.columns {
      guard case .field(let field) = column.source else { return nil }
      columns.append((column.name, field))
    }
    self.init(id: options.id, prompt: prompt, columns: columns)
  }
}

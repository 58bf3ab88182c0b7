// A database of SQLite: statements with their values, and rows of texts and numbers. The one file that imports SQLite's library.
//
// Over the library itself: a Swift wrapper of it took a quarter of a build from nothing, for a dozen statements.

import CSQLite

/// What SQLite refused.
struct DatabaseError: Error, CustomStringConvertible {
  let description: String
}

/// A value of a statement or a row.
enum DatabaseValue: Equatable, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
  case null
  case integer(Int64)
  case text(String)

  init(stringLiteral value: String) { self = .text(value) }
  init(nilLiteral: ()) { self = .null }
  init(_ text: String?) { self = text.map { .text($0) } ?? .null }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var integer: Int64? { if case .integer(let integer) = self { integer } else { nil } }
}

/// Open for as long as it lives; used by one thread at a time.
final class Database {
  private let connection: OpaquePointer

  /// - Parameter path: of the file, which is made if it is not there; nil for a database in memory.
  init(_ path: String?) throws {
    var connection: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX
    let code = sqlite3_open_v2(path ?? ":memory:", &connection, flags, nil)
    guard code == SQLITE_OK, let connection else {
      sqlite3_close_v2(connection)
      throw DatabaseError(description: String(cString: sqlite3_errstr(code)))
    }
    self.connection = connection
    sqlite3_busy_timeout(connection, 10_000)
    try execute("PRAGMA foreign_keys = ON")
  }

  deinit { sqlite3_close_v2(connection) }

  /// One statement or several, without values.
  func execute(_ statements: String) throws {
    guard sqlite3_exec(connection, statements, nil, nil, nil) == SQLITE_OK else { throw failure }
  }

  /// All rows that one statement gives.
  @discardableResult
  func rows(_ statement: String, _ values: [DatabaseValue] = []) throws -> [[DatabaseValue]] {
    let prepared = try Statement(statement, connection)
    try prepared.bind(values)
    var rows: [[DatabaseValue]] = []
    while try prepared.step() { rows.append(prepared.row) }
    return rows
  }

  /// Runs one statement for each list of values.
  func execute(_ statement: String, forEach lists: some Sequence<[DatabaseValue]>) throws {
    let prepared = try Statement(statement, connection)
    for values in lists {
      try prepared.bind(values)
      while try prepared.step() {}
    }
  }

  /// All that `body` changes, or nothing of it.
  func transaction<T>(_ body: () throws -> T) throws -> T {
    try execute("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      try? execute("ROLLBACK")
      throw error
    }
  }

  private var failure: DatabaseError {
    DatabaseError(description: String(cString: sqlite3_errmsg(connection)))
  }
}

/// A statement made ready, to be run with one list of values after another.
private final class Statement {
  private let statement: OpaquePointer
  private let connection: OpaquePointer

  init(_ text: String, _ connection: OpaquePointer) throws {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(connection, text, -1, &statement, nil) == SQLITE_OK, let statement else {
      throw DatabaseError(description: String(cString: sqlite3_errmsg(connection)))
    }
    self.statement = statement
    self.connection = connection
  }

  deinit { sqlite3_finalize(statement) }

  func bind(_ values: [DatabaseValue]) throws {
    sqlite3_reset(statement)
    precondition(
      values.count == Int(sqlite3_bind_parameter_count(statement)),
      "\(values.count) values for another number")
    for (index, value) in zip(Int32(1)..., values) {
      let code =
        switch value {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let integer): sqlite3_bind_int64(statement, index, integer)
        // SAFETY: -1 is how the library spells SQLITE_TRANSIENT, by which it copies the text before it returns.
        case .text(let text):
          sqlite3_bind_text(
            statement, index, text, Int32(clamping: text.utf8.count),
            unsafeBitCast(-1, to: sqlite3_destructor_type.self))
        }
      guard code == SQLITE_OK else { throw failure }
    }
  }

  /// False at the end of the rows.
  func step() throws -> Bool {
    switch sqlite3_step(statement) {
    case SQLITE_ROW: true
    case SQLITE_DONE: false
    default: throw failure
    }
  }

  var row: [DatabaseValue] {
    (0..<sqlite3_column_count(statement)).map { column in
      switch sqlite3_column_type(statement, column) {
      case SQLITE_NULL: .null
      case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
      default:
        .text(
          sqlite3_column_text(statement, column).map { text in
            let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, column)))
            return String(decoding: bytes, as: UTF8.self)
          } ?? "")
      }
    }
  }

  private var failure: DatabaseError {
    DatabaseError(description: String(cString: sqlite3_errmsg(connection)))
  }
}

// The index of all runs: an SQLite database beside them that holds nothing their directories do not, and is made again
// from them when it is missing, old or damaged. The one file that imports SQLite's library.

import Foundation
import GRDB
import JSON
import Runner
import System

/// Open for the time of one command.
package struct RunIndex {
  private let database: DatabaseQueue
  /// The folder that holds `NAME/ID/`.
  private let folder: String

  /// Bumped when a table changes; an index of another version is thrown away.
  private static let version = 1

  /// Opens the index and brings it up to date with the directories.
  /// - Throws: `SystemError` when a directory cannot be read.
  package init(runs folder: String) throws {
    self.folder = Path.absolute(folder)
    database = try RunIndex.upToDate(self.folder)
  }

  /// - Throws: what keeps the directories from being read; what is wrong with the database is dealt with.
  private static func upToDate(_ folder: String) throws -> DatabaseQueue {
    let path = "\(folder)/index.sqlite"
    func attempt(_ path: String?) throws -> DatabaseQueue {
      let database = try open(path)
      try refresh(database, folder)
      return database
    }
    do { return try attempt(path) } catch is DatabaseError {
      // Damaged, half written, or not a database at all.
    }
    for suffix in ["", "-wal", "-shm", "-journal"] { try? File.remove(path + suffix) }
    // Where nothing can be written, or there are no locks, an index for this command alone will do.
    do { return try attempt(path) } catch is DatabaseError { return try attempt(nil) }
  }

  private static func open(_ path: String?) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    let database =
      if let path, FileStatus.of(Path.parent(path)) != nil {
        try DatabaseQueue(path: path, configuration: configuration)
      } else {
        try DatabaseQueue(configuration: configuration)
      }
    try database.write { db in
      // A file cut short opens well and then lacks rows.
      guard try String.fetchOne(db, sql: "PRAGMA quick_check(1)") == "ok" else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT)
      }
      guard try Int.fetchOne(db, sql: "PRAGMA user_version") != version else { return }
      try db.execute(
        sql: """
          DROP TABLE IF EXISTS node;
          DROP TABLE IF EXISTS run;
          CREATE TABLE run (
            path TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, id TEXT NOT NULL, experiment TEXT NOT NULL,
            summary TEXT NOT NULL, seal TEXT NOT NULL);
          CREATE INDEX run_by_id ON run (id);
          CREATE TABLE node (
            run TEXT NOT NULL REFERENCES run (path) ON DELETE CASCADE, address TEXT NOT NULL, key TEXT NOT NULL,
            computed INTEGER NOT NULL);
          CREATE INDEX node_by_address ON node (address);
          CREATE INDEX node_by_run ON node (run);
          PRAGMA user_version = \(version);
          """)
    }
    return database
  }

  /// Reads the directories that are new or changed, and forgets those that are gone.
  private static func refresh(_ database: DatabaseQueue, _ folder: String) throws {
    var present: [(path: String, fingerprint: String)] = []
    for name in try File.names(in: folder) {
      let experiment = "\(folder)/\(name)"
      guard FileStatus.of(experiment)?.isDirectory == true else { continue }
      for id in try File.names(in: experiment) {
        let path = "\(experiment)/\(id)"
        if let fingerprint = RunIndex.fingerprint(path) { present.append((path, fingerprint)) }
      }
    }
    let known = try database.read { db in
      var known: [String: String] = [:]
      for row in try Row.fetchAll(db, sql: "SELECT path, fingerprint, summary, seal FROM run") {
        // A row that is not what was written is made again.
        known[row[0]] = row[3] == RunIndex.seal(row[0], row[1], row[2]) ? row[1] : ""
      }
      return known
    }
    let changed = present.filter { known[$0.path] != $0.fingerprint }
    let gone = Set(known.keys).subtracting(present.map(\.path))
    guard !changed.isEmpty || !gone.isEmpty else { return }
    try database.write { db in
      for path in gone { try db.execute(sql: "DELETE FROM run WHERE path = ?", arguments: [path]) }
      for (path, fingerprint) in changed { try RunIndex.insert(path, fingerprint, db) }
    }
  }

  private static func seal(_ path: String, _ fingerprint: String, _ summary: String) -> String {
    Digest.of(text: "\(path)\n\(fingerprint)\n\(summary)").hex
  }

  /// Changes whenever one of the files that are read does; nil when there is no run.
  private static func fingerprint(_ path: String) -> String? {
    guard FileStatus.of("\(path)/events.jsonl") != nil else { return nil }
    return ["events.jsonl", "run.json", "metrics.json"].map { name in
      FileStatus.of("\(path)/\(name)").map { "\($0.size),\($0.modifiedNanoseconds),\($0.inode)" } ?? "-"
    }.joined(separator: " ")
  }

  private static func insert(_ path: String, _ fingerprint: String, _ db: Database) throws {
    try db.execute(sql: "DELETE FROM run WHERE path = ?", arguments: [path])
    guard let summary = try RunSummary(directory: path) else { return }
    let text = summary.json.text()
    try db.execute(
      sql: "INSERT INTO run (path, fingerprint, id, experiment, summary, seal) VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [
        path, fingerprint, summary.id, summary.experiment, text, RunIndex.seal(path, fingerprint, text),
      ])
    let insert = try db.makeStatement(
      sql: "INSERT INTO node (run, address, key, computed) VALUES (?, ?, ?, ?)")
    try RunEvents.read(path) { event in
      let name = event["event"]?.stringValue
      guard name == "node-cached" || name == "node-finished", let address = event["node"]?.stringValue,
        let key = event["key"]?.stringValue
      else { return }
      try insert.execute(arguments: [path, address, key, name == "node-finished"])
    }
  }

  // MARK: asking

  /// In the order in which they began.
  package func runs(experiment: String? = nil) throws -> [RunSummary] {
    try database.read { db in
      let texts = try String.fetchAll(
        db, sql: "SELECT summary FROM run WHERE ? IS NULL OR experiment = ? ORDER BY id, path",
        arguments: [experiment, experiment])
      return texts.compactMap { text in (try? JSON(parsing: text)).flatMap(RunSummary.init(json:)) }
    }
  }

  /// The keys an address of an experiment had, the newest first, each once.
  package func keys(experiment: String, address: String) throws -> [String] {
    try database.read { db in
      try String.fetchAll(
        db,
        sql: """
          SELECT node.key FROM node JOIN run ON run.path = node.run
          WHERE run.experiment = ? AND node.address = ? GROUP BY node.key ORDER BY max(run.id) DESC
          """, arguments: [experiment, address])
    }
  }

  /// The newest run that computed this key itself; its log is where the computation's is.
  package func runThatComputed(key: String) throws -> (path: String, address: String)? {
    try database.read { db in
      try Row.fetchOne(
        db,
        sql: """
          SELECT node.run, node.address FROM node JOIN run ON run.path = node.run
          WHERE node.key = ? AND node.computed ORDER BY run.id DESC
          """, arguments: [key]
      ).map { ($0[0], $0[1]) }
    }
  }
}

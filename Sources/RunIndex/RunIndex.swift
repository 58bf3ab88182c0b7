// The index of all runs: an SQLite database beside them that holds nothing their directories do not, and is made again
// from them when it is missing, old or damaged.

import JSON
import Runner
import System

/// Open for the time of one command.
package struct RunIndex {
  private let database: Database
  /// The folder that holds `NAME/ID/`.
  private let folder: String

  /// Bumped when a table changes; an index of another version is thrown away.
  private static let version: Int64 = 1

  /// Opens the index and brings it up to date with the directories.
  /// - Throws: `SystemError` when a directory cannot be read.
  package init(runs folder: String) throws {
    self.folder = Path.absolute(folder)
    database = try RunIndex.upToDate(self.folder)
  }

  /// - Throws: what keeps the directories from being read; what is wrong with the database is dealt with.
  private static func upToDate(_ folder: String) throws -> Database {
    let path = "\(folder)/index.sqlite"
    func attempt(_ path: String?) throws -> Database {
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

  private static func open(_ path: String?) throws -> Database {
    let isInMemory = path.map { FileStatus.of(Path.parent($0)) == nil } ?? true
    let database = try Database(isInMemory ? nil : path)
    try database.transaction {
      // A file cut short opens well and then lacks rows.
      guard try database.rows("PRAGMA quick_check(1)") == [["ok"]] else {
        throw DatabaseError(description: "the database is damaged")
      }
      guard try database.rows("PRAGMA user_version") != [[.integer(version)]] else { return }
      try database.execute(
        """
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
  private static func refresh(_ database: Database, _ folder: String) throws {
    var present: [(path: String, fingerprint: String)] = []
    for name in try File.names(in: folder) {
      let experiment = "\(folder)/\(name)"
      guard FileStatus.of(experiment)?.isDirectory == true else { continue }
      for id in try File.names(in: experiment) {
        let path = "\(experiment)/\(id)"
        if let fingerprint = RunIndex.fingerprint(path) { present.append((path, fingerprint)) }
      }
    }
    var known: [String: String] = [:]
    for row in try database.rows("SELECT path, fingerprint, summary, seal FROM run") {
      let texts = row.map { $0.text ?? "" }
      // A row that is not what was written is made again.
      known[texts[0]] = texts[3] == RunIndex.seal(texts[0], texts[1], texts[2]) ? texts[1] : ""
    }
    let changed = present.filter { known[$0.path] != $0.fingerprint }
    let gone = Set(known.keys).subtracting(present.map(\.path))
    guard !changed.isEmpty || !gone.isEmpty else { return }
    try database.transaction {
      try database.execute("DELETE FROM run WHERE path = ?", forEach: gone.map { [.text($0)] })
      for (path, fingerprint) in changed { try RunIndex.insert(path, fingerprint, database) }
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

  private static func insert(_ path: String, _ fingerprint: String, _ database: Database) throws {
    try database.rows("DELETE FROM run WHERE path = ?", [.text(path)])
    guard let summary = try RunSummary(directory: path) else { return }
    let text = summary.json.text()
    let values = [
      path, fingerprint, summary.id, summary.experiment, text, RunIndex.seal(path, fingerprint, text),
    ]
    try database.rows(
      "INSERT INTO run (path, fingerprint, id, experiment, summary, seal) VALUES (?, ?, ?, ?, ?, ?)",
      values.map { .text($0) })
    var nodes: [[DatabaseValue]] = []
    try RunEvents.read(path) { event in
      let name = event["event"]?.stringValue
      guard name == "node-cached" || name == "node-finished", let address = event["node"]?.stringValue,
        let key = event["key"]?.stringValue
      else { return }
      nodes.append([.text(path), .text(address), .text(key), .integer(name == "node-finished" ? 1 : 0)])
    }
    try database.execute("INSERT INTO node (run, address, key, computed) VALUES (?, ?, ?, ?)", forEach: nodes)
  }

  // MARK: queries

  /// In the order in which they began.
  package func runs(experiment: String? = nil) throws -> [RunSummary] {
    let name = DatabaseValue(experiment)
    let rows = try database.rows(
      "SELECT summary FROM run WHERE ? IS NULL OR experiment = ? ORDER BY id, path", [name, name])
    return rows.compactMap { row in
      row[0].text.flatMap { try? JSON(parsing: $0) }.flatMap(RunSummary.init(json:))
    }
  }

  /// The keys an address of an experiment had, the newest first, each once.
  package func keys(experiment: String, address: String) throws -> [String] {
    let rows = try database.rows(
      """
      SELECT node.key FROM node JOIN run ON run.path = node.run
      WHERE run.experiment = ? AND node.address = ? GROUP BY node.key ORDER BY max(run.id) DESC
      """, [.text(experiment), .text(address)])
    return rows.compactMap { $0[0].text }
  }

  /// The newest run that computed this key itself; its log is where the computation's is.
  package func runThatComputed(key: String) throws -> (path: String, address: String)? {
    let rows = try database.rows(
      """
      SELECT node.run, node.address FROM node JOIN run ON run.path = node.run
      WHERE node.key = ? AND node.computed ORDER BY run.id DESC LIMIT 1
      """, [.text(key)])
    guard let row = rows.first, let path = row[0].text, let address = row[1].text else { return nil }
    return (path, address)
  }
}

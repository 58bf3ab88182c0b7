// `plumb show --provenance`: the models and data that a run read, where they came from, and under which licence.

import JSON
import System

package struct RunSources {
  /// The heading first.
  package let rows: [[String]]

  /// Data are known of stages that ran, from their records.
  package init(_ run: RunSummary, store: Store) throws {
    let plan = try JSON(parsing: try File.read("\(run.path)/plan.json"))
    var rows = [["kind", "name", "source", "sha256", "licence"]]
    for model in plan["models"]?.arrayValue ?? [] {
      rows.append(
        ["model"] + ["name", "source", "sha256", "licence"].map { model[$0]?.stringValue ?? "" })
    }
    var seen: Set<[String]> = []
    for node in try RunNode.read(run.path) {
      guard let key = node.key, let record = try store.unverifiedRecord(key) else { continue }
      for file in record.provenance.files {
        let row = ["file", node.address, file.path, file.sha256 ?? "", ""]
        if seen.insert(Array(row.dropFirst(2))).inserted { rows.append(row) }
      }
    }
    self.rows = rows
  }

  package func text(_ format: TableFormat) -> String {
    format == .text
      ? format.text(rows.map { row in row.enumerated().map { $0 == 3 ? String($1.prefix(12)) : $1 } })
      : format.text(rows)
  }

  package var json: JSON {
    .array(
      rows.dropFirst().map { row in
        .object(JSONObject(zip(rows[0], row).map { ($0, $1.isEmpty ? .null : .string($1)) }))
      })
  }
}

extension ModelReference {
  /// For people: what is fetched with its revision, a path, or the result of an experiment.
  package var sourceText: String {
    switch source {
    case .path(let path): path
    case .remote(let remote): "\(remote.scheme.rawValue):\(remote.text)"
    case .run(let file, let address): "\(file)::\(address)"
    case .server(let server): server.url + (server.model.map { " \($0)" } ?? "")
    }
  }
}

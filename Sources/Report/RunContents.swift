// A run with what its stages wrote, as its folder and the store tell it.

import JSON
import Runner
import System

struct RunContents {
  let run: RunSummary
  let store: Store
  let nodes: [RunNode]
  /// By place in `nodes`; nil where a stage has not finished, or the store has forgotten it.
  let records: [NodeRecord?]

  init(_ run: RunSummary, store: Store) throws {
    self.run = run
    self.store = store
    nodes = try RunNode.read(run.path)
    records = try nodes.map { node in
      guard let key = node.key, node.state == .done || node.state == .cached else { return nil }
      return try store.unverifiedRecord(key)
    }
  }

  /// What a stage measured, where its bytes are still there.
  func metrics(_ place: Int) -> JSONObject? {
    guard let output = records[place]?.outputs.first(where: { $0.type == .metrics }),
      let path = try? store.readingPath(output), let bytes = try? File.read(path)
    else { return nil }
    return (try? JSON(parsing: bytes))?.objectValue
  }

  func place(of address: String) -> Int? { nodes.firstIndex { UTF8Key($0.address) == UTF8Key(address) } }

  /// The stage and the output behind `quark@1.judge.rows`.
  func output(_ source: String) -> (place: Int, output: StoredOutput)? {
    guard let dot = source.utf8.lastIndex(of: UInt8(ascii: ".")),
      let place = place(of: String(source[..<dot])), let record = records[place],
      let output = record.output(String(source[source.utf8.index(after: dot)...]))
    else { return nil }
    return (place, output)
  }

  /// The last lines of what a stage printed; nil of nothing.
  func endOfLog(_ address: String) -> String? {
    guard let bytes = try? File.read(RunNode.logPath(run.path, address)), !bytes.isEmpty else { return nil }
    let lines = String(decoding: bytes.suffix(8_000), as: UTF8.self).split(separator: "\n").suffix(30)
    return lines.joined(separator: "\n") + "\n"
  }

  func text(_ file: String) -> String? {
    (try? File.read("\(run.path)/\(file)")).map { String(decoding: $0, as: UTF8.self) }
  }
}

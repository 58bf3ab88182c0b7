// Which results go along with a run.

import JSON
import Runner
import System
import TestFolder
import Testing

@Suite struct RunTransferTests {
  /// A store with a record for each key; outputs and inputs are named by the digests of texts.
  private func store(_ records: [(key: String, inputs: [String], outputs: [String])], in folder: String)
    throws
    -> Store
  {
    let store = try Store(at: "\(folder)/.plumb")
    for record in records {
      let outputs = try record.outputs.enumerated().map { index, text in
        try File.writeWhole(text, to: "\(folder)/made")
        return try store.adopt("\(folder)/made", port: "out\(index)", type: .file)
      }
      let inputs = JSONObject(
        record.inputs.enumerated().map { ("in\($0)", .string(Digest.of(text: $1).hex)) })
      try store.write(
        NodeRecord(
          key: Digest.of(text: record.key).hex, preimage: ["inputs": .object(inputs)], outputs: outputs,
          address: record.key, recipeKey: "", seconds: 0, measures: []))
    }
    return store
  }

  private func run(_ keys: [String], in folder: String) throws -> RunSummary {
    let path = "\(folder)/runs/x/1"
    try File.makeDirectory(path)
    let nodes = keys.map { key -> JSON in
      ["address": .string(key), "stage": "s", "key": .string(Digest.of(text: key).hex)]
    }
    try File.writeWhole(
      (["experiment": "x", "nodes": .array(nodes)] as JSON).text(), to: "\(path)/plan.json")
    try File.writeWhole("{\"event\":\"run-finished\",\"exit\":0,\"seconds\":1}\n", to: "\(path)/events.jsonl")
    return try #require(try RunSummary(directory: path))
  }

  @Test func `a run needs its own results, and of other experiments what made a model that it reads`() throws
  {
    let folder = TemporaryFolder()
    let store = try store(
      [
        ("a", [], ["rows"]), ("b", ["rows", "model"], ["text"]),
        // Of another experiment: it made the model, of something that another one made.
        ("trained", ["base"], ["model", "log"]), ("base", [], ["base"]),
        // The same rows by other means are not needed, nor what reads them.
        ("same", ["far"], ["rows"]), ("reader", ["text"], ["end"]), ("far", [], ["far"]),
      ], in: folder.path)
    let keys = try RunTransfer.keys(of: [try run(["a", "b"], in: folder.path)], in: store)
    #expect(keys == ["a", "b", "trained", "base"].map { Digest.of(text: $0).hex })
  }

  @Test func `a run's folder is copied but for its lock, once`() throws {
    let folder = TemporaryFolder()
    let run = try run(["a"], in: folder.path)
    try File.makeDirectory("\(run.path)/logs")
    try File.writeWhole("printed", to: "\(run.path)/logs/a.log")
    try File.writeWhole("", to: "\(run.path)/lock")
    #expect(try RunTransfer.copy(run, to: "\(folder.path)/other"))
    #expect(try !RunTransfer.copy(run, to: "\(folder.path)/other"))
    let names = try Manifest.files(below: "\(folder.path)/other", followingLinks: false)
    #expect(names == ["x/1/events.jsonl", "x/1/logs/a.log", "x/1/plan.json"])
    #expect(try RunTransfer.runs(below: "\(folder.path)/other").map(\.id) == ["1"])
    #expect(try RunTransfer.runs(below: "\(folder.path)/nowhere").isEmpty)
  }
}

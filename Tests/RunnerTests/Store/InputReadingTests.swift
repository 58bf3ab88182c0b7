import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing

/// A file of the user's is hashed once while its state stands, the record says so, and `--strict` hashes always.
@Suite struct InputReadingTests {
  private func reading(_ toy: ToyRunner) throws -> String? {
    let store = try Store(at: "\(toy.path)/.plumb")
    let records = try store.recordKeys().compactMap { try store.unverifiedRecord($0) }
    return records.first { $0.address == "read" }?.readings.arrayValue?.first?["read"]?.stringValue
  }

  private func forgetResult(_ toy: ToyRunner) throws { try File.removeTree("\(toy.path)/.plumb/records") }

  @Test func `the record says whether an input was hashed or remembered`() throws {
    let toy = try ToyRunner(
      nodes: "{\"address\": \"read\", \"stage\": \"read-file\", \"options\": {\"path\": \"data.jsonl\"}}")
    try toy.folder.write("{\"id\":\"a\"}\n", to: "data.jsonl")
    // Older than the grain of file times.
    usleep(150_000)
    #expect(try toy.run() == .exited(0))
    #expect(try reading(toy) == "hashed")
    try forgetResult(toy)
    #expect(try toy.run() == .exited(0))
    #expect(try reading(toy) == "remembered")
    try forgetResult(toy)
    #expect(try toy.run("run", "--strict") == .exited(0))
    #expect(try reading(toy) == "hashed")
  }

  @Test func `strict sees a change that keeps size, times and inode`() throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/file"
    try folder.write("one", to: "file")
    usleep(150_000)
    let store = try Store(at: "\(folder.path)/.plumb")
    let digest = try store.digestOfInput(path)
    store.saveStatCache()
    let again = try Store(at: "\(folder.path)/.plumb")
    #expect(try again.digestOfInput(path) == digest)
    #expect(again.readings[UTF8Key(path)]?.wasHashed == false)
    let strict = try Store(at: "\(folder.path)/.plumb")
    strict.isStrict = true
    #expect(try strict.digestOfInput(path) == digest)
    #expect(strict.readings[UTF8Key(path)]?.wasHashed == true)
  }

  @Test func `a model that changes while a stage reads it spoils the result, which is not kept`() throws {
    let toy = try ToyRunner(
      nodes: """
        {"address": "rows", "stage": "rows"},
        {"address": "train", "stage": "train", "options": {"steps": 20, "milliseconds": 50}, "inputs": {"rows": "rows:rows", "model": "model:start"}}
        """, models: "{\"start\": \"model\"}")
    try File.makeDirectory("\(toy.path)/model")
    try toy.folder.write("weights", to: "model/weights")
    let run = try toy.start()
    try toy.wait(for: "the training") { try !File.names(in: "\(toy.path)/.plumb/checkpoints").isEmpty }
    try toy.folder.write("other weights", to: "model/weights")
    #expect(run.ending(waiting: true) == .exited(4))
    #expect(
      toy.standardError.contains("the model `start` changed while `train` ran; its result is not kept"),
      "\(toy.standardError)")
    #expect(try toy.names("records").count == 1)
  }
}

import Glibc
import JSON
import Runner
import Synchronization
import System
import TestFolder
import Testing

@Suite struct StoreTests {
  /// Stands for a machine that dies: from the n-th step on nothing reaches the disk any more.
  private final class Death: Sendable {
    private let left: Atomic<Int>
    init(after steps: Int) { left = Atomic(steps) }
    struct Died: Error {}
    func step() throws {
      if left.subtract(1, ordering: .relaxed).oldValue <= 0 { throw Died() }
    }
    var hasStruck: Bool { left.load(ordering: .relaxed) < 0 }
  }

  private let key = String(repeating: "ab", count: 32)

  /// What a node does at its end: two files and a directory adopted, the record written.
  private func finishNode(_ folder: TemporaryFolder) throws {
    let store = try Store(at: "\(folder.path)/.plumb")
    let work = "\(folder.path)/work"
    try File.removeTree(work)
    try File.makeDirectory("\(work)/model/sub")
    try File.writeDurably("rows\n", to: "\(work)/rows.jsonl")
    try File.writeDurably("weights", to: "\(work)/model/weights")
    try File.writeDurably("{}", to: "\(work)/model/sub/config.json")
    let outputs = [
      try store.adopt("\(work)/rows.jsonl", port: "rows", type: .rows),
      try store.adopt("\(work)/model", port: "model", type: .model),
    ]
    try store.write(
      NodeRecord(
        key: key, preimage: ["a": 1], outputs: outputs, address: "x.y", recipeKey: "r", seconds: 1.5,
        measures: [("tokens", 3)]))
    store.saveStatCache()
  }

  private func expectFinished(_ folder: TemporaryFolder) throws {
    let store = try Store(at: "\(folder.path)/.plumb")
    let record = try #require(try store.record(key))
    #expect(record.address == "x.y" && record.preimage == ["a": 1] && record.measures.first?.value == 3)
    let rows = try store.readingPath(try #require(record.output("rows")))
    #expect(String(decoding: try File.read(rows), as: UTF8.self) == "rows\n")
    #expect(try FileStatus.orThrow(rows).mode & 0o777 == 0o444)
    let model = try store.readingPath(try #require(record.output("model")))
    #expect(String(decoding: try File.read("\(model)/weights"), as: UTF8.self) == "weights")
    #expect(String(decoding: try File.read("\(model)/sub/config.json"), as: UTF8.self) == "{}")
  }

  @Test func `what was adopted reads back`() throws {
    let folder = TemporaryFolder()
    try finishNode(folder)
    try expectFinished(folder)
  }

  @Test func `death at any step leaves no record or a whole one, and the next attempt completes`() throws {
    var steps = 0
    while true {
      let folder = TemporaryFolder()
      let death = Death(after: steps)
      do {
        try File.withFault({ _, _ in try death.step() }, { try finishNode(folder) })
      } catch is Death.Died {}
      if !death.hasStruck { break }
      let store = try Store(at: "\(folder.path)/.plumb")
      if try store.record(key) != nil { try expectFinished(folder) }
      try finishNode(folder)
      try expectFinished(folder)
      steps += 1
    }
    #expect(steps > 40)
  }

  @Test func `a full disk at any step is a typed error that names the path, and the next attempt completes`()
    throws
  {
    var steps = 0
    while true {
      let folder = TemporaryFolder()
      var struck = false
      do {
        let counter = Counter(steps)
        try File.withFault(
          { operation, path in
            guard operation != .unlink, counter.next() else { return }
            throw SystemError(operation.rawValue, path, code: ENOSPC, bytes: operation == .write ? 7 : nil)
          }, { try finishNode(folder) })
      } catch let error as SystemError {
        struck = true
        #expect(ExitCode(for: error) == .machine)
        #expect(error.description.contains(folder.path) && error.description.contains("free some space"))
      }
      if !struck { break }
      try finishNode(folder)
      try expectFinished(folder)
      for place in ["", "/tmp", "/records", "/records/ab", "/objects", "/index"] {
        for name in try File.names(in: "\(folder.path)/.plumb\(place)") {
          #expect(!name.contains(".tmp"), "\(place)/\(name) is left over")
        }
      }
      steps += 1
    }
    #expect(steps > 20)
  }

  /// True once, at the n-th call.
  private final class Counter: Sendable {
    private let left: Atomic<Int>
    init(_ steps: Int) { left = Atomic(steps) }
    func next() -> Bool { left.subtract(1, ordering: .relaxed).oldValue == 0 }
  }

  @Test(arguments: ["flip", "truncate", "empty", "delete", "zero"])
  func `any damage to an object or a record is a miss, never a wrong result`(how: String) throws {
    let intact = TemporaryFolder()
    try finishNode(intact)
    let files =
      try Manifest.files(below: "\(intact.path)/.plumb/objects", followingLinks: false).map {
        "objects/\($0)"
      }
      + Manifest.files(below: "\(intact.path)/.plumb/records", followingLinks: false).map { "records/\($0)" }
    #expect(files.count == 5)
    for name in files {
      let folder = TemporaryFolder()
      try finishNode(folder)
      let path = "\(folder.path)/.plumb/\(name)"
      var bytes = try File.read(path)
      switch how {
      case "flip": bytes[bytes.count / 2] ^= 0x10
      case "truncate": bytes.removeLast()
      case "empty": bytes = []
      case "zero": bytes = bytes.map { _ in 0 }
      default: break
      }
      try File.remove(path)
      if how != "delete" { try File.writeDurably(String(decoding: bytes, as: UTF8.self), to: path) }
      let store = try Store(at: "\(folder.path)/.plumb")
      var warnings: [String] = []
      store.onWarning = { warnings.append($0) }
      #expect(try store.record(key) == nil, "\(how) \(name)")
      #expect(warnings.count == (how == "delete" ? 0 : 1))
      #expect(try File.names(in: "\(folder.path)/.plumb/quarantine").count == warnings.count)
      try finishNode(folder)
      try expectFinished(folder)
    }
  }

  @Test func `two objects that were swapped are both found out`() throws {
    let folder = TemporaryFolder()
    try finishNode(folder)
    let names = try Manifest.files(below: "\(folder.path)/.plumb/objects", followingLinks: false)
    let first = "\(folder.path)/.plumb/objects/\(names[0])"
    let second = "\(folder.path)/.plumb/objects/\(names[1])"
    try File.rename(first, to: "\(folder.path)/x")
    try File.rename(second, to: first)
    try File.rename("\(folder.path)/x", to: second)
    #expect(try Store(at: "\(folder.path)/.plumb").record(key) == nil)
    try finishNode(folder)
    try expectFinished(folder)
  }

  @Test func `a newer store is refused`() throws {
    let folder = TemporaryFolder()
    _ = try Store(at: "\(folder.path)/.plumb")
    try folder.write("3\n", to: ".plumb/format")
    let error = try #require(throws: StoreError.self) { try Store(at: "\(folder.path)/.plumb") }
    #expect(error.description.contains("has format 3, this program knows up to 2"))
    #expect(ExitCode(for: error) == .store)
    try folder.write("rubbish", to: ".plumb/format")
    #expect(throws: StoreError.self) { try Store(at: "\(folder.path)/.plumb") }
  }

  @Test func `a lock is held once and freed when it is released`() throws {
    let folder = TemporaryFolder()
    let store = try Store(at: "\(folder.path)/.plumb")
    guard
      case .held(let lock) = try NodeLock.attempt(
        key, in: store, holder: LockHolder(name: "run 1", since: "noon"))
    else {
      Issue.record("a free lock was not given")
      return
    }
    guard
      case .busy(let holder) = try NodeLock.attempt(
        key, in: store, holder: LockHolder(name: "run 2", since: "noon"))
    else {
      Issue.record("a held lock was given")
      return
    }
    #expect(holder.hasPrefix("run 1 (process \(getpid()) on ") && holder.hasSuffix(", since noon)"))
    lock.release()
    guard case .held = try NodeLock.attempt(key, in: store, holder: LockHolder(name: "run 2", since: "noon"))
    else {
      Issue.record("a released lock was not given")
      return
    }
  }

  @Test func `an input file is hashed again when it changed and not before`() throws {
    let folder = TemporaryFolder()
    let store = try Store(at: "\(folder.path)/.plumb")
    try folder.write("one", to: "file")
    let first = try store.digestOfInput("\(folder.path)/file")
    #expect(first == Digest.of(text: "one"))
    usleep(150_000)
    #expect(try store.digestOfInput("\(folder.path)/file") == first)
    try folder.write("two", to: "file")
    #expect(try store.digestOfInput("\(folder.path)/file") == Digest.of(text: "two"))
  }

  @Test func `a model folder and the tree of its files have one digest`() throws {
    let folder = TemporaryFolder()
    try File.makeDirectory("\(folder.path)/model")
    try folder.write("weights", to: "model/weights")
    try folder.write("ignored", to: "model/.hidden")
    let store = try Store(at: "\(folder.path)/.plumb")
    let digest = try store.digestOfModel("\(folder.path)/model")
    #expect(try store.adopt("\(folder.path)/model", port: "model", type: .model).digest == digest)
  }
}

import Glibc
import JSON
import Runner
import System
import Testing

/// SQLite's method: the n-th file operation of a run and its workers goes wrong, for n = 1, 2, 3 … until a run meets no fault;
/// after each the next run completes with the same bytes.
@Suite(.serialized) struct FileFaultTests {
  /// A file and a directory are made, and both are read.
  private static let nodes = """
    {"address": "start", "stage": "start"},
    {"address": "train", "stage": "train", "options": {"steps": 1}, "inputs": {"rows": "start:rows", "model": "start:model"}}
    """

  private struct Whole: Equatable, Sendable {
    let objects: [String]
    let records: [String]
    init(_ toy: ToyRunner) throws {
      objects = try toy.names("objects")
      records = try toy.names("records")
    }
  }

  private static let undisturbed: Result<(whole: Whole, operations: [UInt8]), any Error> = Result {
    let toy = try ToyRunner(nodes: nodes)
    let (ending, operations) = try run(toy, 1_000_000, " EIO")
    #expect(ending == .exited(0))
    return (try Whole(toy), operations)
  }

  /// Runs with a fault; gives how it ended and the letters of the operations it did.
  private static func run(_ toy: ToyRunner, _ n: Int, _ what: String) throws -> (
    ending: ChildProcess.Ending, operations: [UInt8]
  ) {
    try File.remove("\(toy.path)/operations")
    let child = try toy.start(environment: [
      (InjectedFault.variable, "\(n)\(what) \(toy.path)/operations")
    ])
    let ending = try #require(child.ending(waiting: true))
    return (ending, try File.read("\(toy.path)/operations"))
  }

  private func expectRecovery(_ toy: ToyRunner, _ fault: String) throws {
    let said = toy.standardError
    // Whatever a name promises is there: nothing half-written under it.
    for name in try toy.names("objects") {
      let digest = try Digest.ofFile("\(toy.path)/.plumb/objects/\(name)").digest
      #expect(digest.hex == name.filter { $0 != "/" }, "after \(fault): \(said)")
    }
    for name in try toy.names("records") {
      #expect(throws: Never.self, "after \(fault)") {
        try SealedText.read("\(toy.path)/.plumb/records/\(name)")
      }
    }
    #expect(try toy.run() == .exited(0), "after \(fault): \(toy.standardError)")
    #expect(try Whole(toy) == Self.undisturbed.get().whole, "after \(fault)")
    for folder in ["journals", "checkpoints", "quarantine"] {
      #expect(try File.names(in: "\(toy.path)/.plumb/\(folder)").isEmpty, "after \(fault): \(folder)")
    }
    #expect(!toy.standardError.contains("warning"), "after \(fault): \(toy.standardError)")
  }

  /// A run is mostly waiting, so two go on at once. `body` says whether its run met the fault.
  private func forEveryOperation(_ body: @escaping @Sendable (Int) throws -> Bool) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for start in 1...2 {
        group.addTask {
          var n = start
          while try body(n) {
            n += 2
            guard n < 2000 else {
              Issue.record("no run without a fault")
              return
            }
          }
          #expect(n > 100)
        }
      }
      try await group.waitForAll()
    }
  }

  @Test(arguments: [" ", "+ "])
  func `a failing operation is exit 6 with path and reason, and the next run completes`(sticky: String)
    async throws
  {
    let reasons = [
      ("ENOSPC", "no space left on device"), ("EIO", "input/output error"), ("EDQUOT", "disk quota exceeded"),
      ("EMFILE", "too many open files"),
    ]
    try await forEveryOperation { n in
      let (name, reason) = reasons[n / 2 % reasons.count]
      let fault = "\(n)\(sticky)\(name)"
      let toy = try ToyRunner(nodes: Self.nodes)
      let (ending, operations) = try Self.run(toy, n, sticky + name)
      if operations.count < n {
        #expect(ending == .exited(0))
        return false
      }
      let said = toy.standardError
      #expect([.exited(6), .exited(0)].contains(ending), "\(fault): \(ending) \(said)")
      if ending == .exited(6), sticky == " " {
        #expect(
          said.contains("cannot ") && said.contains("`: \(reason)") || said.contains("bytes): \(reason)"),
          "\(fault): \(said)")
      }
      try expectRecovery(toy, fault)
      return true
    }
  }

  @Test func `a kill before any operation leaves what the next run completes`() async throws {
    try await forEveryOperation { n in
      let toy = try ToyRunner(nodes: Self.nodes)
      let (ending, operations) = try Self.run(toy, n, " kill")
      if operations.count < n {
        #expect(ending == .exited(0))
        return false
      }
      // Of the run, or of one of its workers.
      #expect(
        [.signalled(SIGKILL), .exited(1)].contains(ending), "\(n) kill: \(ending) \(toy.standardError)")
      try expectRecovery(toy, "\(n) kill")
      return true
    }
  }

  @Test func `a kill in the middle of any write leaves what the next run completes`() throws {
    let operations = try Self.undisturbed.get().operations
    let writes = operations.indices.filter { operations[$0] == UInt8(ascii: "w") }
    var torn = 0
    for index in writes {
      let toy = try ToyRunner(nodes: Self.nodes)
      let (ending, done) = try Self.run(toy, index + 1, " torn")
      // Run and workers share the count, so that another run may do something else as its n-th: then it was killed before that, or
      // came to its end with fewer.
      let wasMet = done.count > index
      #expect(
        wasMet ? [.signalled(SIGKILL), .exited(1)].contains(ending) : ending == .exited(0),
        "\(index + 1): \(ending)")
      if wasMet, done[index] == UInt8(ascii: "w") { torn += 1 }
      try expectRecovery(toy, "\(index + 1) torn")
    }
    #expect(torn > writes.count / 4, "of \(writes.count) writes")
  }

  @Test func `short writes are continued and nobody sees them`() throws {
    let toy = try ToyRunner(nodes: Self.nodes)
    #expect(try Self.run(toy, 1, "+ short").ending == .exited(0))
    #expect(try Whole(toy) == Self.undisturbed.get().whole)
  }
}

import Glibc
import JSON
import Runner
import Synchronization
import System
import TestFolder
import Testing

@Suite struct TransferTests {
  private static let plan = mixPlan.replacing("\"milliseconds\": 5", with: "\"milliseconds\": 0").replacing(
    "\"milliseconds\": 30", with: "\"milliseconds\": 0")

  private struct Died: Error {}

  private func steps(_ limit: Int) -> (fault: File.Fault, hasStruck: () -> Bool) {
    final class Left: Sendable {
      let count: Atomic<Int>
      init(_ count: Int) { self.count = Atomic(count) }
    }
    let left = Left(limit)
    return (
      { _, _ in if left.count.subtract(1, ordering: .relaxed).oldValue <= 0 { throw Died() } },
      { left.count.load(ordering: .relaxed) < 0 }
    )
  }

  @Test func `what was pushed can be pulled elsewhere, where nothing then runs`() throws {
    let toy = try ToyRunner(nodes: Self.plan)
    #expect(try toy.run() == .exited(0))
    let stick = TemporaryFolder()
    let own = try Store(at: "\(toy.path)/.plumb")
    let pushed = try Transfer(from: own, to: Store(at: "\(stick.path)/shared"))
    let count = try toy.names("objects").count
    #expect(pushed.records == 5 && pushed.objects == count)
    let again = try Transfer(from: own, to: Store(at: "\(stick.path)/shared"))
    #expect(again.records == 0 && again.objects == 0 && again.presentRecords == 5)

    let other = try ToyRunner(nodes: Self.plan)
    _ = try Transfer(from: Store(at: "\(stick.path)/shared"), to: Store(at: "\(other.path)/.plumb"))
    #expect(try other.run() == .exited(0))
    #expect(other.standardError.hasPrefix("nothing to run"), "\(other.standardError)")
    #expect(other.standardOutput == toy.standardOutput)
  }

  @Test func `cut off at any step, what is there is whole and the next attempt completes`() throws {
    let toy = try ToyRunner(nodes: "{\"address\": \"start\", \"stage\": \"start\"}")
    #expect(try toy.run() == .exited(0))
    let objects = try toy.names("objects")
    var count = 0
    while true {
      let stick = TemporaryFolder()
      let (fault, hasStruck) = steps(count)
      do {
        try File.withFault(fault) {
          _ = try Transfer(from: Store(at: "\(toy.path)/.plumb"), to: Store(at: stick.path))
        }
      } catch is Died {}
      if !hasStruck() { break }
      let found = try Verification(of: Store(at: stick.path), repairing: false)
      #expect(found.damages.isEmpty, "after step \(count)")
      _ = try Transfer(from: Store(at: "\(toy.path)/.plumb"), to: Store(at: stick.path))
      #expect(try Manifest.files(below: "\(stick.path)/objects", followingLinks: false) == objects)
      count += 1
    }
    #expect(count > 30)
  }

  @Test func `a result that is damaged at the source is left out and named`() throws {
    let toy = try ToyRunner(nodes: Self.plan)
    #expect(try toy.run() == .exited(0))
    let store = try Store(at: "\(toy.path)/.plumb")
    let keys = try store.recordKeys()
    let record = try #require(
      try keys.compactMap { try store.unverifiedRecord($0) }.first { $0.address == "mix" })
    let path = store.objectPath(record.outputs[0].digest)
    try File.remove(path)
    try File.writeDurably("rubbish", to: path)
    let stick = TemporaryFolder()
    let done = try Transfer(from: Store(at: "\(toy.path)/.plumb"), to: Store(at: stick.path))
    #expect(done.damaged == ["mix"] && done.records == 4)
    #expect(try Verification(of: Store(at: stick.path), repairing: false).damages.isEmpty)
  }

  @Test
  func `records of evicted results travel without their bytes, and the bytes follow when they are back`()
    throws
  {
    let toy = try ToyRunner(nodes: Self.plan)
    #expect(try toy.run() == .exited(0))
    let stick = TemporaryFolder()
    var options = CollectionOptions()
    options.maximumBytes = 0
    options.minimumSeconds = 0
    _ = try Runner.Collection(of: Store(at: "\(toy.path)/.plumb"), options, now: Double(time(nil) + 2))
    let first = try Transfer(from: Store(at: "\(toy.path)/.plumb"), to: Store(at: stick.path))
    #expect(first.records == 5 && first.evictedRecords == 4)
    let other = try ToyRunner(nodes: Self.plan)
    _ = try Transfer(from: Store(at: stick.path), to: Store(at: "\(other.path)/.plumb"))
    #expect(try other.run() == .exited(0))
    #expect(other.standardError.hasPrefix("nothing to run"), "\(other.standardError)")
  }
}

import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing

/// Collection and eviction: what goes, what stays, and how it comes back.
@Suite struct CollectionTests {
  private let fast = mixPlan.replacing("\"milliseconds\": 5", with: "\"milliseconds\": 0").replacing(
    "\"milliseconds\": 30", with: "\"milliseconds\": 0")

  private func collect(
    _ toy: ToyRunner, maximum: Int? = nil, keepLast: Int? = nil, age: Double = 0, dryRun: Bool = false,
    after seconds: Int = 2
  ) throws -> Runner.Collection {
    var options = CollectionOptions()
    options.maximumBytes = maximum
    options.keptRuns = keepLast
    options.minimumSeconds = age
    options.isDryRun = dryRun
    // The clock of file times may lag behind by a tick.
    return try Runner.Collection(
      of: Store(at: "\(toy.path)/.plumb"), options, now: Double(time(nil) + seconds))
  }

  private func started(_ toy: ToyRunner) throws -> [String] {
    try toy.events("node-started").compactMap { $0["node"]?.stringValue }
  }

  @Test func `evicted results still count as done and come back when something needs their bytes`() throws {
    let toy = try ToyRunner(nodes: fast)
    #expect(try toy.run() == .exited(0))
    let output = toy.standardOutput
    let objects = try toy.names("objects")
    let done = try collect(toy, maximum: 0)
    #expect(Set(done.evictedAddresses) == ["rows", "mix", "first", "second"])
    // Metrics and manifests stay.
    #expect(try toy.names("objects").count == 3)
    #expect(try toy.names("records").count == 5)

    #expect(try toy.run("plan") == .exited(0))
    #expect(toy.standardOutput.hasSuffix("5 stages, all cached\n"))
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardOutput == output && toy.standardError.hasPrefix("nothing to run"))
    #expect(!toy.standardError.contains("warning"))

    try toy.setNodes(
      fast
        + ", {\"address\": \"third\", \"stage\": \"train\", \"options\": {\"steps\": 2}, \"inputs\": {\"rows\": \"mix:rows\", \"model\": \"first:model\"}}"
    )
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    #expect(try started(toy) == ["rows", "mix", "first", "third"])
    #expect(toy.standardError.contains("its bytes were evicted and third needs them"))
    #expect(!toy.standardError.contains("not deterministic"))
    // All but the second model's two files are back, with the bytes they had.
    let returned = try toy.names("objects")
    #expect(objects.filter { !returned.contains($0) }.count == 1)
    #expect(try Verification(of: Store(at: "\(toy.path)/.plumb"), repairing: false).damages.isEmpty)
  }

  @Test func `a stage that gives other bytes the second time is named with both digests`() throws {
    let plan = "{\"address\": \"odd\", \"stage\": \"unsteady\"}"
    let toy = try ToyRunner(nodes: plan)
    #expect(try toy.run() == .exited(0))
    _ = try collect(toy, maximum: 0)
    try toy.setNodes(
      "\(plan), {\"address\": \"sum\", \"stage\": \"sum\", \"inputs\": {\"rows\": \"odd:rows\"}}")
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    #expect(
      toy.standardError.contains(
        "warning: non-deterministic stage: `odd` computed a different `rows` under the same key"))
    // What came after is computed from the bytes that are there, under their own key.
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardError.hasPrefix("nothing to run"), "\(toy.standardError)")
  }

  @Test func `a dry run removes nothing and says what would go`() throws {
    let toy = try ToyRunner(nodes: fast)
    #expect(try toy.run() == .exited(0))
    let objects = try toy.names("objects")
    let would = try collect(toy, maximum: 0, dryRun: true)
    #expect(would.evicted.count > 3 && would.evicted.bytes > 1000)
    #expect(try toy.names("objects") == objects)
    #expect(try collect(toy, maximum: 0).evicted.bytes == would.evicted.bytes)
  }

  @Test func `what is young stays, and so does everything while there is room`() throws {
    let toy = try ToyRunner(nodes: fast)
    #expect(try toy.run() == .exited(0))
    let objects = try toy.names("objects")
    for done in [
      try collect(toy, maximum: 0, age: 3600), try collect(toy, maximum: 1 << 30), try collect(toy),
    ] {
      #expect(done.evicted.count == 0 && done.unreachable.count == 0)
    }
    #expect(try toy.names("objects") == objects)
  }

  @Test func `what has not been used for longest goes first`() throws {
    let toy = try ToyRunner(
      nodes: "{\"address\": \"old\", \"stage\": \"rows\", \"options\": {\"count\": 100}}")
    #expect(try toy.run() == .exited(0))
    usleep(20_000)
    try toy.setNodes("{\"address\": \"new\", \"stage\": \"rows\", \"options\": {\"count\": 101}}")
    #expect(try toy.run() == .exited(0))
    let total = try StoreContents(Store(at: "\(toy.path)/.plumb")).totalBytes
    #expect(try collect(toy, maximum: total - 1).evictedAddresses == ["old"])
  }

  @Test func `keep gives bytes up, and keep last runs lets older ones go`() throws {
    let nodes = """
      {"address": "loop@1.rows", "stage": "rows", "keep": "last", "options": {"count": 5}},
      {"address": "loop@2.rows", "stage": "rows", "keep": "last", "options": {"count": 6}},
      {"address": "never", "stage": "rows", "keep": "none", "options": {"count": 7}},
      {"address": "always", "stage": "rows", "options": {"count": 8}}
      """
    let toy = try ToyRunner(nodes: nodes)
    #expect(try toy.run() == .exited(0))
    #expect(Set(try collect(toy).evictedAddresses) == ["loop@1.rows", "never"])
    try toy.setNodes("{\"address\": \"other\", \"stage\": \"rows\", \"options\": {\"count\": 9}}")
    #expect(try toy.run() == .exited(0))
    #expect(try collect(toy, keepLast: 2).evictedAddresses.isEmpty)
    #expect(Set(try collect(toy, keepLast: 1).evictedAddresses) == ["loop@2.rows", "always"])
  }

  @Test func `objects that no record names go, and temporaries of nobody`() throws {
    let toy = try ToyRunner(nodes: fast)
    #expect(try toy.run() == .exited(0))
    let objects = try toy.names("objects")
    for name in try toy.names("records") { try File.remove("\(toy.path)/.plumb/records/\(name)") }
    try toy.folder.write("half", to: ".plumb/tmp/record.123.tmp")
    let done = try collect(toy)
    #expect(done.unreachable.count == objects.count && done.temporary.count == 1)
    #expect(try toy.names("objects").isEmpty)
    #expect(try File.names(in: "\(toy.path)/.plumb/tmp").isEmpty)
    #expect(try toy.run() == .exited(0))
    #expect(try toy.names("objects") == objects)
  }

  @Test func `collections in the middle of a run take nothing it reads or has just made`() throws {
    let calm = try ToyRunner(nodes: mixPlan)
    #expect(try calm.run() == .exited(0))
    let toy = try ToyRunner(nodes: mixPlan)
    let run = try toy.start()
    var collections = 0
    var ending: ChildProcess.Ending?
    while ending == nil {
      if FileStatus.of("\(toy.path)/.plumb/format") != nil {
        _ = try collect(toy, maximum: 0)
        collections += 1
      }
      usleep(3000)
      ending = run.ending()
    }
    #expect(ending == .exited(0), "\(toy.standardError)")
    #expect(collections > 10)
    #expect(try toy.names("records") == calm.names("records"))
    #expect(toy.standardOutput == calm.standardOutput)
    #expect(!toy.standardError.contains("warning"), "\(toy.standardError)")
  }

  @Test func `a temporary file of a process that lives stays, and one that a dead process left goes`() throws
  {
    let toy = try ToyRunner(nodes: fast)
    #expect(try toy.run() == .exited(0))
    let own = TemporaryName.make()
    let dead = ofDeadProcess(own)
    // Of a process whose number means something else here, and nothing or somebody else's.
    let elsewhere = ["0123456789abcdef-1-2", "0123456789abcdef-800000-2"]
    let kept = ["abc.\(own).tmp", "spin.\(own)"] + elsewhere.map { "abc.\($0).tmp" }
    for name in kept + ["abc.\(dead).tmp", "tree.abc.\(dead)"] {
      try toy.folder.write("half of it", to: ".plumb/tmp/\(name)")
    }
    _ = try collect(toy, maximum: 0)
    #expect(try toy.names("tmp") == kept.sorted())
    _ = try collect(toy, maximum: 0, after: 2 * 86400)
    #expect(try toy.names("tmp") == kept.prefix(2).sorted())
  }

  @Test func `a run removes what a dead process was writing, and nobody else's`() throws {
    let toy = try ToyRunner(nodes: fast)
    #expect(try toy.run() == .exited(0))
    let own = TemporaryName.make()
    let dead = ofDeadProcess(own)
    let kept = ["abc.0123456789abcdef-800000-2.tmp", "abc.\(own).tmp", "spin.\(dead)/lock"].sorted()
    for name in kept + ["abc.\(dead).tmp"] where !name.hasPrefix("spin") {
      try toy.folder.write("half of it", to: ".plumb/tmp/\(name)")
    }
    // A worker that outlives the process which made its folder holds the lock there.
    try File.makeDirectory("\(toy.path)/.plumb/tmp/spin.\(dead)")
    let lock = try File.open("\(toy.path)/.plumb/tmp/spin.\(dead)/lock", O_RDWR | O_CREAT)
    defer { lock.closeQuietly() }
    #expect(try lock.tryLock())
    #expect(try toy.run() == .exited(0))
    let found = try toy.names("tmp")
    #expect(found == kept, "\(found)")
  }

  /// The same name with a process above any number that Linux gives one.
  private func ofDeadProcess(_ name: String) -> String {
    let parts = name.split(separator: "-")
    return "\(parts[0])-\(String(1 << 23, radix: 16))-\(parts[2])"
  }

  @Test func `a folder whose lock is held stays, however old it is`() throws {
    let toy = try ToyRunner(nodes: fast)
    #expect(try toy.run() == .exited(0))
    let folder = "\(toy.path)/.plumb/tmp/spin.0123456789abcdef-1-2"
    try File.makeDirectory(folder)
    let lock = try File.open("\(folder)/lock", O_RDWR | O_CREAT)
    #expect(try lock.tryLock())
    _ = try collect(toy, maximum: 0, after: 9 * 86400)
    #expect(try File.names(in: folder) == ["lock"])
    lock.closeQuietly()
    _ = try collect(toy, maximum: 0, after: 9 * 86400)
    #expect(FileStatus.of(folder) == nil)
  }

  @Test func `a store of the format before is migrated and keeps its results`() throws {
    let toy = try ToyRunner(nodes: fast)
    #expect(try toy.run() == .exited(0))
    try toy.folder.write("1\n", to: ".plumb/format")
    for name in ["evicted", "pins"] { try File.removeTree("\(toy.path)/.plumb/\(name)") }
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardError.hasPrefix("nothing to run"), "\(toy.standardError)")
    #expect(toy.folder.text(".plumb/format") == "2\n")
  }

  @Test func `a folder that holds something else is not made a store`() throws {
    let folder = TemporaryFolder()
    try folder.write("my thesis", to: "thesis.tex")
    let error = try #require(throws: StoreError.self) { try Store(at: folder.path) }
    #expect(error.description.contains("it holds `thesis.tex`"))
    #expect(try File.names(in: folder.path) == ["thesis.tex"])
  }
}

import Glibc
import JSON
import RunIndex
import Runner
import System
import TestFolder
import Testing

/// The index says what the directories say, whatever happened to it.
@Suite struct RunIndexTests {
  private let place = TemporaryFolder()
  var folder: String { place.path }

  /// A run directory as a run leaves it; without `exit` as one that died leaves it.
  private func write(
    _ experiment: String, _ id: String, reward: String? = nil, key: String = "k1", cached: Bool = false,
    exit: Int? = 0, lr: String = "0.1"
  ) throws {
    let path = "\(folder)/\(experiment)/\(id)"
    try File.makeDirectory(path)
    try File.writeDurably(
      "{\"started\": \"2026-01-01T00:00:00.000Z\", \"command\": \"plumb run x.yaml\", \"host\": \"h\", \"process\": 1, \"parameters\": {\"lr\": \(lr)}}",
      to: "\(path)/run.json")
    try File.writeDurably(
      "{\"nodes\": [{\"address\": \"a\", \"stage\": \"s\", \"options\": {\"lr\": \(lr)}, \"key\": null}]}",
      to: "\(path)/plan.json")
    if let reward { try File.writeDurably("{\"reward\": \(reward)}", to: "\(path)/metrics.json") }
    let node =
      cached
      ? "{\"time\": \"t2\", \"event\": \"node-cached\", \"node\": \"a\", \"key\": \"\(key)\"}"
      : "{\"time\": \"t2\", \"event\": \"node-finished\", \"node\": \"a\", \"key\": \"\(key)\", \"seconds\": 1.5, \"outputs\": []}"
    let end = exit.map {
      "{\"time\": \"t3\", \"event\": \"run-finished\", \"exit\": \($0), \"seconds\": 2.0}\n"
    }
    try File.writeDurably(
      "{\"time\": \"t1\", \"event\": \"run-started\", \"nodes\": 1}\n\(node)\n"
        + (end ?? "{\"time\": \"t3\", \"ev"),
      to: "\(path)/events.jsonl")
  }

  private func index() throws -> RunIndex { try RunIndex(runs: folder) }

  @Test func `runs come in the order in which they began, with what their directories say`() throws {
    try write("b", "20260102-000000.000001-bbbbbb", reward: "0.5")
    try write("a", "20260101-000000.000002-aaaaaa", exit: nil)
    try write("a", "20260101-000000.000001-cccccc", reward: "[0.1, 0.7]", exit: 1)
    let runs = try index().runs()
    #expect(runs.map(\.shortID) == ["cccccc", "aaaaaa", "bbbbbb"])
    #expect(runs.map(\.state) == [.failed, .interrupted, .done])
    #expect(runs[0].metric("reward") == 0.7 && runs[2].metric("reward") == 0.5)
    #expect(runs[2].executed == 1 && runs[2].nodes == 1 && runs[2].seconds == 2)
    #expect(try index().runs(experiment: "a").count == 2)
  }

  @Test func `a run that lives is running, and a lock that is free means it died`() throws {
    try write("a", "1", exit: nil)
    let path = "\(folder)/a/1"
    let lock = try File.open("\(path)/lock", O_RDWR | O_CREAT)
    #expect(try lock.tryLock())
    #expect(try index().runs().map(\.state) == [.running])
    lock.closeQuietly()
    #expect(try index().runs().map(\.state) == [.interrupted])
  }

  @Test func `changed, new and removed directories are seen`() throws {
    try write("a", "1", reward: "0.5")
    #expect(try index().runs().count == 1)
    try write("a", "2", reward: "0.6")
    try write("a", "1", reward: "0.75")
    #expect(try index().runs().map { $0.metric("reward") } == [0.75, 0.6])
    try File.removeTree("\(folder)/a/1")
    #expect(try index().runs().map(\.id) == ["2"])
    #expect(try index().keys(experiment: "a", address: "a") == ["k1"])
  }

  @Test(arguments: ["", "this is no database", "SQLite format 3\u{0}and then nothing of use"])
  func `an index that is damaged is made again`(damage: String) throws {
    try write("a", "1", reward: "0.5")
    let before = try index().runs()
    try File.writeDurably(damage, to: "\(folder)/index.sqlite")
    #expect(try index().runs() == before)
    #expect(FileStatus.of("\(folder)/index.sqlite")?.size ?? 0 > 4096)
  }

  @Test func `an index cut in the middle or of another version is made again`() throws {
    for id in 1...20 { try write("a", "\(id)", reward: "0.5", key: "k\(id)") }
    let before = try index().runs()
    let bytes = try File.read("\(folder)/index.sqlite")
    for size in [bytes.count / 3, bytes.count / 2, bytes.count - 100] {
      let file = try File.open("\(folder)/index.sqlite", O_WRONLY | O_TRUNC)
      try bytes[..<size].withUnsafeBytes { try file.writeAll($0) }
      try file.close()
      #expect(try index().runs() == before)
      #expect(try index().keys(experiment: "a", address: "a").count == 20)
    }
  }

  @Test func `a key's computation is found, and keys come newest first`() throws {
    try write("a", "1", key: "k1")
    try write("a", "2", key: "k2")
    try write("a", "3", key: "k1", cached: true)
    #expect(try index().keys(experiment: "a", address: "a") == ["k1", "k2"])
    #expect(try index().runThatComputed(key: "k1")?.path == "\(folder)/a/1")
    #expect(try index().runThatComputed(key: "k9") == nil)
  }

  @Test func `a run is found by id, prefix, end and position`() throws {
    try write("a", "20260101-000000.000001-cccccc")
    try write("b", "20260101-000000.000002-aaaaaa")
    try write("a", "20260102-000000.000001-dddddd")
    let runs = try index().runs()
    func find(_ text: String) throws -> String { try RunSelector.find(text, in: runs).shortID }
    #expect(try find("@last") == "dddddd" && find("@last~1") == "aaaaaa" && find("b@last") == "aaaaaa")
    #expect(try find("20260102") == "dddddd" && find("aaaaaa") == "aaaaaa")
    for (text, words) in [
      ("20260101", "matches 2 runs"), ("@last~3", "there are 3 runs"), ("nothing", "the last are"),
      ("@first", "is not a run"), ("b@last~1", "there are 1 runs of `b`"),
    ] {
      #expect { try find(text) } throws: { "\($0)".contains(words) }
    }
  }

  @Test func `a table sorts by a metric, shows parameters that differ, and quotes`() throws {
    try write("a", "1", reward: "0.5", lr: "0.1")
    try write("a", "2", reward: "0.25", lr: "\"x,y\"")
    try write("a", "3", exit: nil)
    let runs = try index().runs()
    let csv = try RunTable(runs, sort: "reward").text(.csv)
    #expect(
      csv == """
        run,experiment,state,took,stages,lr,reward\r
        2,a,done,2.0,1+0/1,"x,y",0.25\r
        1,a,done,2.0,1+0/1,0.1,0.5\r
        3,a,interrupted,,1+0/1,0.1,\r

        """)
    let md = try RunTable(runs, sort: "-reward").text(.md)
    #expect(md.split(separator: "\n")[1] == "|---|---|---|---|---|---|---|")
    #expect(md.split(separator: "\n")[2].hasPrefix("| 1 | a | done | 2.0 s |"))
    #expect { try RunTable(runs, sort: "loss") } throws: { "\($0)".contains("the metrics are: `reward`") }
  }

  @Test func `a difference has deltas, options by stage, and keys`() throws {
    try write("a", "1-aaaaaa", reward: "0.5", key: "k1", lr: "0.1")
    try write("a", "2-bbbbbb", reward: "0.75", key: "k2", lr: "0.2")
    let runs = try index().runs()
    let text = try RunDifference(runs[0], runs[1]) { _ in [] }.text
    func has(_ words: String) -> Bool {
      text.split(separator: "\n").contains {
        $0.split(separator: " ").joined(separator: " ") == words
      }
    }
    #expect(has("lr 0.1000 0.2000"), "\(text)")
    #expect(has("a lr 0.1000 0.2000"), "\(text)")
    #expect(has("reward 0.5000 0.7500 +0.2500"), "\(text)")
    #expect(has("a k1 k2"), "\(text)")
    #expect(try RunDifference(runs[0], runs[0]) { _ in [] }.keys.isEmpty)
    try write("a", "3-cccccc", reward: "9", key: "k2", lr: "0.2")
    try write("a", "4-dddddd", reward: "7", key: "k2", lr: "0.2")
    let whole = try index().runs()
    #expect(try RunDifference(whole[2], whole[3]) { _ in [] }.text.contains("       9       7      -2\n"))
  }
}

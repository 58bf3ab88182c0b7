// The server and its pages over real sockets: what is shown, what is refused, and that a page follows a run.

import Glibc
import Runner
import Site
import System
import TestFolder
import Testing

@Suite struct SiteTests {
  private let place = TemporaryFolder()
  private let server: HTTPServer

  init() throws {
    let folder = place.path
    try Self.write(folder, "done", hostile: true, exit: 0)
    try Self.write(folder, "live", hostile: false, exit: nil)
    let site = Site(runs: "\(folder)/runs", store: "\(folder)/store") { _ in nil }
    let server = try HTTPServer(port: 0, answer: site.answer)
    self.server = server
    try startThread { try? server.run() }
  }

  private static let hostile = "<script>alert(1)</script>"

  private static func write(_ folder: String, _ name: String, hostile: Bool, exit: Int?) throws {
    let path = "\(folder)/runs/\(name)/20260101-000000.000001-\(name)"
    try File.makeDirectory("\(path)/logs")
    let word = hostile ? Self.hostile : "plain"
    try File.writeDurably(
      "{\"started\": \"2026-01-01T00:00:00.000Z\", \"command\": \"\(word)\", \"host\": \"h\", \"process\": 1, \"parameters\": {\"lr\": \"\(word)\"}}",
      to: "\(path)/run.json")
    try File.writeDurably(
      "{\"nodes\": [{\"address\": \"first\", \"stage\": \"data\", \"options\": {}, \"inputs\": {}, \"key\": null}, {\"address\": \"quark@1.train\", \"stage\": \"train\", \"options\": {}, \"inputs\": {\"rows\": \"first.rows\"}, \"key\": null}]}",
      to: "\(path)/plan.json")
    try File.writeDurably("{\"reward\": 0.5, \"\(word)\": 1}", to: "\(path)/metrics.json")
    try File.writeDurably("said \(word)\n", to: "\(path)/logs/quark@1.train.log")
    let end = exit.map {
      "{\"time\": \"t\", \"event\": \"run-finished\", \"exit\": \($0), \"seconds\": 2.0}\n"
    }
    try File.writeDurably(
      """
      {"time": "2026-01-01T00:00:00.000Z", "event": "run-started", "nodes": 2}
      {"time": "2026-01-01T00:00:01.000Z", "event": "node-started", "node": "quark@1.train"}
      {"time": "2026-01-01T00:00:02.000Z", "event": "node-progress", "node": "quark@1.train", "done": 1, "total": 9, "unit": "steps", "values": {"loss": 3.0, "\(Self.hostile)": 0.5, "large": 1e300}}
      {"time": "2026-01-01T00:00:02.000Z", "event": "node-progress", "node": "quark@1.train", "done": 2, "total": 9, "unit": "steps", "values": {"loss": 2.0}}
      {"time": "2026-01-01T00:00:02.000Z", "event": "node-progress", "node": "quark@1.train", "done": 3, "total": 9, "unit": "steps", "message": "loss 1.5", "values": {"loss": 1.5}}
      \(end ?? "")
      """, to: "\(path)/events.jsonl")
  }

  /// Sends bytes and gives what comes back; of news the first, or those up to the one that has these words.
  private func exchange(_ request: String, first: Bool = false, until words: String? = nil) throws -> String {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(connection) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = server.port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(connection, $0, length) }
    }
    try #require(code == 0)
    var request = request
    _ = request.withUTF8 { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    var answer: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65536)
    let end = words ?? "}\n\n"
    var pieces = 0
    while !first || answer.firstRange(of: Array(end.utf8)) == nil {
      let count = recv(connection, &block, block.count, 0)
      // News that do not come are waited for in vain: each second there is a line that says nothing.
      pieces += 1
      guard count > 0, !first || pieces < 30 else { break }
      answer += block[..<count]
    }
    return String(decoding: answer, as: UTF8.self)
  }

  private func get(_ path: String, first: Bool = false, until words: String? = nil) throws -> String {
    try exchange(
      "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n\r\n", first: first, until: words)
  }

  @Test func `all runs are listed, and no name becomes markup`() throws {
    let page = try get("/")
    #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n") && page.contains("2 runs</output>"))
    #expect(
      page.contains("/run/20260101-000000.000001-done") && page.contains("<span class=\"state\">done</span>"))
    #expect(page.ranges(of: "<script").count == 1, "its own")
    #expect(
      page.contains("&lt;script&gt;alert(1)&lt;/script&gt; 1") && page.contains("connect-src &#39;self&#39;"))
  }

  @Test func `a run has its page with the logs of its stages`() throws {
    let page = try get("/run/20260101-000000.000001-done")
    #expect(
      page.contains("<a href=\"/\">all runs</a>") && page.contains("/logs/quark@1.train\">quark@1.train</a>"))
    let log = try get("/run/20260101-000000.000001-done/logs/quark@1.train")
    #expect(
      log.contains("Content-Type: text/plain") && log.contains("nosniff")
        && log.hasSuffix("said \(Self.hostile)\n"))
  }

  @Test func `a run that runs tells what it does`() throws {
    let path = "\(place.path)/runs/live/20260101-000000.000001-live"
    let lock = try File.open("\(path)/lock", O_RDWR | O_CREAT)
    defer { lock.closeQuietly() }
    try #require(try lock.tryLock())
    let page = try get("/run/20260101-000000.000001-live")
    #expect(page.contains("data-events=\"/run/20260101-000000.000001-live/events\""))
    let news = try get("/run/20260101-000000.000001-live/events", first: true)
    #expect(news.contains("text/event-stream"))
    #expect(
      news.contains(
        "data: {\"state\":\"running\",\"finished\":0,\"lines\":[\"quark@1.train 3/9 steps · loss 1.5\"],"),
      "\(news)")
    #expect(
      try get("/events", first: true).contains("\"20260101-000000.000001-live\":{\"done\":0,\"total\":2"))
  }

  @Test func `the curve of a training is on its page and in its news from the first step on`() throws {
    let path = "\(place.path)/runs/live/20260101-000000.000001-live"
    let lock = try File.open("\(path)/lock", O_RDWR | O_CREAT)
    defer { lock.closeQuietly() }
    try #require(try lock.tryLock())
    let page = try get("/run/20260101-000000.000001-live")
    let header = page.prefix(upTo: page.firstRange(of: "<main")?.lowerBound ?? page.startIndex)
    #expect(
      header.contains("<div id=\"curves\"") && header.contains("loss: 3 points, from 3 to 1.5"), "\(header)")
    #expect(header.contains(">loss 1.500</text>") && header.contains("<polyline"))
    #expect(page.ranges(of: "<figcaption").count == 2, "what no axis can hold has no picture")
    #expect(
      header.contains(">&lt;script&gt;alert(1)&lt;/script&gt; 0.5000</text>") && !header.contains("<script"))
    let events = try File.open("\(path)/events.jsonl", O_WRONLY | O_APPEND)
    defer { events.closeQuietly() }
    try startThread {
      sleep(1)
      try? events.writeAll(
        "{\"event\": \"node-progress\", \"node\": \"quark@1.train\", \"done\": 4, \"total\": 9, \"unit\": \"steps\", \"values\": {\"loss\": 1.25}}\n"
      )
    }
    let address = "/run/20260101-000000.000001-live/events"
    let news = try get(address, first: true, until: "from 3 to 1.25")
    #expect(news.contains("loss: 3 points, from 3 to 1.5"), "the first: \(news)")
    #expect(news.contains("loss: 4 points, from 3 to 1.25"), "the next: \(news)")
    #expect(try get(address, first: true).contains("loss: 4 points"), "to one that connects anew")
    // It goes on from a checkpoint.
    try events.writeAll(
      "{\"event\": \"node-progress\", \"node\": \"quark@1.train\", \"done\": 2, \"total\": 9, \"unit\": \"steps\", \"values\": {\"loss\": 2.5}}\n"
    )
    #expect(try get(address, first: true).contains("loss: 2 points, from 3 to 2.5"))
  }

  @Test func `the news of a run that has ended end`() throws {
    let news = try get("/run/20260101-000000.000001-done/events")
    #expect(news.contains("\"state\":\"done\"") && news.ranges(of: "data:").count == 1)
  }

  @Test(arguments: [
    ("/nowhere", 404), ("/run/nope", 404), ("/run/20260101-000000.000001-done/logs/..%2F..%2Frun.json", 404),
    ("/run/20260101-000000.000001-done/logs/first", 404), ("/sweep/20260101-000000.000001-done", 404),
    ("/../etc/passwd", 404), ("/compare?run=nope", 404), ("/compare", 404), ("/%zz", 400),
  ]) func `what is not there is not found`(path: String, status: Int) throws {
    #expect(try get(path).hasPrefix("HTTP/1.1 \(status) "))
  }

  @Test func `a foreign host, a foreign origin and another method are refused`() throws {
    let port = server.port
    for (request, status) in [
      ("GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n", 403), ("GET / HTTP/1.1\r\n\r\n", 403),
      ("GET / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nHost: evil.com\r\n\r\n", 403),
      ("GET / HTTP/1.1\r\nHost: localhost:\(port)\r\nOrigin: http://evil.com\r\n\r\n", 403),
      ("GET / HTTP/1.1\r\nHost: localhost:\(port)\r\nOrigin: null\r\n\r\n", 403),
      ("GET / HTTP/1.1\r\nHost: localhost:\(port)\r\nOrigin: http://localhost:\(port)\r\n\r\n", 200),
      ("POST / HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n", 405), ("nonsense\r\n\r\n", 400),
    ] {
      #expect(try exchange(request).hasPrefix("HTTP/1.1 \(status) "), "\(request)")
    }
    #expect(
      try exchange("GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 20_000))").isEmpty, "too long a head"
    )
    let head = try exchange("HEAD / HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n")
    #expect(head.hasPrefix("HTTP/1.1 200") && head.hasSuffix("\r\n\r\n"))
  }

  @Test func `many readers at once are all answered`() throws {
    let answers = try mapConcurrently(40, threads: 20, chunk: 1) { _ in try get("/").contains("2 runs") }
    #expect(answers.allSatisfy { $0 })
  }
}

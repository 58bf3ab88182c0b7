// Pages in a real browser: what the document holds when its script has run, and that nothing is fetched.

import System
import Testing

/// Debian's; `make test-pages` installs it.
private let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first { FileStatus.of($0) != nil }

@Suite(.enabled(if: chromium != nil, "needs Chromium: make test-pages installs it")) struct PagesTests {
  let plumb: BuiltPlumb

  init() throws {
    plumb = try BuiltPlumb()
    try plumb.write(PageExperiment.rows, to: "rows.jsonl")
    try plumb.write(PageExperiment.text, to: "page.yaml")
    let result = try plumb.run("run page.yaml")
    try #require(result.status == 0, "\(result.error)")
    _ = try plumb.shell("cp runs/page/*/report.html page.html;")
  }

  /// The document after loading, and the addresses that were asked for.
  private func opened(_ name: String, _ options: String = "") throws -> (document: String, requests: [String])
  {
    let command =
      "'\(chromium ?? "")' --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync --user-data-dir=profile --log-net-log=net.json \(options) --dump-dom 'file://\(plumb.folder)/\(name)'"
    let result = try plumb.shell("timeout 60 \(command);")
    try #require(result.status == 0, "\(result.error)")
    let log = plumb.text("net.json")
    let requests = log.matches(of: /"url":"([^"]+)"/).map { String($0.output.1) }
    return (result.output, requests)
  }

  @Test func `a hostile text stays a text, and nothing is fetched`() throws {
    let (document, requests) = try opened("page.html")
    #expect(document.contains("<title>page</title>"), "no script of a prompt ran")
    #expect(!document.contains("<img") && document.contains("&lt;img src=http://example.com/x"))
    #expect(document.ranges(of: "<script").count == 1)
    #expect(requests.allSatisfy { !$0.contains("example.com") }, "\(requests)")
    #expect(document.contains("(1000000 bytes in all)") && !document.contains("\u{202E}"))
  }

  @Test func `the search shows the prompts that have all of its words`() throws {
    let all = try opened("page.html").document
    #expect(all.contains(">3 prompts</output>"))
    let found = try opened("page.html#find=SOUP%20fine").document
    #expect(found.contains(">1 prompt</output>"))
    #expect(found.ranges(of: "hidden=\"\"><h3>").count == 2)
  }

  /// In a frame, since a window cannot be that narrow; tables and wide pictures scroll by themselves.
  @Test(arguments: [360, 768, 1280]) func `nothing is wider than the window`(width: Int) throws {
    try plumb.write(
      """
      <iframe id=page width=\(width) height=900 src=page.html
      onload="document.title=page.contentDocument.documentElement.scrollWidth"></iframe>
      """, to: "frame.html")
    let document = try opened("frame.html", "--allow-file-access-from-files").document
    let title = document.firstMatch(of: /<title>([0-9]+)<\/title>/).flatMap { Int($0.output.1) }
    #expect(title.map { $0 <= width } ?? false, "\(title.map { "\($0)" } ?? document)")
  }

  /// A page that follows runs keeps a request open, so that the browser waits a while and then gives what it has.
  @Test func `all runs and one of them are shown by a server that is asked for nothing else`() throws {
    let command =
      "'\(plumb.binary)' ui --port 0 > url & server=$!; for i in 1 2 3 4 5 6 7 8 9; do test -s url && break; sleep 0.2; done; '\(chromium ?? "")' --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --user-data-dir=profile --log-net-log=net.json --timeout=4000 --dump-dom $(cat url); kill $server"
    let result = try plumb.shell("timeout 60 sh -c '\(command.replacing("'", with: "'\\''"))';")
    #expect(
      result.output.contains(">1 run</output>") && result.output.contains(">page</a>"), "\(result.error)")
    let requests = plumb.text("net.json").matches(of: /"url":"([^"]+)"/).map { String($0.output.1) }
    #expect(requests.contains { $0.hasSuffix("/events") }, "it follows the runs")
    #expect(requests.allSatisfy { !$0.contains("example.com") }, "\(requests)")
  }
}

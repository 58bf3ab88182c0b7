// `plumb config`: every value, and the place that set it.

import JSON
import Runner
import Testing

@Suite struct ResolvedConfigurationTests {
  static let text = """
    version: 1
    name: x
    params: {count: 8, limit: 5}
    defaults: {retries: 1, resources: {memory: 1GiB}}
    stages:
      rows: {uses: data, with: {path: train.jsonl, prompt: "a: \\u202E {prompt}", limit: $limit}}
      plain: {uses: data, with: {path: train.jsonl}}
      loop: {loop: {times: 2}, stages: {draw: {in: {rows: rows}, with: {count: $count}}}}
      all: {uses: gather, in: {rows: loop@all.draw}, timeout: 1.5min, retries: $count}
    """

  func configuration(origins: Bool, set: [String] = []) throws -> String {
    let project = try TemporaryProject()
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
    try project.write("a.yaml", Self.text)
    let good = try project.result("a.yaml", set: set).get()
    return ResolvedConfiguration(good.experiment, good.plan, showsOrigins: origins).text
      .split(separator: "\(project.folder)/", omittingEmptySubsequences: false).joined()
  }

  @Test func `values stand after parameters and defaults, and read back as YAML`() throws {
    let text = try configuration(origins: false)
    #expect(!text.contains("#") && !text.contains("\u{202E}"))
    let value = try Document.json(of: SourceFile(name: "a", folder: "/", bytes: Array(text.utf8))).get()
    let rows = value["stages"]?["rows"]
    #expect(rows?["with"]?["limit"]?.intValue == 5 && rows?["with"]?["path"]?.stringValue == "train.jsonl")
    #expect(rows?["with"]?["prompt"]?.stringValue == "a: \u{202E} {prompt}")
    #expect(value["stages"]?["loop@2.draw"]?["with"]?["count"]?.intValue == 8)
    #expect(value["stages"]?["loop@2.draw"]?["in"]?["rows"]?.stringValue == "rows.rows")
  }

  @Test func `a port that collects has a list, and what stands beside an option is there too`() throws {
    let lines = try configuration(origins: true).split(separator: "\n").map { String($0) }
    #expect(lines.contains("      rows: [loop@1.draw.rows, loop@2.draw.rows]"), "\(lines)")
    let all = Array(lines.drop { $0 != "  all:" })
    #expect(all.contains("    retries: 8    # a.yaml:3:17"), "\(all)")
    #expect(all.contains("    timeout: \"90s\"    # a.yaml:9:59"), "\(all)")
    #expect(all.contains("      memory: \"1 GiB\"    # a.yaml:4:44"), "\(all)")
  }

  @Test func `an origin is the file's line, the command line, or a default`() throws {
    let lines = try configuration(origins: true, set: ["count=3"]).split(separator: "\n").map { String($0) }
    #expect(lines.contains("  limit: 5    # a.yaml:3:27"))
    #expect(lines.contains("  count: 3    # --set:1:7"))
    #expect(lines.contains("      limit: 5    # a.yaml:3:27"))
    #expect(lines.contains("      count: 3    # --set:1:7"))
    #expect(lines.contains("      prompt: \"{prompt}\"    # default"))
  }
}

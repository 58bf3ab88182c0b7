import JSON
import Runner
import Testing

/// What `explain-node` says of a key.
@Suite struct NodeExplanationTests {
  let toy: ToyRunner
  init() throws { toy = try ToyRunner(nodes: "") }

  private func write(_ rows: String, _ mix: String = "{items: 2}") throws {
    try toy.folder.write(
      """
      version: 1
      name: toy
      stages:
        rows: {with: \(rows)}
        mix: {in: {rows: rows}, with: \(mix)}

      """, to: "x.yaml")
  }

  /// The lines of fields, with single spaces; then the whole text.
  private func explain(_ address: String) throws -> (fields: [String], text: String) {
    #expect(try toy.run("explain", address, file: "x.yaml") == .exited(0), "\(toy.standardError)")
    let parts = toy.standardOutput.split(separator: "\n", omittingEmptySubsequences: false)
    let fields = parts.drop { !$0.isEmpty }.filter { !$0.isEmpty }.map { line in
      line.split(separator: " ").joined(separator: " ")
    }
    return (fields, toy.standardOutput)
  }

  @Test func `before anything ran there is nothing to hold it against, and an input is not known`() throws {
    try write("{count: 3}")
    let (fields, text) = try explain("mix")
    #expect(text.hasPrefix("mix  waits for upstream stages\nkey      not known before"), "\(text)")
    #expect(text.contains("against  nothing: no earlier record of this address or of `mix`\n"))
    #expect(fields.contains("option items 2 x.yaml:5:41"), "\(fields)")
    #expect(fields.contains("option salt \"\" the default"), "\(fields)")
    #expect(fields.contains("input rows (not known yet) rows.rows"), "\(fields)")
  }

  @Test func `every field is held against the record of the same address`() throws {
    try write("{count: 3}", "{items: 2, salt: a}")
    #expect(try toy.run("run", file: "x.yaml") == .exited(0), "\(toy.standardError)")
    let same = try explain("mix")
    #expect(same.text.hasPrefix("mix  cached\n"))
    #expect(!same.fields.contains { $0.hasPrefix("~") }, "\(same.fields)")

    try write("{count: 3}", "{items: 5}")
    let (fields, text) = try explain("mix")
    #expect(fields.contains("~ option items 5 was 2 x.yaml:5:41"), "\(fields)")
    #expect(fields.contains("~ option salt \"\" was \"a\" the default"), "\(fields)")
    #expect(fields.filter { $0.hasPrefix("~") }.count == 2)
    #expect(fields.contains { $0.hasPrefix("input rows sha256 ") && $0.hasSuffix(" rows.rows") }, "\(fields)")
    #expect(text.contains(", mix, which took "))
  }

  @Test func `a new address is held against the nearest of its plug-in`() throws {
    try write("{count: 3}", "{items: 2, salt: a}")
    #expect(try toy.run("run", file: "x.yaml") == .exited(0))
    try toy.folder.write(
      toy.folder.text("x.yaml") + "  other: {uses: mix, in: {rows: rows}, with: {items: 4, salt: a}}\n",
      to: "x.yaml")
    let (fields, text) = try explain("other")
    #expect(text.hasPrefix("other  will run: never ran\n"))
    #expect(text.contains(", mix, which took "), "\(text)")
    #expect(fields.filter { $0.hasPrefix("~") } == ["~ option items 4 was 2 x.yaml:6:54"], "\(fields)")
  }
}

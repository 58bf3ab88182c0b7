// `plumb verify`: finished stages computed again, beside what is stored of them.

import JSON
import System
import Testing

@Suite struct VerifyCommandTests {
  let plumb: BuiltPlumb

  /// A stage that reads a file which it does not declare, so that its bytes change while its key does not.
  init() throws {
    plumb = try BuiltPlumb()
    try plumb.write(
      """
      version: 1
      name: secretive
      seed: 1
      params: {count: 2, word: "it's a b"}
      stages:
        rows: {uses: data, with: {path: rows.jsonl, prompt: "{p}", id: id}}
        draw: {in: {rows: rows}, with: {count: $count}}
        value:
          uses: command
          in: {rows: draw}
          with:
            run: ["cat '\(plumb.folder)/value.json' > {out.metrics}"]
            shell: true
            inputs: [{name: rows, columns: [prompt]}]
            outputs: [{name: metrics, type: metrics}]
        text: {uses: data, with: {path: rows.jsonl, prompt: "{p} ${word}", id: id}}
      """, to: "secretive.yaml")
    try plumb.write("{\"value\": 1}\n", to: "value.json")
    try plumb.write((1...4).map { "{\"id\": \"r\($0)\", \"p\": \"say \($0)\"}\n" }.joined(), to: "rows.jsonl")
    let run = try plumb.run("run secretive.yaml --set count=3")
    try #require(run.status == 0, "\(run.error)")
  }

  private func words(_ output: String) -> [[Substring]] {
    output.split(separator: "\n").map { line in
      let words = line.split(separator: " ")
      return [words[0], words.count > 3 ? words[3] : words[words.count - 1]]
    }
  }

  private func stored() throws -> String {
    try plumb.shell("find .plumb/objects .plumb/records -type f | sort | xargs sha256sum;").output
  }

  @Test func `all bytes of a run agree, with the parameters that it had`() throws {
    for source in ["@last", "secretive@last", "runs/secretive/*"] {
      let all = try plumb.run("verify \(source)")
      #expect(all.status == 0, "\(all.error)")
      #expect(
        words(all.output) == [["same", "rows"], ["same", "draw"], ["same", "value"], ["same", "text"]])
      #expect(
        all.error.hasPrefix("4 stages computed again in ")
          && all.error.contains(": all bytes are the stored ones\n"))
    }
    // As the file says now another number is drawn, which has not run.
    let file = try plumb.run("verify secretive.yaml")
    #expect(file.status == 11 && file.output.contains("unfinished           draw"), "\(file.output)")
    let set = try plumb.run("verify secretive.yaml --set count=3 draw 'va*'")
    #expect(set.status == 0 && words(set.output) == [["same", "draw"], ["same", "value"]], "\(set.error)")
  }

  @Test func `other bytes are told with both digests, and nothing that is stored changes`() throws {
    let before = try stored()
    let runs = try plumb.shell("ls runs/secretive;").output
    try plumb.write("{\"value\": 2}\n", to: "value.json")
    let result = try plumb.run("verify @last")
    #expect(result.status == 13, "\(result.error)")
    let line = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("different") })
    #expect(
      line.contains("  value  metrics: ") && line.contains(" stored, ") && line.hasSuffix(" now"), "\(line)")
    #expect(
      result.error.contains("1 with other bytes than the stored ones, which are kept"), "\(result.error)")
    #expect(try stored() == before)
    #expect(try plumb.shell("ls runs/secretive;").output == runs)
    let json = try JSON(parsing: try plumb.run("verify @last value --json").output)
    let output = json.arrayValue?[0]["outputs"]?.arrayValue?[0]
    #expect(json.arrayValue?[0]["result"] == "different" && output?["output"] == "metrics", "\(json.text())")
    #expect(output?["stored"]?.stringValue?.count == 64 && output?["computed"]?.stringValue?.count == 64)
    // `run --force` says so too, and keeps what it computed.
    #expect(
      try plumb.run("run secretive.yaml --set count=3 --force value").error.contains(
        "non-deterministic stage"))
    #expect(try stored() != before)
  }

  @Test func `a stage that fails is told with the end of its log`() throws {
    _ = try plumb.shell("rm value.json;")
    let result = try plumb.run("verify @last")
    #expect(result.status == 1 && result.output.contains("failed"), "\(result.output)")
    #expect(result.error.contains("value.json") && result.error.contains("1 failed"), "\(result.error)")
  }

  @Test func `a draw of stages depends on the seed`() throws {
    func drawn(_ seed: Int) throws -> String {
      let result = try plumb.run("verify @last --sample 1 --seed \(seed)")
      #expect(result.status == 0 && result.error.hasPrefix("1 stage computed again in "), "\(result.error)")
      return words(result.output).map { String($0[1]) }.joined()
    }
    let all = try (0..<6).map { try drawn($0) }
    #expect(Set(all).count > 1, "\(all)")
    #expect(try drawn(0) == all[0])
  }

  @Test func `a stage whose data has changed since the run is not computed`() throws {
    try plumb.write("{\"id\": \"q\", \"p\": \"other\"}\n", to: "other.jsonl")
    try plumb.write(
      """
      version: 1
      name: two
      stages:
        rows: {uses: data, with: {path: rows.jsonl, prompt: "{p}", id: id}}
        text: {uses: data, with: {path: other.jsonl, prompt: "{p}", id: id}}
      """, to: "two.yaml")
    #expect(try plumb.run("run two.yaml").status == 0)
    try plumb.write("{\"id\": \"q\", \"p\": \"changed\"}\n", to: "other.jsonl")
    let result = try plumb.run("verify @last")
    #expect(result.status == 11 && result.output.contains("changed              text"), "\(result.output)")
    #expect(
      result.error.contains("1 stage computed again") && result.error.contains("1 not computed: "),
      "\(result.error)")
    let named = try plumb.run("verify @last rows")
    #expect(named.status == 0, "\(named.error)")
  }

  /// The file that it was started with and the one it extends are changed, then gone.
  @Test func `a run is computed from its own copy of the experiment`() throws {
    _ = try plumb.shell("mkdir more;")
    try plumb.write("extends: ../secretive.yaml\nparams: {word: longer}\n", to: "more/longer.yaml")
    #expect(try plumb.run("run more/longer.yaml").status == 0)
    for change in ["sed -i 's/{p} /{p}, /' secretive.yaml", "rm more/longer.yaml"] {
      _ = try plumb.shell("\(change);")
      let result = try plumb.run("verify @last")
      #expect(result.status == 0, "\(result.error)")
      #expect(
        words(result.output) == [["same", "rows"], ["same", "draw"], ["same", "value"], ["same", "text"]])
    }
  }

  @Test func `evicted bytes of a result are computed and compared, those of an input are missed`() throws {
    _ = try plumb.run("cache gc --max-size 0KiB --older-than 0s")
    let result = try plumb.run("verify @last")
    #expect(result.status == 11, "\(result.error)")
    #expect(words(result.output).first == ["same", "rows"], "\(result.output)")
    #expect(
      result.output.contains("evicted") && result.error.contains("were evicted; `plumb export`"),
      "\(result.error)")
  }

  @Test(arguments: [
    ("verify nowhere", 2, "there is no run `nowhere`"),
    ("verify @last nothing", 2, "has no stage at `nothing`"),
    ("verify @last --sample 0", 2, "--sample must be at least 1"),
    ("verify @last --set count=4", 2, "--set goes with an experiment's file"),
    ("verify runs", 2, "is not the folder of a run"), ("verify other.yaml", 3, "other.yaml"),
    ("verify @last --store none", 2, "there is no store at"),
  ])
  func `a mistake says what to do`(arguments: String, status: Int, message: String) throws {
    let result = try plumb.run(arguments)
    #expect(result.status == Int32(status) && result.error.contains(message), "\(result.error)")
  }

  @Test func `a run of standard input says with which command it was started`() throws {
    _ = try plumb.run("run - --set count=3 < secretive.yaml")
    let result = try plumb.run("verify @last")
    #expect(
      result.status == 2
        && result.error.contains("it was started with `plumb run - --set count=3`"),
      "\(result.error)")
  }
}

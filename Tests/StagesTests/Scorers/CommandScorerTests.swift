// `kind: command`: a program that answers each generation with a number.

import JSON
import Runner
import Stages
import Testing

struct CommandScorerTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private let rows = [
    sampledRow("x", [("rewards", [1, 2.5])]), sampledRow("none", [("rewards", [])]),
    sampledRow("y", [("rewards", [nil])]),
  ]

  private func score(_ line: String, files: [JSON] = []) throws -> [JSON?] {
    let scorer: JSON = ["kind": "command", "run": [.string(line)], "shell": true, "files": .array(files)]
    return try (bench.run(ScoreStage(), ["scorer": scorer, "column": "found"], rows: rows)["rows"] ?? []).map
    {
      $0["found"]
    }
  }

  private func failure(_ line: String) -> String {
    do { return "\(try score(line))" } catch { return "\(error)" }
  }

  @Test func `it reads a generation a line, with the row's columns, and writes a number a line`() throws {
    #expect(try score(#"sed 's/.*"rewards":\([^,}]*\).*/\1/'"#) == [[1, 2.5], [], [nil]])
    #expect(bench.reporter.lines.withLock { $0.contains("1 generations without a score left out") })
    let first = #"""
      read line; [ "$line" = '{"id":"x","generation":"x 0","prompt":"prompt of x","rewards":1}' ] && echo 1 || echo 0; sed 's/.*/2/'
      """#
    #expect(try score(first) == [[1, 2], [], [2]])
  }

  @Test func `files stand in its folder`() throws {
    let file = try bench.file("weights.txt", "0.25\n")
    #expect(
      try score("while read line; do cat weights.txt; done", files: [.string(file)]) == [
        [0.25, 0.25], [], [0.25],
      ])
  }

  @Test func `what it does not answer, answers twice or answers with words is an error that names it`() {
    let short = failure("head -n 1 | sed 's/.*/7/'")
    #expect(
      short.contains("did not answer 2 of 3 generations; the first is generation 1 of row `x`"), "\(short)")
    #expect(failure("sed 's/.*/1\\n2/'").contains("wrote more lines than the 3 generations"))
    let words = failure("sed 's/.*/good/'")
    #expect(
      words.contains("for generation 0 of row `x`, is `good`; expected a number or null"), "\(words)")
    #expect(failure("cat > /dev/null; exit 3").contains("ended with status 3 after 0 of 3 generations"))
  }

  @Test func `its environment is that of the stage`() {
    let scorer: JSON = [
      "kind": "command", "run": ["x"], "shell": false, "files": [], "env": ["KEY"], "version": 1,
    ]
    #expect(ScoreStage.declaration(for: ["scorer": scorer]).environment == ["KEY"])
  }
}

// `plumb compare` of results, on the built binary: the same prompts in two data files, numbers by hand.

import JSON
import Testing

@Suite struct CompareTests {
  private let plumb: BuiltPlumb

  init() throws {
    plumb = try BuiltPlumb()
    let experiment = """
      version: 1
      name: x
      stages:
        a: {uses: data, with: &rows {path: a.jsonl, prompt: p, id: id, samples: [generations, rewards, notes]}}
        b: {uses: data, with: {<<: *rows, path: b.jsonl}}
      """
    try plumb.write(experiment, to: "x.yaml")
    func lines(_ rows: [(Int, String)]) -> String {
      rows.map { id, rewards in
        let count = rewards.split(separator: ",").count
        func list(_ text: String) -> String {
          "[" + Array(repeating: text, count: count).joined(separator: ",") + "]"
        }
        return
          "{\"id\":\"\(id)\",\"generations\":\(list("\"g\"")),\"rewards\":[\(rewards)],\"notes\":\(list("\"n\""))}\n"
      }.joined()
    }
    // Means 2, 5, 0 and none; then 3, 5, 4, and two that have no counterpart.
    try plumb.write(lines([(1, "1,3"), (2, "5"), (3, "0"), (4, "null")]), to: "a.jsonl")
    try plumb.write(lines([(3, "4"), (1, "3"), (2, "5"), (4, "1"), (5, "1")]), to: "b.jsonl")
    #expect(try plumb.run("run x.yaml").status == 0)
  }

  @Test func `numbers are compared prompt by prompt`() throws {
    let found = try plumb.run("compare x.yaml::a x.yaml::b --json")
    #expect(found.status == 0 && found.error == "")
    let entries = try #require(try JSON(parsing: Array(found.output.utf8))["rewards"]?.arrayValue)
    #expect(entries[0]["mean"] == 2.25 && entries[1]["mean"] == 2.8)
    #expect(entries[1]["prompts"] == 3 && entries[1]["unmatched"] == 2)
    #expect(entries[1]["rose"] == 2 && entries[1]["fell"] == 0)
    // 4, 1, 0.
    let difference = try #require(entries[1]["difference"]?.doubleValue)
    #expect(abs(difference - 5.0 / 3) < 1e-12)
    let error = try #require(entries[1]["difference_se"]?.doubleValue)
    #expect(abs(error - (13.0 / 3).squareRoot() / 3.0.squareRoot()) < 1e-12)
    #expect(entries[1]["difference_low"] == 0.0 && entries[1]["difference_high"] == 4.0)
  }

  @Test func `a person gets a table, and what its numbers are`() throws {
    let found = try plumb.run("compare x.yaml::a x.yaml::b")
    #expect(
      found.output == """
        rewards            mean     difference         95%  rose  fell  of
        a         2.250 ± 1.099
        b        2.800 ± 0.8000  1.667 ± 1.202  0 to 4.000     2     0   3

        """)
    #expect(
      found.error.hasPrefix("differences to `a`, prompt by prompt;")
        && found.error.contains("2 prompts lack a number in one"))
    #expect(try plumb.run("compare x.yaml::a x.yaml::b --md").output.hasPrefix("| rewards | mean |"))
  }

  @Test func `what cannot be compared is said`() throws {
    for (arguments, words) in [
      ("compare x.yaml::a", "at least two results are needed"),
      ("compare x.yaml::a x", "results are compared with results"),
      ("compare x.yaml::a x.yaml::b --by lr", "--by is for runs"),
      ("compare x --columns rewards", "--columns is for results"),
      ("compare x.yaml::a x.yaml::b --columns notes", "row `1`: entry 0 of `notes` is a string"),
      ("compare x --metric reward", "none of the 1 runs has finished with metrics"),
      ("compare y", "there is no run `y`"),
    ] {
      let found = try plumb.run(arguments)
      #expect(found.status != 0 && found.error.contains(words), "\(arguments): \(found.error)")
    }
  }
}

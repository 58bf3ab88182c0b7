// Runs side by side: which make a group, what a group's number and its error are, and which names are refused.

import JSON
import Runner
import System
import TestFolder
import Testing

@Suite struct RunComparisonTests {
  private let folder = TemporaryFolder()

  private func run(
    _ id: String, _ parameters: JSON, reward: JSON, exit: Int? = 0, evaluations: String? = nil,
    of experiment: String = "x"
  ) throws -> RunSummary {
    if let evaluations {
      try File.makeDirectory("\(folder.path)/\(id)")
      try folder.write(evaluations, to: "\(id)/evaluations.json")
    }
    return try #require(
      RunSummary(json: [
        "path": .string("\(folder.path)/\(id)"), "id": .string(id), "experiment": .string(experiment),
        "command": "",
        "host": "h", "process": 1, "started": "", "last_event": "",
        "exit": exit.map { .int(Int64($0)) } ?? .null, "nodes": 1, "executed": 1, "cached": 0,
        "parameters": parameters, "metrics": .object(JSONObject([("reward", reward)])),
      ]))
  }

  private func runs() throws -> [RunSummary] {
    try [
      run("a", ["lr": 0.1, "seed": 1], reward: 0.25), run("b", ["lr": 0.1, "seed": 2], reward: 1.25),
      run("c", ["lr": 0.1, "seed": 3], reward: [9, 0.75]),
      run("d", ["lr": 0.2, "seed": 1], reward: 2, evaluations: #"{"e": {"reward": 2, "reward_se": 0.5}}"#),
      run("failed", ["lr": 0.3, "seed": 1], reward: 7, exit: 1),
      run("old", ["lr": 0.2, "seed": 1], reward: 5),
    ]
  }

  @Test func `runs that differ in a seed are one group, whose error is of their mean`() throws {
    var all = try runs()
    all.swapAt(3, 5)
    let text = try RunComparison(all, by: nil, over: nil, metrics: nil, sort: "-reward").text(.text)
    // 0.25, 1.25, 0.75: a mean of 0.75, a deviation of 0.5, over the root of 3.
    #expect(
      text == """
        lr   n           reward
        0.2  1   2.000 ± 0.5000  best
        0.1  3  0.7500 ± 0.2887

        """)
  }

  @Test func `of runs with the same parameters the newest counts`() throws {
    let json =
      try RunComparison(runs(), by: nil, over: nil, metrics: ["reward"], sort: nil).json.arrayValue ?? []
    #expect(json[1]["runs"] == ["old"] && json[1]["metrics"]?["reward"]?["mean"] == 5.0)
    #expect(json[1]["metrics"]?["reward"]?["standard_error"] == .null)
    #expect(json[0]["metrics"]?["reward"]?["values"] == [0.25, 1.25, 0.75])
  }

  @Test func `groups can be made by any parameters`() throws {
    let csv = try RunComparison(runs(), by: ["seed"], over: ["lr"], metrics: nil, sort: nil).text(.csv)
    #expect(csv == "seed,n,reward,reward_se\r\n1,2,2.625,2.375\r\n2,1,1.25,\r\n3,1,0.75,\r\n")
  }

  @Test func `runs of two experiments are never one group`() throws {
    let two = try [run("a", ["seed": 1], reward: 1), run("b", ["seed": 1], reward: 3, of: "y")]
    let csv = try RunComparison(two, by: nil, over: nil, metrics: nil, sort: nil).text(.csv)
    #expect(csv == "experiment,n,reward,reward_se\r\nx,1,1.0,\r\ny,1,3.0,\r\n")
  }

  @Test func `a lead smaller than its error is called so`() throws {
    let near = try [
      run("a", ["lr": 1, "seed": 1], reward: 1), run("b", ["lr": 1, "seed": 2], reward: 3),
      run("c", ["lr": 2, "seed": 1], reward: 2), run("d", ["lr": 2, "seed": 2], reward: 3),
    ]
    let notes = try RunComparison(near, by: nil, over: nil, metrics: nil, sort: "-reward").notes
    #expect(notes.count == 2 && notes[0].contains("runs that differ in `seed`"))
    #expect(notes[1] == "the best by `reward` is ahead by 0.5000 ± 1.118, which may be chance")
  }

  @Test func `a name that no run has is refused with what there is`() throws {
    let all = try runs()
    for (by, metrics, sort, words) in [
      (["lrr"], nil, nil, "no run has a parameter `lrr`; did you mean `lr`?"),
      (nil, ["rewrad"], nil, "no run has a metric `rewrad`; did you mean `reward`?"),
      (nil, nil, "-x", "no run has a metric `x`; the metrics are: `reward`"),
    ] as [([String]?, [String]?, String?, String)] {
      #expect {
        _ = try RunComparison(all, by: by, over: nil, metrics: metrics, sort: sort)
      } throws: { "\($0)".contains(words) }
    }
    #expect(throws: RunError.self) {
      _ = try RunComparison([all[4]], by: nil, over: nil, metrics: nil, sort: nil)
    }
  }

  @Test func `a table is a spreadsheet's, a page's and a paper's`() {
    let rows = [["a_b", "n"], ["x|y, \"z\"", "1 ± 2"]]
    #expect(TableFormat.csv.text(rows) == "a_b,n\r\n\"x|y, \"\"z\"\"\",1 ± 2\r\n")
    #expect(TableFormat.md.text(rows) == "| a_b | n |\n|---|---|\n| x\\|y, \"z\" | 1 ± 2 |\n")
    #expect(
      TableFormat.latex.text(rows).contains(
        "a\\_b & n \\\\\n\\midrule\nx|y, \"z\" & 1 $\\pm$ 2 \\\\\n\\bottomrule"))
  }
}

import JSON
import Runner
import System
import Testing

/// What `plan` says before and after a run, and how it follows a change back to where it began.
@Suite struct PlanTableTests {
  let toy: ToyRunner

  init() throws {
    toy = try ToyRunner(nodes: "")
    try File.makeDirectory("\(toy.path)/start")
    try toy.folder.write("nothing learned", to: "start/weights")
  }

  private func write(
    count: Int = 12, modulus: Int = 1_000_000, items: Int = 2, times: Int = 1, seed: Int = 3,
    extra: String = ""
  ) throws {
    try toy.folder.write(
      """
      version: 1
      name: toy
      seed: \(seed)
      models: {start: {path: start}}
      stages:
        rows: {with: {count: \(count), modulus: \(modulus)}}
        round:
          loop: {times: \(times), carry: {policy: {first: start, next: train.model}}}
          stages:
            mix: {in: {rows: rows}, with: {items: \(items)}}
            train: {in: {rows: mix, model: policy}}
      \(extra)
      """, to: "x.yaml")
  }

  private func run() throws {
    #expect(try toy.run("run", file: "x.yaml") == .exited(0), "\(toy.standardError)")
  }

  private func plan(_ more: String = "") throws -> [String] {
    #expect(try toy.run("plan", more, file: "x.yaml") == .exited(0), "\(toy.standardError)")
    // Times differ from run to run.
    return toy.standardOutput.split(separator: "\n").map { line in
      line.split(separator: " ").filter { !$0.hasPrefix("~") && $0 != "s" && Double($0) == nil }.joined(
        separator: " ")
    }
  }

  @Test func `before a run the first stages never ran and the others wait`() throws {
    try write()
    #expect(
      try plan() == [
        "rows run never ran", "round@1.mix waits on rows", "round@1.train waits on round@1.mix",
        "stages: to run, waiting for others",
      ])
    try run()
    #expect(try plan().last == "stages, all cached")
  }

  @Test func `an option names its old and new value and the place that set it`() throws {
    try write(items: 2)
    try run()
    try write(items: 4)
    let lines = try plan()
    #expect(lines[0] == "rows cached")
    #expect(toy.standardOutput.contains("option items 2 -> 4 (x.yaml:10:45)"), "\(toy.standardOutput)")
    #expect(lines[2] == "round@1.train waits on round@1.mix")
    // What a stage waits for stands above it with its reason; `--why` adds what the reason is told from.
    let why = try plan("--why")
    #expect(why.count == lines.count + 1 && why[2].hasPrefix("└ compared with the result "), "\(why)")
    #expect(why.filter { !$0.hasPrefix("└") } == lines)
  }

  @Test func `a cause is told once`() throws {
    try write(items: 2, times: 3)
    try run()
    try write(items: 4, times: 3, extra: "  last: {uses: sum, in: {rows: round@last.mix}}")
    let causes = try plan("--why").filter { $0.hasPrefix("└") && !$0.hasPrefix("└ compared") }
    #expect(causes == [], "every cause is a line of its own")
  }

  @Test func `an option that falls back is said to be the default`() throws {
    try toy.folder.write(
      "version: 1\nname: toy\nstages:\n  rows: {with: {count: 3}}\n", to: "x.yaml")
    try run()
    try toy.folder.write("version: 1\nname: toy\nstages:\n  rows: {}\n", to: "x.yaml")
    _ = try plan()
    #expect(toy.standardOutput.contains("option count 3 -> 10 (the default)"), "\(toy.standardOutput)")
  }

  @Test func `a changed input is followed to what changed first`() throws {
    let sum = "  other: {uses: sum, in: {rows: round@1.mix}}"
    try write(count: 12, extra: sum)
    try run()
    // Rows and mix run with another count; train must be stale for a reason that is two stages up.
    try write(count: 13)
    try toy.folder.write(
      toy.folder.text("x.yaml").split(separator: "\n").filter {
        !$0.contains("train: {in") && !$0.contains("uses: sum")
      }.joined(
        separator: "\n"
      )
      .replacing("carry: {policy: {first: start, next: train.model}}", with: "carry: {}") + "\n",
      to: "x.yaml")
    try run()
    try write(count: 13, extra: sum)
    let why = try plan("--why").filter { !$0.hasPrefix("└ compared") }
    #expect(why[2] == "round@1.train run input rows changed (round@1.mix.rows)", "\(why)")
    #expect(why[3] == "└ round@1.mix: input rows changed (rows.rows)", "\(why)")
    #expect(
      toy.standardOutput.contains("└ rows: option count 12 -> 13 (x.yaml:6:24)"), "\(toy.standardOutput)")
    // The same cause is not told at length again.
    #expect(why[5] == "other run input rows changed (round@1.mix.rows)", "\(why)")
    #expect(why[6] == "└ round@1.mix, as above", "\(why)")
  }

  @Test func `other bytes of a model, a seed and a damaged object are named`() throws {
    try write()
    try run()
    try toy.folder.write("something learned", to: "start/weights")
    #expect(try plan()[2] == "round@1.train run input model changed (model start)")
    try toy.folder.write("nothing learned", to: "start/weights")
    try write(seed: 4)
    #expect(try plan()[1] == "round@1.mix run seed changed")
    try write()
    for name in try toy.names("objects") { try File.remove("\(toy.path)/.plumb/objects/\(name)") }
    #expect(try plan()[0] == "rows run its stored result is damaged or missing")
  }

  @Test func `an upstream that gives the same bytes leaves what is downstream cached`() throws {
    try write(count: 5, modulus: 1000)
    try run()
    // Another option, another key, the same rows.
    try write(count: 5, modulus: 2000)
    #expect(try plan()[0].hasPrefix("rows run option modulus"))
    try run()
    #expect(try toy.events("node-started").compactMap { $0["node"]?.stringValue } == ["rows"])
    #expect(try toy.events("node-cached").count == 2)
  }

  @Test func `expected times come from the last run and from other iterations`() throws {
    try write(items: 2, times: 1)
    try run()
    try write(items: 3, times: 2)
    #expect(try toy.run("plan", file: "x.yaml") == .exited(0))
    let lines = toy.standardOutput.split(separator: "\n")
    #expect(lines[3].hasPrefix("round@2.mix") && lines[3].contains(" ~0."), "\(toy.standardOutput)")
    #expect(lines.last?.contains("from earlier runs: at most about") == true)
    #expect(!toy.standardOutput.contains("that never ran"))
    try write(items: 3, times: 2, extra: "  fresh: {uses: sum, in: {rows: rows}}")
    #expect(try toy.run("plan", file: "x.yaml") == .exited(0))
    #expect(toy.standardOutput.contains("and 1 stage that never ran"), "\(toy.standardOutput)")
  }
}

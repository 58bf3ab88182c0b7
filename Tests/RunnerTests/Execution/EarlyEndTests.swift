// Loops that end early, expectations, collections: from YAML to what runs.

import Glibc
import JSON
import Runner
import System
import Testing

@Suite struct EarlyEndTests {
  /// The count after iteration k is k.
  private func experiment(times: Int, until: String, more: String = "") -> String {
    """
    version: 1
    name: toy
    stages:
      rows: {with: {count: 3}}
      round:
        loop:
          times: \(times)
          carry: {state: {first: null, next: count.state}}
          until: \(until)
        stages:
          count: {in: {state: state}}
          mix: {in: {rows: rows}, with: {items: 1}}
      last: {uses: count, in: {state: round@last.count}, with: {by: 10}}
    \(more)

    """
  }

  private func run(_ toy: ToyRunner, _ text: String, _ ending: ChildProcess.Ending = .exited(0)) throws
    -> [String]
  {
    try toy.folder.write(text, to: "x.yaml")
    #expect(try toy.run("run", file: "x.yaml") == ending, "\(toy.standardError)")
    return try toy.events("node-started").compactMap { $0["node"]?.stringValue }.sorted()
  }

  private func plan(_ toy: ToyRunner) throws -> String {
    #expect(try toy.run("plan", file: "x.yaml") == .exited(0), "\(toy.standardError)")
    return toy.standardOutput
  }

  @Test func `later iterations are skipped, and @last is the last that ran`() throws {
    let toy = try ToyRunner(nodes: "")
    let text = experiment(
      times: 5, until: "{metric: count.count, at_least: 2}",
      more: "metrics: {last: last.count, end: round@last.count.count, curve: round@all.count.count}")
    #expect(
      try run(toy, text) == [
        "last", "round@1.count", "round@1.mix", "round@2.count", "round@2.mix", "rows",
      ])
    let lines = toy.standardOutput.split(separator: "\n").prefix(3).map { $0.split(separator: " ") }
    #expect(lines == [["last", "12"], ["end", "2"], ["curve", "1", "2"]])
    #expect(
      toy.standardError.contains(
        "ended   round after iteration 2: `count.count` is 2, expected at least 2"))
    #expect(toy.standardError.contains("6 stages run, 6 skipped"))
    #expect(try toy.events("node-skipped").count == 6)
    // Everything is cached: the same decision, from the same numbers.
    #expect(try run(toy, text).isEmpty)
    let plan = try plan(toy)
    #expect(plan.contains("round@3.count  skipped"))
    #expect(plan.contains("12 stages: 6 cached, 6 skipped"))
  }

  @Test
  func `what stands in an iteration that runs is not skipped when the loop has ended before it can begin`()
    throws
  {
    let toy = try ToyRunner(nodes: "")
    let text = experiment(times: 4, until: "{metric: count.count, at_least: 2}")
      .replacing("mix: {in: {rows: rows}", with: "mix: {in: {rows: slow}")
      .replacing(
        "  round:",
        with: "  slow: {uses: mix, in: {rows: rows}, with: {items: 1, milliseconds: 150}}\n  round:")
    let started = try run(toy, text)
    #expect(started.filter { $0.hasSuffix("mix") } == ["round@1.mix", "round@2.mix"], "\(toy.standardError)")
    #expect(try run(toy, text).isEmpty)
  }

  @Test func `what is not decided yet waits`() throws {
    let toy = try ToyRunner(nodes: "")
    try toy.folder.write(experiment(times: 3, until: "{metric: count.count, at_least: 2}"), to: "x.yaml")
    let plan = try plan(toy)
    #expect(plan.contains("round@1.mix    waits   on rows\n"))
    #expect(plan.contains("round@2.count  waits   on round@1.count\n"))
    #expect(plan.contains("last           waits   on round@3.count, round@2.count, round@1.count\n"))
  }

  @Test func `another bound goes on from what is there`() throws {
    let toy = try ToyRunner(nodes: "")
    _ = try run(toy, experiment(times: 5, until: "{metric: count.count, at_least: 2}"))
    #expect(
      try run(toy, experiment(times: 5, until: "{metric: count.count, at_least: 4}")) == [
        "last", "round@3.count", "round@3.mix", "round@4.count", "round@4.mix",
      ])
    #expect(
      try run(
        toy,
        experiment(times: 5, until: "[{metric: count.count, at_least: 1}, {metric: count.count, above: 2}]"))
        == ["last"])
    // The bound is not reached: the loop goes to its end.
    #expect(
      try run(toy, experiment(times: 5, until: "{metric: count.count, above: 100}"))
        == ["last", "round@5.count", "round@5.mix"])
  }

  @Test func `what reads an iteration that was skipped is skipped, and a collection holds what ran`() throws {
    let toy = try ToyRunner(nodes: "")
    let text = experiment(times: 4, until: "{metric: count.count, at_least: 2}").replacing(
      "  last:",
      with: """
          third: {uses: sum, in: {rows: round@3.mix}}
          all: {uses: gather, in: {rows: round@all.mix}}
          total: {uses: sum, in: {rows: all}}
          last:
        """)
    let started = try run(toy, text)
    #expect(!started.contains("third"))
    #expect(started.contains("total"))
    #expect(toy.standardOutput.contains("total"))
    // Three rows of two iterations: 0 + 1 + 2, twice.
    #expect(
      toy.standardOutput.split(separator: "\n").contains {
        $0.hasPrefix("total") && $0.hasSuffix(" 6") || $0.contains("total") && $0.contains(" 6 ")
      })
  }

  @Test func `loops inside loops end by themselves`() throws {
    let toy = try ToyRunner(nodes: "")
    let text = """
      version: 1
      name: toy
      stages:
        outer:
          loop:
            times: 3
            carry: {state: {first: null, next: inner@last.count.state}}
            until: {metric: inner@last.count.count, at_least: 4}
          stages:
            inner:
              loop:
                times: 3
                carry: {own: {first: state, next: count.state}}
                until: {metric: count.count, equals: 2.1, within: 0.2}
              stages:
                count: {in: {state: own}}
        last: {uses: count, in: {state: outer@last.inner@last.count}}
      metrics: {curve: outer@all.inner@last.count.count, last: last.count}

      """
    // 1, 2 (inner ends) | 3, 4, 5 (outer ends).
    #expect(
      try run(toy, text) == [
        "last", "outer@1.inner@1.count", "outer@1.inner@2.count", "outer@2.inner@1.count",
        "outer@2.inner@2.count", "outer@2.inner@3.count",
      ])
    #expect(toy.standardOutput.hasPrefix("curve  2  5\nlast   6\n"))
  }

  @Test func `a loop ends by what the iteration before gave`() throws {
    let toy = try ToyRunner(nodes: "")
    // Before iteration 1 there is nothing to be above.
    let text = experiment(times: 5, until: "{metric: count.count, above: before.count}").replacing(
      "carry: {", with: "carry: {before: {first: null, next: count.metrics}, ")
    #expect(try run(toy, text).filter { $0.hasSuffix("count") } == ["round@1.count", "round@2.count"])
    #expect(
      toy.standardError.contains(
        "ended   round after iteration 2: `count.count` is 2, expected above `before.count`, which is 1"),
      "\(toy.standardError)")
    #expect(try run(toy, text).isEmpty)
    // What the first iteration begins with counts as what was before it.
    let begun = text.replacing(
      "first: null, next: count.metrics", with: "first: start.metrics, next: count.metrics"
    )
    .replacing("  rows: {with", with: "  start: {uses: count, with: {by: 0}}\n  rows: {with")
    #expect(try run(toy, begun) == ["last", "start"])
    #expect(toy.standardError.contains("ended   round after iteration 1"), "\(toy.standardError)")
  }

  @Test func `an interrupted loop ends where the whole one would`() throws {
    let toy = try ToyRunner(nodes: "")
    let text = experiment(times: 4, until: "{metric: count.count, at_least: 3}").replacing(
      "with: {items: 1}", with: "with: {items: 1, milliseconds: 40}")
    try toy.folder.write(text, to: "x.yaml")
    let process = try toy.start(file: "x.yaml")
    try toy.wait(for: "the first items") { toy.trace.count > 1 }
    process.send(SIGKILL)
    _ = process.ending(waiting: true)
    _ = try run(toy, text)
    #expect(toy.standardError.contains("ended   round after iteration 3"))
    #expect(try plan(toy).contains("8 cached, 2 skipped"))
  }

  // MARK: expect

  @Test func `an expectation that holds says nothing`() throws {
    let toy = try ToyRunner(nodes: "")
    _ = try run(
      toy,
      experiment(
        times: 3, until: "[]",
        more: """
          metrics: {end: round@last.count.count}
          expect:
            - {metric: end, above: round@1.count.count, at_most: 3}
            - {metric: round@all.count.count, at_least: 1, below: 4}
            - {metric: last.count, equals: 13}
          """))
    #expect(!toy.standardError.contains("unexpected"))
  }

  @Test func `an expectation that does not hold ends with 12 and says the numbers`() throws {
    let toy = try ToyRunner(nodes: "")
    _ = try run(
      toy,
      experiment(
        times: 3, until: "[]",
        more: """
          metrics: {end: round@last.count.count, first: round@1.count.count}
          expect: [{metric: first, above: end}, {metric: end, equals: 3.5, within: 0.25}, {metric: end, above: 1}]
          """), .exited(12))
    #expect(
      toy.standardError.contains("unexpected: `first` is 1, expected above `end`, which is 3\n"))
    #expect(toy.standardError.contains("unexpected: `end` is 3, expected equal to 3.5 within 0.25\n"))
    #expect(!toy.standardError.contains("above 1\n"))
    #expect(toy.standardOutput.hasPrefix("end    3\nfirst  1\n"), "the metrics are shown all the same")
  }

  // MARK: matrix

  @Test func `cells run, are cached, and are gathered in order with their labels`() throws {
    let toy = try ToyRunner(nodes: "")
    func text(_ values: String) -> String {
      """
      version: 1
      name: toy
      stages:
        rows: {matrix: {n: \(values)}, with: {count: $n}}
        all: {uses: gather, in: {rows: rows}}
        total: {uses: sum, in: {rows: all}}
      metrics: {total: total.sum}

      """
    }
    #expect(try run(toy, text("[2, 3]")) == ["all", "rows@n=2", "rows@n=3", "total"])
    #expect(toy.standardOutput.hasPrefix("total  4\n"))
    // Another cell runs what is new; the order of cells is part of what the collector reads.
    #expect(try run(toy, text("[2, 3, 4]")) == ["all", "rows@n=4", "total"])
    #expect(try run(toy, text("[3, 2]")) == ["all", "total"])
    #expect(try run(toy, text("[2, 3]")).isEmpty)
  }
}

import JSON
import Runner
import System
import Testing

/// From YAML to records: the language, the planner and the executor together.
@Suite struct ExperimentRunTests {
  private func experiment(
    iterations: Int, comment: String = "", mix: String = "mix", shards: Int = 1
  ) -> String {
    """
    version: 1
    name: toy
    seed: 3
    \(comment)
    models:
      start: {path: start}
    stages:
      rows: {with: {count: 12}}
      round:
        loop:
          times: \(iterations)
          carry:
            policy: {first: start, next: train.model}
        stages:
          \(mix): {uses: mix, in: {rows: rows}, shards: \(shards), with: {items: 2}}
          train: {in: {rows: \(mix), model: policy}}
          sum: {in: {rows: \(mix)}}
    metrics: {curve: round@all.sum.sum}

    """
  }

  private func prepare() throws -> ToyRunner {
    let toy = try ToyRunner(nodes: "")
    try File.makeDirectory("\(toy.path)/start")
    try toy.folder.write("nothing learned", to: "start/weights")
    return toy
  }

  private func run(_ toy: ToyRunner, _ text: String) throws -> [String] {
    try toy.folder.write(text, to: "x.yaml")
    #expect(try toy.run("run", file: "x.yaml") == .exited(0), "\(toy.standardError)")
    return try toy.events("node-started").compactMap { $0["node"]?.stringValue }
  }

  @Test func `one more iteration runs exactly its nodes`() throws {
    let toy = try prepare()
    #expect(try run(toy, experiment(iterations: 2)).count == 7)
    #expect(toy.standardOutput == "curve  66  66\n\nstage        sum\nround@1.sum   66\nround@2.sum   66\n")
    #expect(try run(toy, experiment(iterations: 2)).isEmpty)
    #expect(
      try run(toy, experiment(iterations: 3)).sorted() == ["round@3.mix", "round@3.sum", "round@3.train"])
  }

  @Test func `comments, names and shards run nothing`() throws {
    let toy = try prepare()
    _ = try run(toy, experiment(iterations: 2))
    #expect(try run(toy, experiment(iterations: 2, comment: "# changed")).isEmpty)
    #expect(try run(toy, experiment(iterations: 2, mix: "renamed")).isEmpty)
    #expect(try run(toy, experiment(iterations: 2, shards: 3)).isEmpty)
  }

  @Test func `another starting model trains again and draws no sample again`() throws {
    let toy = try prepare()
    _ = try run(toy, experiment(iterations: 1))
    try toy.folder.write("something learned", to: "start/weights")
    #expect(try run(toy, experiment(iterations: 1)) == ["round@1.train"])
    #expect(toy.standardError.contains("start   round@1.train  input model changed"))
  }
}

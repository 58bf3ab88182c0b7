// `sweep:` as values: methods, distributions, conditions, and the experiment's seed as a repeated value.

import JSON
import Runner
import Search
import Testing

@Suite struct SweepDecoderTests {
  let project: TemporaryProject

  init() throws {
    project = try TemporaryProject()
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
  }

  private static let swept = """
    version: 1
    name: x
    params: {n: 2, t: 1.0, word: a}
    models: {sft: {path: sft}, rm: {path: rm}}
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
      quark:
        loop: {times: 2}
        stages:
          sample: {in: {model: sft, prompts: rows}, with: {n: $n, temperature: $t, max_new_tokens: 4}}
          judge: {uses: score, in: {model: rm, rows: sample}}
          evaluate: {in: {rows: judge}}
    metrics: {reward: quark@last.evaluate.reward}

    """

  private func sweep(_ text: String) throws -> Sweep {
    try project.write("experiment.yaml", Self.swept + text)
    switch project.result("experiment.yaml") {
    case .success(let good): return try #require(good.experiment.sweep)
    case .failure(let list): throw PlanFailure(description: DiagnosticRenderer().render(list))
    }
  }

  private func trials(_ sweep: Sweep, _ count: Int) throws -> [JSONObject] {
    var sequence = try sweep.sequence()
    return try (0..<count).compactMap { _ in
      guard case .trial(let trial) = try sequence.next() else { return nil }
      return trial.values
    }
  }

  @Test func `a sweep is read whole`() throws {
    let tpe = try sweep(
      """
      sweep:
        method: tpe
        params: {n: {integers: [1, 8]}, t: {log_uniform: [0.1, 2]}, word: [a, b]}
        trials: 40
        seed: 5
        lag: 16
        metric: {name: reward, goal: maximize}
        repeat: {seed: [1, 2, 3]}
        early_terminate: {kind: halving, loop: quark, least: 1, factor: 4}
        on_failure: stop
      """)
    #expect(tpe.trials == 40 && tpe.metric == "reward" && tpe.goal == .maximize && tpe.seed == 5)
    #expect(tpe.names == ["n", "t", "word"] && tpe.lag == 16 && tpe.failures == .stop)
    #expect(tpe.repetitions.map { JSON.object($0) } == [["seed": 1], ["seed": 2], ["seed": 3]])
    let end = try #require(tpe.earlyEnd)
    #expect(
      end.kind == .halving && end.loop == "quark" && end.least == 1 && end.factor == 4 && end.cohort == 16)
    let grid = try sweep("sweep: {params: {n: [1, 2], t: {uniform: [0.5, 1], step: 0.5}}}\n")
    #expect(grid.metric == nil && grid.repetitions.count == 1)
    #expect(
      try trials(grid, 9).map { JSON.object($0) } == [
        ["n": 1, "t": 0.5], ["n": 1, "t": 1.0], ["n": 2, "t": 0.5], ["n": 2, "t": 1.0],
      ])
    let list = try sweep("sweep: {method: list, trials: [{n: 1, t: 0.5}, {t: 1, n: 3}]}\n")
    #expect(try trials(list, 9).map { JSON.object($0) } == [["n": 1, "t": 0.5], ["n": 3, "t": 1]])
    let asha = try sweep(
      "sweep: {method: random, trials: 3, params: {n: [1, 2]}, metric: {name: reward, goal: minimize}, early_terminate: asha}\n"
    )
    #expect(asha.earlyEnd?.kind == .asha && asha.earlyEnd?.loop == "quark" && asha.earlyEnd?.factor == 3)
  }

  @Test func `tied parameters move together, a parameter exists under a value of another, constraints hold`()
    throws
  {
    let sweep = try sweep(
      """
      sweep:
        method: random
        trials: 200
        params:
          word: [a, b]
          t: {uniform: [0.1, 0.9], when: {word: b}}
        tied: [[{n: 1}, {n: 2}, {n: 3}]]
        constraints: n <= 2
      """)
    let trials = try trials(sweep, 200)
    #expect(trials.count == 200 && trials.allSatisfy { ($0["n"]?.intValue ?? 9) <= 2 })
    #expect(trials.allSatisfy { ($0["t"] != nil) == ($0["word"] == "b") })
    #expect(trials.contains { $0["word"] == "a" } && trials.contains { $0["word"] == "b" })
  }

  @Test(arguments: [
    ("{params: {n: {integers: [1, 8], step: 3}}}", "do not arrive at 8"),
    (
      "{params: {t: {uniform: [0.5, 1], when: {word: b}}, word: [a, b]}, method: random, trials: 1}",
      "declare it first"
    ),
    ("{params: {n: [1, 2]}, constraints: [m < 3]}", "names `m`, which is not varied"),
    ("{params: {n: [1, 2]}, constraints: [n < 1]}", "no combination of the grid"),
    ("{params: {n: [1, 2]}, constraints: [n 1]}", "cannot be read"),
    ("{params: {n: [1]}, tied: [[{n: 1}]]}", "`n` is varied twice"),
    ("{tied: [[{n: 1}, {t: 1}]]}", "the first row gives no `t`"),
    (
      "{params: {n: [1]}, metric: {name: reward, goal: maximize}, method: tpe, trials: 2, early_terminate: halving}",
      "write `lag: 9`"
    ),
    (
      "{params: {n: [1]}, metric: {name: reward, goal: maximize}, method: tpe, trials: 2, early_terminate: asha}",
      "not with `tpe`"
    ),
    (
      "{params: {n: [1]}, metric: {name: reward, goal: maximize}, early_terminate: {kind: median, factor: 2}}",
      "`factor` of `early_terminate` of `sweep` has no meaning with `kind: median`"
    ),
  ]) func `what does not fit together is said with its place`(_ text: String, _ words: String) throws {
    try project.write("experiment.yaml", Self.swept + "sweep: \(text)\n")
    let said = project.diagnostics("experiment.yaml")
    #expect(said.contains(words) && said.contains("--> experiment.yaml:1"), "\(said)")
  }

  @Test func `two sweeps have one name where their trials are the same`() throws {
    func definition(_ text: String) throws -> JSON { try sweep("sweep: {\(text)}\n").definition }
    let one = try definition("method: random, trials: 3, params: {n: [1, 2], t: [1, 2]}")
    #expect(
      try one == definition("method: random, trials: 9, params: {n: [1, 2], t: [1, 2]}, repeat: {seed: [1]}"))
    #expect(try one != definition("method: random, trials: 3, params: {n: [1, 2], t: [1, 2]}, seed: 1"))
    #expect(try one != definition("method: random, trials: 3, params: {t: [1, 2], n: [1, 2]}"))
    #expect(
      try definition("method: latin_hypercube, trials: 3, params: {n: [1, 2]}")
        != definition("method: latin_hypercube, trials: 4, params: {n: [1, 2]}"))
  }

  @Test func `the experiment's seed can be set where no parameter is called so`() throws {
    try project.write("experiment.yaml", Self.swept)
    func planned(_ set: [String]) throws -> (experiment: Experiment, plan: Plan) {
      switch project.result("experiment.yaml", set: set) {
      case .success(let good): return good
      case .failure(let list): throw PlanFailure(description: DiagnosticRenderer().render(list))
      }
    }
    let (plain, first) = try planned([])
    let (seeded, second) = try planned(["seed=7"])
    #expect(plain.seed == 0 && seeded.seed == 7 && !plain.isSeedGiven)
    #expect(seeded.settings["seed"] == 7 && plain.settings["seed"] == nil)
    #expect(first.nodes[1].seed != second.nodes[1].seed)
    let wrong = project.diagnostics("experiment.yaml", set: ["seed=few"])
    #expect(wrong.contains("`seed` must be an integer") && wrong.contains("--> --set:1:6"), "\(wrong)")
    try project.write("experiment.yaml", Self.swept.replacing("word: a", with: "word: a, seed: 3"))
    let (declared, _) = try planned(["seed=7"])
    #expect(declared.seed == 0 && !declared.isSeedGiven && declared.settings["seed"] == 7)
  }
}

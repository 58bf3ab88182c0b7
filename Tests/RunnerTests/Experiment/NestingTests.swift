// Loops inside loops, groups, matrices: what they unroll to, and what addresses mean in them.

import JSON
import Runner
import System
import Testing

@Suite struct NestingTests {
  let project: TemporaryProject

  init() throws {
    project = try TemporaryProject()
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
  }

  static let head = """
    version: 1
    name: nest
    models: {sft: {path: sft}, rm: {path: rm}}

    """

  func plan(_ stages: String, set: [String] = []) throws -> Plan {
    try project.plan(Self.head + stages, set: set)
  }

  func diagnostics(_ text: String) throws -> String {
    try project.write("a.yaml", Self.head + text)
    return project.diagnostics("a.yaml")
  }

  func node(_ address: String, _ plan: Plan) throws -> PlanNode {
    try #require(plan.nodes.first { $0.address == address }, "no node \(address)")
  }

  /// `port: address.output`, with labels on ports that collect.
  func inputs(_ address: String, _ plan: Plan) throws -> [String] {
    try node(address, plan).inputs.map { input in
      let name = input.port + (input.label.map { "[\($0)]" } ?? "")
      switch input.source {
      case .node(let index, let output): return "\(name): \(plan.nodes[index].address).\(output)"
      case .model(let model): return "\(name): model \(model)"
      }
    }
  }

  static let nested = """
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
      outer:
        loop: {times: 2, carry: {policy: {first: sft, next: inner@last.train.model}}}
        stages:
          draw: {in: {rows: rows}, with: {count: 1}}
          inner:
            loop: {times: 3, carry: {student: {first: policy, next: train.model}}}
            stages:
              sample: {in: {model: student, prompts: draw}, with: {max_new_tokens: 4}}
              train: {in: {model: student, reference: policy, rows: sample}, with: {lr: 1e-3}}
          answer: {uses: sample, in: {model: inner@2.train, prompts: draw}, with: {max_new_tokens: 4}}
      after: {uses: sample, in: {model: outer@1.inner@last.train, prompts: outer@last.draw}, with: {max_new_tokens: 4}}

    """

  @Test func `a loop inside a loop carries at each level`() throws {
    let plan = try plan(Self.nested)
    #expect(plan.nodes.count == 1 + 2 * (1 + 3 * 2 + 1) + 1)
    #expect(
      try inputs("outer@1.inner@1.sample", plan) == ["model: model sft", "prompts: outer@1.draw.rows"])
    #expect(try inputs("outer@1.inner@2.sample", plan)[0] == "model: outer@1.inner@1.train.model")
    #expect(try inputs("outer@2.inner@1.sample", plan)[0] == "model: outer@1.inner@3.train.model")
    #expect(
      try inputs("outer@2.inner@3.train", plan) == [
        "model: outer@2.inner@2.train.model", "reference: outer@1.inner@3.train.model",
        "rows: outer@2.inner@3.sample.rows",
      ])
    #expect(try inputs("outer@2.answer", plan)[0] == "model: outer@2.inner@2.train.model")
    #expect(
      try inputs("after", plan) == ["model: outer@1.inner@3.train.model", "prompts: outer@2.draw.rows"])
  }

  @Test func `a seed follows the iterations of every loop around`() throws {
    let plan = try plan(Self.nested)
    let seeds = try (1...2).flatMap { outer in
      try (1...3).map { try node("outer@\(outer).inner@\($0).sample", plan).seed }
    }
    #expect(Set(seeds).count == 6)
    // `printf '{"iterations":[2,3],"plug-in":"sample","seed":"0"}' | sha256sum`
    #expect(seeds[5] == 0x4ac8_b696_b596_2ca3)
  }

  @Test func `people name nodes with @last at each level`() throws {
    let plan = try plan(Self.nested)
    func found(_ address: String) throws -> String {
      try plan.candidates(address, stages: Toys.registry).nodes[0].address
    }
    #expect(try found("outer@last.inner@last.train") == "outer@2.inner@3.train")
    #expect(try found("outer@1.inner@last.train.model") == "outer@1.inner@3.train")
    #expect(try found("outer@last.inner@1.sample") == "outer@2.inner@1.sample")
    #expect(throws: RunError.self) { try found("outer@last.inner@last") }
  }

  @Test func `a group is a loop that goes round once and is not counted`() throws {
    let text = """
      stages:
        rows: {uses: data, with: {path: train.jsonl}}
        before:
          stages:
            draw: {in: {rows: rows}, with: {count: 1}}
            sample: {in: {model: sft, prompts: draw}, with: {max_new_tokens: 4}}
        use: {uses: sample, in: {model: rm, prompts: before.draw}, with: {max_new_tokens: 4}}

      """
    let grouped = try plan(text)
    #expect(grouped.nodes.map(\.address) == ["rows", "before.draw", "before.sample", "use"])
    let flat = try plan(
      """
      stages:
        rows: {uses: data, with: {path: train.jsonl}}
        draw: {in: {rows: rows}, with: {count: 1}}
        sample: {in: {model: sft, prompts: draw}, with: {max_new_tokens: 4}}
        use: {uses: sample, in: {model: rm, prompts: draw}, with: {max_new_tokens: 4}}
      """)
    #expect(grouped.nodes.map(\.recipeKey) == flat.nodes.map(\.recipeKey))
    #expect(grouped.nodes.map(\.seed) == flat.nodes.map(\.seed))
  }

  // MARK: matrix

  static let matrix = """
    params: {tokens: 4}
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
      score:
        matrix: {model: [sft, rm], t: [0, 0.5]}
        uses: sample
        in: {model: $model, prompts: rows}
        with: {temperature: $t, max_new_tokens: $tokens}
      both: {uses: gather, in: {rows: score}}
      one: {uses: gather, in: {rows: score@t=0.5}}
      plain: {uses: draw, in: {rows: "score@model=rm,t=0"}, with: {count: 1}}
      turned: {uses: draw, in: {rows: "score@t=0.5,model=rm.rows"}, with: {count: 1}}

    """

  @Test func `a stage fans out over the axes, and a reference to it collects`() throws {
    let plan = try plan(Self.matrix)
    let cells = ["model=sft,t=0", "model=sft,t=0.5", "model=rm,t=0", "model=rm,t=0.5"]
    #expect(
      plan.nodes.map(\.address) == ["rows"] + cells.map { "score@\($0)" } + [
        "both", "one", "plain", "turned",
      ])
    #expect(try inputs("both", plan) == cells.map { "rows[\($0)]: score@\($0).rows" })
    #expect(
      try inputs("one", plan) == [
        "rows[model=sft,t=0.5]: score@model=sft,t=0.5.rows",
        "rows[model=rm,t=0.5]: score@model=rm,t=0.5.rows",
      ])
    #expect(try inputs("plain", plan) == ["rows: score@model=rm,t=0.rows"])
    #expect(try inputs("turned", plan) == ["rows: score@model=rm,t=0.5.rows"])
    #expect(try node("score@model=rm,t=0.5", plan).options["temperature"] == 0.5)
    #expect(try inputs("score@model=rm,t=0.5", plan)[0] == "model: model rm")
    let seeds = Set(try cells.map { try node("score@\($0)", plan).seed })
    #expect(seeds.count == 1, "the values of a matrix are not in the seed")
  }

  @Test func `a cell has the key of the stage written out`() throws {
    let fanned = try plan(Self.matrix)
    let single = try plan(
      """
      stages:
        rows: {uses: data, with: {path: train.jsonl}}
        other: {uses: sample, in: {model: rm, prompts: rows}, with: {temperature: 0.5, max_new_tokens: 4}}
      """)
    #expect(
      try node("score@model=rm,t=0.5", fanned).recipeKey == node("other", single).recipeKey)
  }

  @Test func `cells are excluded and included`() throws {
    let plan = try plan(
      """
      stages:
        rows: {uses: data, with: {path: train.jsonl}}
        score:
          matrix:
            n: [1, 2, 3]
            size: {small: 4, large: 40}
            exclude: [{n: 1}, {n: 3, size: large}]
            include: [{n: 9, size: large}]
          uses: sample
          in: {model: sft, prompts: rows}
          with: {n: $n, max_new_tokens: $size}
        pairs:
          matrix: {include: [{a: 1, b: x}, {a: 2, b: y}]}
          uses: data
          with: {path: train.jsonl, prompt: "${b}${a}"}
      """)
    #expect(
      plan.nodes.dropFirst().map(\.address) == [
        "score@n=2,size=small", "score@n=2,size=large", "score@n=3,size=small", "score@n=9,size=large",
        "pairs@a=1,b=x", "pairs@a=2,b=y",
      ])
    #expect(try node("score@n=9,size=large", plan).options["max_new_tokens"] == 40)
    #expect(try node("pairs@a=2,b=y", plan).options["prompt"] == "y2")
  }

  static let grid = """
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
      grid:
        matrix: {lr: [1e-4, 1e-3], rounds: [1, 2]}
        loop: {times: $rounds, carry: {policy: {first: sft, next: train.model}}}
        stages:
          sample: {in: {model: policy, prompts: rows}, with: {max_new_tokens: 4}}
          train: {in: {model: policy, rows: sample}, with: {lr: $lr}}
          judge: {uses: score, in: {model: rm, rows: sample}}
          evaluate: {in: {rows: judge}}
      all: {uses: gather, in: {rows: grid@all.sample}}
      last: {uses: gather, in: {rows: grid@lr=1e-3@last.sample}}
      named: {uses: gather, in: {rows: {start: rows, end: "grid@lr=1e-4,rounds=2@last.sample", every: "grid@lr=1e-4,rounds=2@all.sample"}}}
      listed: {uses: gather, in: {rows: [rows, "grid@rounds=1@1.sample"]}}
    metrics:
      best: grid@lr=1e-3,rounds=2@last.evaluate.reward
      final: grid@last.evaluate.reward
      curves: grid@all.evaluate.reward

    """

  @Test func `a loop fans out whole: inside, a name means the same cell`() throws {
    let plan = try plan(Self.grid)
    #expect(
      try inputs("grid@lr=1e-3,rounds=2@2.train", plan) == [
        "model: grid@lr=1e-3,rounds=2@1.train.model", "rows: grid@lr=1e-3,rounds=2@2.sample.rows",
      ])
    #expect(
      try inputs("all", plan) == [
        "rows[lr=1e-4,rounds=1@1]: grid@lr=1e-4,rounds=1@1.sample.rows",
        "rows[lr=1e-4,rounds=2@1]: grid@lr=1e-4,rounds=2@1.sample.rows",
        "rows[lr=1e-4,rounds=2@2]: grid@lr=1e-4,rounds=2@2.sample.rows",
        "rows[lr=1e-3,rounds=1@1]: grid@lr=1e-3,rounds=1@1.sample.rows",
        "rows[lr=1e-3,rounds=2@1]: grid@lr=1e-3,rounds=2@1.sample.rows",
        "rows[lr=1e-3,rounds=2@2]: grid@lr=1e-3,rounds=2@2.sample.rows",
      ])
    #expect(
      try inputs("last", plan) == [
        "rows[lr=1e-3,rounds=1]: grid@lr=1e-3,rounds=1@1.sample.rows",
        "rows[lr=1e-3,rounds=2]: grid@lr=1e-3,rounds=2@2.sample.rows",
      ])
    #expect(
      try inputs("named", plan) == [
        "rows[start]: rows.rows", "rows[end]: grid@lr=1e-4,rounds=2@2.sample.rows",
        "rows[every@1]: grid@lr=1e-4,rounds=2@1.sample.rows",
        "rows[every@2]: grid@lr=1e-4,rounds=2@2.sample.rows",
      ])
    #expect(
      try inputs("listed", plan).map { $0.prefix { $0 != ":" } } == [
        "rows[1]", "rows[2@lr=1e-4,rounds=1]", "rows[2@lr=1e-3,rounds=1]",
      ])
    #expect(
      plan.metrics.map { $0.nodes.map { plan.nodes[$0].address } }[0] == ["grid@lr=1e-3,rounds=2@2.evaluate"])
    #expect(plan.metrics.map(\.nodes.count) == [1, 4, 6])
  }

  @Test func `a collection enters the key with its labels and in order, and renaming changes nothing`() throws
  {
    let before = try plan(Self.grid)
    let key = try node("named", before).recipeKey
    let renamed = try plan(
      Self.grid.replacing("sample", with: "draws").replacing("draws: {in", with: "draws: {uses: sample, in"))
    #expect(try node("named", renamed).recipeKey == key)
    let label = try plan(Self.grid.replacing("start: rows", with: "begin: rows"))
    #expect(try node("named", label).recipeKey != key)
    let turned = try plan(Self.grid.replacing("[1e-4, 1e-3]", with: "[1e-3, 1e-4]"))
    #expect(try node("all", turned).recipeKey != node("all", before).recipeKey)
    #expect(
      try node("grid@lr=1e-3,rounds=2@2.train", turned).recipeKey
        == node("grid@lr=1e-3,rounds=2@2.train", before).recipeKey)
  }

  @Test func `a mistake in a stage with many cells is said once`() throws {
    let text = try diagnostics(
      """
      stages:
        rows: {uses: data, with: {path: train.jsonl}}
        score: {matrix: {n: [1, 2, 3, 4]}, uses: sample, in: {model: sft, prompts: rwos}, with: {n: $n, tokens: 4}}
      """)
    #expect(text.components(separatedBy: "error[").count - 1 == 3)
    #expect(text.contains("did you mean `rows`"))
  }

  @Test func `a name in braces and quotes is a value's text, and anything else is the value`() throws {
    let plan = try plan(
      """
      params: {n: 3, path: train.jsonl}
      stages:
        rows: {uses: data, with: {path: $path, prompt: "${n}"}}
        some: {matrix: {much: [1e1]}, uses: draw, in: {rows: rows}, with: {count: $much}}
        few:
          uses: draw
          in: {rows: rows}
          with:
            count: ${n}
      """)
    #expect(plan.nodes[0].options["prompt"] == "3")
    #expect(plan.nodes[1].options["count"] == 10)
    #expect(plan.nodes[2].options["count"] == 3)
    let text = try diagnostics(
      "params: {n: 3}\nstages: {rows: {uses: data, with: {path: train.jsonl, prompt: $n}}}")
    #expect(text.contains("= help: `\"${name}\"`, in quotes, is a parameter's text"), "\(text)")
  }

  @Test func `ten thousand stages are planned in a second`() throws {
    let stages = (0..<9990).map {
      "  s\($0): {uses: draw, in: {rows: \($0 == 0 ? "rows" : "s\($0 - 1)")}, with: {count: 1}}\n"
    }
    let plan = try plan("stages:\n  rows: {uses: data, with: {path: train.jsonl}}\n" + stages.joined())
    #expect(plan.nodes.count == 9991)
  }
}

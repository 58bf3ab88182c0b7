// Plans: unrolling, binding, seeds and recipe keys.

import JSON
import Runner
import Testing

@Suite struct PlannerTests {
  func project() throws -> TemporaryProject {
    let project = try TemporaryProject()
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
    return project
  }

  func plan(_ text: String = quark, set overrides: [String] = []) throws -> Plan {
    try project().plan(text, set: overrides)
  }

  func node(_ address: String, _ plan: Plan) throws -> PlanNode {
    try #require(plan.nodes.first { $0.address == address }, "no node \(address)")
  }

  func keys(_ plan: Plan) -> [String: String] {
    Dictionary(uniqueKeysWithValues: plan.nodes.map { ($0.address, $0.recipeKey) })
  }

  /// Addresses whose recipe keys differ between two plans.
  func changed(_ a: Plan, _ b: Plan) -> [String] {
    let keys = keys(b)
    return a.nodes.filter { keys[$0.address] != $0.recipeKey }.map(\.address)
  }

  @Test func `unrolls a loop in order`() throws {
    let plan = try plan()
    let stages = ["draw", "sample", "score", "quantize", "pool", "train", "answer", "judge", "evaluate"]
    #expect(
      plan.nodes.map(\.address) == ["train_prompts", "valid_prompts"] + stages.map { "quark@1.\($0)" }
        + stages.map { "quark@2.\($0)" } + ["report"])
    for (index, node) in plan.nodes.enumerated() {
      #expect(node.index == index)
      for input in node.inputs { if case .node(let from, _) = input.source { #expect(from < index) } }
      for other in node.after { #expect(other < index) }
    }
  }

  @Test func `carries values from one iteration to the next`() throws {
    let plan = try plan()
    let train = try node("quark@1.train", plan).index
    let pool = try node("quark@1.pool", plan).index
    let first = try node("quark@1.sample", plan)
    let second = try node("quark@2.sample", plan)
    #expect(
      first.inputs.map(\.source) == [
        .model("sft"), .node(try node("quark@1.draw", plan).index, output: "rows"),
      ])
    #expect(second.inputs[0].source == .node(train, output: "model"))
    #expect(try node("quark@1.quantize", plan).inputs.map(\.port) == ["rows"])
    #expect(try node("quark@2.quantize", plan).inputs[1].source == .node(pool, output: "state"))
    #expect(
      try node("report", plan).inputs[0].source
        == .node(try node("quark@1.judge", plan).index, output: "rows"))
    #expect(try node("report", plan).after == [try node("quark@2.train", plan).index])
  }

  @Test func `resolves metrics`() throws {
    let plan = try plan()
    let first = try node("quark@1.evaluate", plan).index
    let second = try node("quark@2.evaluate", plan).index
    #expect(plan.metrics.map(\.name) == ["reward", "curve", "first"])
    #expect(plan.metrics.map(\.nodes) == [[second], [first, second], [try node("report", plan).index]])
    #expect(plan.metrics.allSatisfy { $0.metric == "reward" && $0.output == "metrics" })
  }

  @Test func `decodes options, parameters and settings`() throws {
    let plan = try plan()
    let train = try node("quark@1.train", plan)
    #expect(
      train.options.text(.canonical)
        == #"{"batch_size":8,"lr":2e-05,"objective":{"entropy":0.06,"kind":"conditional","kl":0.05},"shuffle":true}"#
    )
    #expect(try node("train_prompts", plan).options["prompt"] == "tldr: {prompt} ${x}")
    #expect(try node("train_prompts", plan).options["limit"] == .null)
    let sample = try node("quark@1.sample", plan)
    #expect(sample.execution.shards == 8)
    #expect(sample.execution.engine == ["memory": 4_294_967_296])
    #expect(sample.execution.retries == 1)
    #expect(sample.execution.resources == Resources(cpus: 2, memoryBytes: 8 << 30, timeSeconds: 14400))
    #expect(try node("valid_prompts", plan).files.map(\.option) == ["path"])
    let origin = try #require(train.origins.first { $0.option == "lr" })
    #expect(origin.line == 7)
    let set = try self.plan(set: ["lr=1e-5"])
    #expect(try node("quark@1.train", set).options["lr"] == 1e-5)
    #expect(try node("quark@1.train", set).origins.first { $0.option == "lr" }?.file == "--set")
  }

  @Test func `a default given as an integer is the number it stands for`() throws {
    let text = try node("quark@1.answer", plan()).options.text(.canonical)
    #expect(text.contains(#""top_p":1.0"#))
  }

  static let neutral: [(String, String)] = [
    ("shards: 8", "shards: 3"), ("engine: {memory: 4GiB}", "engine: {memory: 1GiB, batch: 7}"),
    ("shards: 8", "threads: 2"), ("retries: 1, ", "retries: 3, timeout: 2h, keep: last, "),
    ("name: quark-tldr", "name: other"), ("description: Quark on Reddit TL;DR", "# a comment"),
    ("version: 1", "version: 1  # a comment"), ("stem: tldr", "stem: 'tldr'"), ("lr: 2e-5", "lr: 0.00002"),
    ("scope: prompt", "scope: \"prompt\""), (", batch_size: 8", ""),
  ]

  @Test(arguments: neutral) func `keys do not hold how, names or comments`(_ old: String, _ new: String)
    throws
  {
    let text = quark.replacing(old, with: new)
    #expect(text != quark)
    #expect(try changed(plan(), plan(text)) == [])
  }

  @Test func `keys do not hold the names of stages, loops and models, nor paths`() throws {
    let plain = try plan()
    let renamed = try plan(
      quark.replacing("quark:", with: "spiral:").replacing("quark@", with: "spiral@")
        .replacing("judge", with: "jury").replacing("train_prompts", with: "prompts"))
    #expect(renamed.nodes.map(\.recipeKey) == plain.nodes.map(\.recipeKey))
    #expect(renamed.nodes.map(\.seed) == plain.nodes.map(\.seed))
    let project = try project()
    try project.write("copy.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
    let moved = try project.plan(quark.replacing("train.jsonl", with: "copy.jsonl"))
    #expect(moved.nodes.map(\.recipeKey) == plain.nodes.map(\.recipeKey))
    try project.write("train.jsonl", "{\"id\": \"2\", \"prompt\": \"b\"}\n")
    #expect(try changed(plain, project.plan(quark)).count == plain.nodes.count)
  }

  static let method: [(String, String, String)] = [
    ("count: 2048", "count: 2049", "quark@1.draw"), ("n: 96", "n: 95", "quark@1.sample"),
    ("temperature: 0.9", "temperature: 0.8", "quark@1.sample"),
    ("top_p: 0.9", "top_p: 0.8", "quark@1.sample"),
    (
      "max_new_tokens: 64, condition: best}\n        shards",
      "max_new_tokens: 63, condition: best}\n        shards", "quark@1.sample"
    ),
    ("condition: best}\n        shards", "condition: none}\n        shards", "quark@1.sample"),
    ("condition: best}\n        shards", "condition: {text: good}}\n        shards", "quark@1.sample"),
    ("classes: 5", "classes: 6", "quark@1.quantize"), ("scope: prompt", "scope: global", "quark@1.quantize"),
    ("per_class: 2", "per_class: 3", "quark@1.pool"), ("kl: 0.05", "kl: 0.06", "quark@1.train"),
    ("lr: 2e-5", "lr: 3e-5", "quark@1.train"), ("batch_size: 8", "batch_size: 9", "quark@1.train"),
    ("reference: sft, rows: pool", "reference: reward, rows: pool", "quark@1.train"),
    ("batch_size: 8}", "batch_size: 8}\n        seed: 1", "quark@1.train"),
    ("limit: 1000", "limit: 999", "valid_prompts"),
  ]

  @Test(arguments: method) func `keys hold every option, and what is downstream follows`(
    _ old: String, _ new: String, _ first: String
  ) throws {
    let text = quark.replacing(old, with: new)
    #expect(text != quark)
    let before = try plan()
    let stale = try changed(before, plan(text))
    #expect(stale.first == first)
    // Exactly what hangs on the first one, through inputs.
    var expected: Set<Int> = []
    for node in before.nodes {
      let isBelow = node.inputs.contains {
        if case .node(let from, _) = $0.source { expected.contains(from) } else { false }
      }
      let isSame = first.hasPrefix("quark@1.") && node.address == first.replacing("@1", with: "@2")
      if node.address == first || isSame || isBelow { expected.insert(node.index) }
    }
    #expect(stale == before.nodes.filter { expected.contains($0.index) }.map(\.address))
  }

  @Test func `more iterations leave the first ones as they were`() throws {
    let two = try plan()
    let three = try plan(set: ["iterations=3"])
    #expect(changed(two, three) == [])
    #expect(three.nodes.count == two.nodes.count + 9)
    let known = Set(two.nodes.map(\.recipeKey))
    #expect(
      three.nodes.filter { !known.contains($0.recipeKey) }.allSatisfy { $0.address.hasPrefix("quark@3.") })
  }

  @Test func `seeds follow the plug-in and the iteration`() throws {
    let plan = try plan()
    let sample = try node("quark@1.sample", plan).seed
    #expect(try node("quark@1.answer", plan).seed == sample)
    #expect(try node("quark@2.sample", plan).seed != sample)
    #expect(try node("quark@1.draw", plan).seed != sample)
    let own = try self.plan(quark.replacing("shards: 8", with: "seed: 7"))
    #expect(try node("quark@1.sample", own).seed != sample)
    #expect(try node("quark@1.sample", own).seed != node("quark@2.sample", own).seed)
    let other = try self.plan(quark.replacing("seed: 42", with: "seed: 43"))
    // Stages that draw nothing do not hear of the seed, except through what is upstream.
    #expect(try node("valid_prompts", other).recipeKey == node("valid_prompts", plan).recipeKey)
    #expect(try node("quark@1.draw", other).recipeKey != node("quark@1.draw", plan).recipeKey)
  }

  @Test func `the numeric mode enters the keys of stages that compute`() throws {
    let bf16 = try plan()
    let fp32 = try plan(quark.replacing("seed: 42", with: "seed: 42\nnumeric: fp32"))
    let stale = changed(bf16, fp32)
    #expect(stale.first == "quark@1.sample")
    #expect(!stale.contains("quark@1.draw"))
    #expect(fp32.nodes[0].numericMode == "fp32")
    // A stage's own mode goes no further than what reads it.
    let own = try plan(quark.replacing("shards: 8", with: "numeric: int8"))
    #expect(changed(bf16, own) == stale)
    #expect(try node("quark@1.sample", own).numericMode == "int8")
    #expect(try node("quark@1.train", own).numericMode == "bf16")
  }

  @Test func `a recipe key is what it was`() throws {
    // Changes only with `Recipe.format`: stored results are found by it.
    let plan = try plan()
    let key = try node("quark@2.evaluate", plan).recipeKey
    let seed = try node("quark@2.sample", plan).seed
    #expect(key == "68e4953b779e4610dedeff1b14215e9530400904900fa8fadb9e56318ab571d8")
    // The first 16 digits of `printf '{"iterations":[2],"plug-in":"sample","seed":"42"}' | sha256sum`.
    #expect(seed == 13_418_337_632_672_082_886)
  }

  @Test func `merge keys and anchors give what they stand for`() throws {
    let text = """
      version: 1
      name: x
      models: {m: {path: sft}}
      stages:
        p: {uses: data, with: {path: train.jsonl}}
        a: {uses: sample, in: &in {model: m, prompts: p}, with: &base {n: 2, max_new_tokens: 8, temperature: 0.5}}
        b: {uses: sample, in: *in, with: {<<: *base, n: 3}}
      """
    let plan = try plan(text)
    #expect(try node("a", plan).options["n"] == 2)
    #expect(try node("b", plan).options["n"] == 3)
    #expect(try node("b", plan).options["temperature"] == 0.5)
  }

  @Test func `a long loop is planned without deep recursion`() throws {
    let plan = try plan(set: ["iterations=3000"])
    #expect(plan.nodes.count == 3 + 9 * 3000)
  }

  @Test func `an absent model is a warning`() throws {
    let plan = try plan()
    #expect(plan.warnings.map(\.code) == [.missingModel, .missingModel])
  }

  @Test(arguments: ["path: pypi:pkg==1.0/a/b.gguf", "pypi: pkg==1.0/a/b.gguf"])
  func `a model may come out of a wheel, named by its digest`(_ source: String) throws {
    let digest = String(repeating: "ab", count: 32)
    let plan = try plan(quark.replacing("sft: {path: sft}", with: "sft: {\(source), sha256: \(digest)}"))
    let model = try #require(plan.models.first)
    #expect(
      model
        == ModelReference(
          name: "sft", source: .remote(.pypi(package: "pkg", version: "1.0", file: "a/b.gguf")),
          sha256: digest))
    #expect(plan.warnings.count == 1)
  }

  @Test func `a path through a symbolic link may not leave the project`() throws {
    let project = try project()
    let outside = try TemporaryProject()
    try outside.write("secret.jsonl", "{}\n")
    try #require(symlinkFile("\(outside.folder)/secret.jsonl", "\(project.folder)/link.jsonl"))
    try project.write(
      "a.yaml", "version: 1\nname: x\nstages: {data: {with: {path: link.jsonl}}}\n")
    #expect(project.diagnostics("a.yaml").contains("error[outside-project]"))
  }
}

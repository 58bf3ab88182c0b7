import Foundation
import Glibc
import JSON
import Runner
import Stages
import System
import TestFolder
import Testing

/// The property on which all caching stands: a changed option makes its stage and what is downstream of it run again, and
/// nothing else; how a stage is run, and what it is called, makes nothing run.
///
/// Nothing is computed: a node's outputs are taken to be other bytes exactly when its key is another.
@Suite struct StaleNodesTests {
  private static let stages: [any Stage.Type] = [
    DataStage.self, DrawStage.self, SampleStage.self, ScoreStage.self, NormalizeStage.self,
    QuantizeStage.self, AnnotateStage.self, ExemplarStage.self, PoolStage.self, TrainStage.self,
    EvaluateStage.self,
  ]
  /// Any value of any option makes a key, whether or not a stage could work with it: what stages say of themselves is left out.
  private static let registry = StageRegistry(
    stages.map { unchecked($0) } + [
      unchecked(CommandStage.self), FollowStage.self, EveryTypeStage.self,
    ])
  private static func unchecked<S: Stage>(_ stage: S.Type) -> any Stage.Type { Unchecked<S>.self }
  private static let names = stages.map { $0.declaration.name } + ["every-type"]

  /// A project folder that is gone when the test is.
  private final class Project {
    private let place = TemporaryFolder()
    var folder: String { place.path }
    init() throws {
      try #require(mkdir("\(folder)/.plumb", 0o755) == 0)
      for name in ["a.jsonl", "same.jsonl"] { try write("{\"prompt\": \"a\"}\n", to: name) }
      try write("{\"prompt\": \"b\"}\n", to: "b.jsonl")
      try write("weights", to: "model.gguf")
    }
    func write(_ text: String, to name: String) throws { try place.write(text, to: name) }

    func plan(_ text: String) throws -> Plan {
      try write(text, to: "x.yaml")
      switch Planner.plan(path: "\(folder)/x.yaml", stages: registry) {
      case .success(let good): return good.plan
      case .failure(let list): throw Refused(description: DiagnosticRenderer().render(list) + text)
      }
    }
  }

  private struct Refused: Error, CustomStringConvertible { let description: String }

  /// `up` before the stage, `x` the stage, followers of each of its outputs, and `beside`, which reads `up` alone.
  private func experiment(
    _ declaration: StageDeclaration, options: JSON, name: String = "x", settings: String = "",
    top: String = "seed: 1"
  ) -> String {
    let ports = Self.registry.stage(named: declaration.name)?.declaration(for: options).inputs
    let inputs = (ports ?? declaration.inputs).map { port in
      let source =
        switch port.type {
        case .model: "m"
        case .file: "beside"
        case .rows, .metrics: "up"
        }
      return "\(port.name): \(source)"
    }
    let followers = outputs(declaration).map { output in
      "  after_\(output.name): {uses: follow, in: {\(output.type.rawValue): \(name).\(output.name)}}\n"
        + "  last_\(output.name): {uses: follow, in: {file: after_\(output.name)}}\n"
    }
    return """
      version: 1
      name: stale
      \(top)
      models: {m: {path: model.gguf}}
      stages:
        up: {uses: data, with: {path: a.jsonl, keep: [generations, rewards, feedbacks, a, b]}}
        beside: {uses: follow, in: {rows: up}}
        \(name):
          uses: \(declaration.name)
          in: {\(inputs.joined(separator: ", "))}
          with: \(options.text())
      \(settings)
      \(followers.joined())
      """
  }

  /// Each node's key by its address, where equal keys give equal bytes and other keys other bytes.
  private func keys(of plan: Plan, version: (String) -> Int? = { _ in nil }) throws -> [(
    address: String, key: String
  )] {
    var keys: [String] = []
    for node in plan.nodes {
      let declaration = try #require(Self.registry.stage(named: node.stage)?.declaration(for: node.options))
      let inputs = try node.inputs.map { input -> (port: String, label: String?, digest: JSON) in
        switch input.source {
        case .node(let index, let output):
          (input.port, input.label, .string(Digest.of(text: "\(keys[index]) \(output)").hex))
        case .model(let name):
          switch try #require(plan.models.first { $0.name == name }).source {
          case .path(let path): (input.port, input.label, try .string(Digest.ofFile(path).digest.hex))
          case .remote, .run, .server: (input.port, input.label, .string(Digest.of(text: name).hex))
          }
        }
      }
      let files = try node.files.map { try $0.digest { try Digest.ofFile($0).digest } }
      keys.append(ContentKey(node: node, declaration: declaration, inputs: inputs, files: files).hex)
    }
    return zip(plan.nodes, keys).map { ($0.address, $1) }
  }

  /// What runs again, by content keys and by recipe keys, which must agree.
  private func stale(_ new: Plan, since old: Plan) throws -> [String] {
    let known = Set(try keys(of: old).map(\.key))
    let found = try keys(of: new).filter { !known.contains($0.key) }.map(\.address).sorted()
    let recipes = Set(old.nodes.map(\.recipeKey))
    #expect(new.nodes.filter { !recipes.contains($0.recipeKey) }.map(\.address).sorted() == found)
    return found
  }

  private func downstream(_ declaration: StageDeclaration) -> [String] {
    (["x"] + outputs(declaration).flatMap { ["after_\($0.name)", "last_\($0.name)"] }).sorted()
  }

  /// With the outputs that it has without an option that asks for more.
  private func declaration(_ name: String) throws -> StageDeclaration {
    let stage = try #require(Self.registry.stage(named: name))
    let outputs = stage.declaration(for: base(stage.declaration)).outputs.map(\.name)
    return stage.declaration.outputs.filter { !outputs.contains($0.name) }
      .reduce(stage.declaration) { $0.leavingOut($1.name) }
  }

  /// Those that there are whatever the options.
  private func outputs(_ declaration: StageDeclaration) -> [OutputPort] {
    Self.registry.stage(named: declaration.name)?.declaration(for: base(declaration)).outputs ?? []
  }

  /// Every required option at a first value.
  private func base(_ declaration: StageDeclaration) -> JSON {
    .object(
      JSONObject(
        declaration.options.filter { $0.defaultValue == nil }.map { ($0.name, samples(of: $0.type)[0]) }))
  }

  @Test(arguments: names)
  func `every value of every option makes exactly its stage and what is downstream stale`(name: String) throws
  {
    let project = try Project()
    let declaration = try declaration(name)
    #expect(!declaration.options.isEmpty)
    // What chooses among files counts by the files that it chooses.
    let choosers = declaration.options.flatMap { field in
      if case .files(let split, let config) = field.type { [split, config] } else { [String]() }
    }
    for field in declaration.options where !choosers.contains(field.name) {
      let values = samples(of: field.type)
      #expect(values.count > 1, "\(name).\(field.name) has one value only")
      var options = base(declaration).objectValue ?? JSONObject()
      options[field.name] = values[0]
      let first = try project.plan(experiment(declaration, options: .object(options)))
      for value in values.dropFirst() {
        options[field.name] = value
        let other = try project.plan(experiment(declaration, options: .object(options)))
        #expect(
          try stale(other, since: first) == downstream(declaration),
          "\(name).\(field.name): \(values[0].text()) -> \(value.text())")
      }
    }
  }

  @Test(arguments: names)
  func `writing a default out changes nothing`(name: String) throws {
    let project = try Project()
    let declaration = try declaration(name)
    var options = base(declaration).objectValue ?? JSONObject()
    let silent = try project.plan(experiment(declaration, options: .object(options)))
    for field in declaration.options { if let value = field.defaultValue { options[field.name] = value } }
    let written = try project.plan(experiment(declaration, options: .object(options)))
    #expect(try stale(written, since: silent) == [])
  }

  @Test(arguments: names)
  func `comments, names, paths and ways of running make nothing stale`(name: String) throws {
    let project = try Project()
    let declaration = try declaration(name)
    let options = base(declaration)
    let plain = try project.plan(experiment(declaration, options: options))
    var settings = [
      "# a comment", "description: something else", "engine: {memory: 1GiB, batch: 3}", "threads: 2",
      "retries: 3",
      "timeout: 2h", "resources: {cpus: 1, memory: 2GiB, time: 1h, gpus: 0}", "keep: none",
      "checkpoint: {seconds: 5}",
      "needs: [beside]",
    ]
    if declaration.rowsAreIndependent { settings.append("shards: 7") }
    for setting in settings {
      let other = try project.plan(experiment(declaration, options: options, settings: "    \(setting)"))
      #expect(try stale(other, since: plain) == [], "\(setting)")
    }
    let renamed = try project.plan(experiment(declaration, options: options, name: "renamed"))
    #expect(try stale(renamed, since: plain) == [])
    let moved = try project.plan(
      experiment(declaration, options: options).replacingOccurrences(of: "a.jsonl", with: "same.jsonl"))
    #expect(try stale(moved, since: plain) == [])
  }

  @Test(arguments: names)
  func `seed, numeric mode and other content reach those who use them`(name: String) throws {
    let project = try Project()
    let options = base(try declaration(name))
    // Ports and traits may follow from the options.
    let declaration = try #require(Self.registry.stage(named: name)?.declaration(for: options))
    let plain = try project.plan(experiment(declaration, options: options))
    let seeded = try project.plan(experiment(declaration, options: options, top: "seed: 2"))
    #expect(try stale(seeded, since: plain) == (declaration.isRandom ? downstream(declaration) : []))
    let own = try project.plan(experiment(declaration, options: options, settings: "    seed: 9"))
    #expect(try stale(own, since: plain) == (declaration.isRandom ? downstream(declaration) : []))
    let precise = try project.plan(experiment(declaration, options: options, top: "seed: 1\nnumeric: fp32"))
    #expect(try stale(precise, since: plain) == (declaration.computes ? downstream(declaration) : []))

    let before = Set(try keys(of: plain).map(\.key))
    try project.write("other weights", to: "model.gguf")
    let readers = try keys(of: plain).filter { !before.contains($0.key) }.map(\.address).sorted()
    #expect(readers == (declaration.inputs.contains { $0.type == .model } ? downstream(declaration) : []))
  }

  @Test func `another stage version and other rows upstream are seen downstream`() throws {
    let project = try Project()
    let draw = DrawStage.declaration
    let options = base(draw)
    let plain = try project.plan(experiment(draw, options: options))
    let other = try project.plan(
      experiment(draw, options: options).replacingOccurrences(of: "a.jsonl", with: "b.jsonl"))
    #expect(try stale(other, since: plain) == (downstream(draw) + ["beside", "up"]).sorted())
    let newer = StageDeclaration(
      name: draw.name, summary: draw.summary, version: draw.version + 1, inputs: draw.inputs,
      outputs: draw.outputs,
      options: draw.options, isRandom: draw.isRandom, numerics: draw.numerics,
      rowsAreIndependent: draw.rowsAreIndependent)
    let node = try #require(plain.nodes.first { $0.address == "x" })
    func key(_ declaration: StageDeclaration) -> String {
      ContentKey(node: node, declaration: declaration, inputs: [], files: []).hex
    }
    #expect(key(newer) != key(draw))
  }

  /// An option of a scorer that experiments were run without.
  @Test func `the default of an option that was added later is in no key, written or not`() throws {
    let project = try Project()
    let score = ScoreStage.declaration
    func plan(_ options: [(String, JSON)]) throws -> Plan {
      let scorer = JSON.object(JSONObject([("kind", "reward")] + options))
      return try project.plan(experiment(score, options: ["scorer": scorer]))
    }
    let silent = try plan([])
    let written = try plan([
      ("template", "{prompt}{generation}"), ("text_markers", []), ("strip", false), ("separator", nil),
      ("split", "prompt"), ("special_tokens", "text"), ("max_length", nil), ("truncation", "right"),
      ("read_before", nil), ("label", nil), ("output", "logit"),
    ])
    #expect(try stale(written, since: silent) == [])
    let node = try #require(written.nodes.first { $0.address == "x" })
    #expect(node.options == ["scorer": ["kind": "reward", "template": "{prompt}{generation}"]])
    #expect(try stale(try plan([("strip", true)]), since: silent) == downstream(score))
  }

  @Test func `every option of a command makes it and what is downstream stale, and no way of running does`()
    throws
  {
    let project = try Project()
    func plan(_ changed: [String: String] = [:], settings: String = "") throws -> Plan {
      let options: [(name: String, value: String)] = [
        ("run", "[sort, '{in.rows}']"), ("shell", "false"), ("files", "[a.jsonl]"), ("rows", "file"),
        ("inputs", "[{name: rows}]"), ("outputs", "[{name: rows}, {name: other, type: file}]"), ("env", "[]"),
        ("version", "1"),
      ]
      let with = options.map { "\($0.name): \(changed[$0.name] ?? $0.value)" }.joined(separator: ", ")
      return try project.plan(
        """
        version: 1
        name: stale
        seed: 1
        stages:
          up: {uses: data, with: {path: a.jsonl, prompt: "{prompt}"}}
          x:
            uses: command
            in: {rows: up}
            with: {\(with)}
            \(settings)
          after: {uses: follow, in: {rows: x}}
          beside: {uses: follow, in: {rows: up}}

        """)
    }
    let plain = try plan()
    for (name, value) in [
      ("run", "[sort, -r, '{in.rows}']"), ("run", "[sort, '{seed}']"), ("shell", "true"),
      ("files", "[b.jsonl]"),
      ("rows", "stream"), ("inputs", "[{name: rows, columns: [prompt]}]"), ("env", "[HOME]"),
      ("version", "2"),
    ] { #expect(try stale(try plan([name: value]), since: plain) == ["after", "x"], "\(name): \(value)") }
    #expect(
      try stale(try plan(["files": "[same.jsonl]"]), since: plain) == [], "the same text of another name")
    let stream = try plan(["rows": "stream"])
    #expect(try stale(try plan(["rows": "stream"], settings: "shards: 7"), since: stream) == [])
  }

  /// A stage added to the program is added here.
  @Test func `the stages of this test are those of the program`() throws {
    let list = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/Commands/StageList.swift")
    let words = try String(contentsOf: list, encoding: .utf8).split { !$0.isLetter && $0 != "." }
    let listed = words.filter { $0.hasSuffix("Stage.self") }.map { String($0.dropLast(5)) }
    // The ports of `command` follow from its options: it has a test of its own, above.
    #expect(listed.sorted() == (Self.stages.map { "\($0)" } + ["CommandStage"]).sorted())
  }
}

// MARK: values

/// Distinct valid values of a type that reach every part of it: each branch of a variant, each field of an object.
private func samples(of type: OptionType) -> [JSON] {
  var found: [JSON] = []
  func add(_ value: JSON) { if !found.contains(value) { found.append(value) } }
  switch type {
  case .bool: found = [false, true]
  case .integer(let range):
    for value in [range.lowerBound, 1, 2, range.upperBound] where range.contains(value) {
      add(.int(Int64(value)))
    }
  case .number(let range, let isExclusive, _):
    for value in [range.lowerBound, 0.25, 0.5, 1, range.upperBound]
    where range.contains(value) && value.magnitude < 1e300 && !(isExclusive && value == range.lowerBound) {
      add(.double(value))
    }
  case .string: found = ["a", "b"]
  case .choice(let words): for word in words { add(.string(word)) }
  case .file: found = ["a.jsonl", "b.jsonl"]
  case .files: found = ["a.jsonl", "b.jsonl", ["a.jsonl", "b.jsonl"], ["b.jsonl", "a.jsonl"]]
  case .list(let element, let count):
    let values = samples(of: element)
    let length = max(1, count.lowerBound)
    for first in values { add(.array([first] + Array(repeating: values[0], count: length - 1))) }
    if length < count.upperBound { add(.array(Array(repeating: values[0], count: length + 1))) }
  case .mapping(let element, _):
    let values = samples(of: element)
    for value in values { add(["name": value]) }
    add(["other": values[0]])
    add(["name": values[0], "other": values[0]])
  case .object(let fields): found = objects(of: fields, kind: nil)
  case .variant(let variants):
    for variant in variants { found += objects(of: variant.fields, kind: variant.kind) }
  case .optional(let inner):
    found = [.null]
    for value in samples(of: inner) { add(value) }
  case .either(let types): for type in types { for value in samples(of: type) { add(value) } }
  }
  return found
}

/// All fields at their first values, then each field at each of its others.
private func objects(of fields: [OptionField], kind: String?) -> [JSON] {
  var first = JSONObject(kind.map { [("kind", JSON.string($0))] } ?? [])
  for field in fields { first[field.name] = samples(of: field.type)[0] }
  var all = [JSON.object(first)]
  for field in fields {
    for value in samples(of: field.type).dropFirst() {
      var other = first
      other[field.name] = value
      all.append(.object(other))
    }
  }
  return all
}

private struct Unchecked<S: Stage>: Stage {
  static var declaration: StageDeclaration { S.declaration }
  static func declaration(for options: JSON) -> StageDeclaration { S.declaration(for: options) }
  func run(_ context: StageContext) throws {}
}

/// Reads anything.
private struct FollowStage: Stage {
  static let declaration = StageDeclaration(
    name: "follow", summary: "", version: 1,
    inputs: [
      InputPort("rows", .rows, required: false, summary: ""),
      InputPort("model", .model, required: false, summary: ""),
      InputPort("metrics", .metrics, required: false, summary: ""),
      InputPort("file", .file, required: false, summary: ""),
    ], outputs: [OutputPort("file", .file, summary: "")], options: [])
  func run(_ context: StageContext) throws {}
}

/// Has an option of every type there is, each inside others too.
private struct EveryTypeStage: Stage {
  static let inner: [OptionField] = [
    OptionField("bool", .bool, default: true, summary: ""),
    OptionField("integer", .integer(-5...5), default: 1, summary: ""),
    OptionField("number", .number(0...10, exclusiveMinimum: true), default: 1.5, summary: ""),
    OptionField("string", .string, default: "", summary: ""),
    OptionField("choice", .choice(["left", "right", "none"]), default: "left", summary: ""),
    OptionField("list", .list(.number(0...1), count: 0...3), default: [], summary: ""),
    OptionField("optional", .optional(.integer(0...9)), default: .null, summary: ""),
    OptionField(
      "either", .either([.choice(["best", "none"]), .object([OptionField("text", .string, summary: "")])]),
      default: "best", summary: ""),
    OptionField("mapping", .mapping(.integer(0...9), count: 0...3), default: [:], summary: ""),
  ]
  static let declaration = StageDeclaration(
    name: "every-type", summary: "", version: 1, inputs: [InputPort("rows", .rows, summary: "")],
    outputs: [OutputPort("file", .file, summary: ""), OutputPort("metrics", .metrics, summary: "")],
    options: inner + [
      OptionField("file", .file, summary: ""),
      OptionField("files", .list(.file, count: 0...2), default: [], summary: ""),
      OptionField("object", .object(inner), default: [:], summary: ""),
      OptionField(
        "variant",
        .variant([
          OptionVariant("plain", [], summary: ""), OptionVariant("full", inner, summary: ""),
          OptionVariant(
            "nested", [OptionField("object", .object(inner), default: [:], summary: "")], summary: ""),
        ]), default: ["kind": "plain"], summary: ""),
    ])
  func run(_ context: StageContext) throws {}
}

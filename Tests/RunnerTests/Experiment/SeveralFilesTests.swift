// `extends`, `include`, `inputs`, parameters of parameters: what they come to.

import Foundation
import JSON
import Runner
import Testing

@Suite struct SeveralFilesTests {
  let project: TemporaryProject

  init() throws {
    project = try TemporaryProject()
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
  }

  func folder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: "\(project.folder)/\(name)", withIntermediateDirectories: true)
  }

  func node(_ address: String, _ plan: Plan) throws -> PlanNode {
    try #require(plan.nodes.first { $0.address == address }, "no node \(address)")
  }

  func diagnostics(_ text: String, set: [String] = []) throws -> String {
    try project.write("experiment.yaml", text)
    return project.diagnostics("experiment.yaml", set: set)
  }

  // MARK: extends

  private func writeChain() throws {
    try folder("base/data")
    try project.write("base/data/b.jsonl", "{\"id\": \"2\", \"prompt\": \"b\"}\n")
    try project.write(
      "base/root.yaml",
      """
      version: 1
      name: root
      params: {count: 3, path: data/b.jsonl}
      stages:
        rows: {uses: data, with: {path: $path, limit: 5}}
        old: {uses: draw, in: {rows: rows}, with: {count: 1}}
        draw: {in: {rows: rows}, with: {count: $count}}
      """)
    try project.write(
      "middle.yaml", "extends: base/root.yaml\nname: middle\nstages: {old: null, draw: {with: {count: 4}}}\n")
  }

  @Test func `mappings merge, null removes, and each value keeps its place`() throws {
    try writeChain()
    let plan = try project.plan(
      """
      extends: middle.yaml
      params: {count: 7}
      stages:
        rows: {with: {limit: null}}
        more: {uses: draw, in: {rows: draw}, with: {count: $count}}
      """)
    #expect(plan.experimentName == "middle")
    #expect(plan.nodes.map(\.address) == ["rows", "draw", "more"])
    #expect(try node("draw", plan).options["count"] == 4)
    #expect(try node("more", plan).options["count"] == 7)
    #expect(try node("rows", plan).options["limit"] == .null)
    // A path starts where it was written.
    #expect(try node("rows", plan).files.flatMap(\.paths) == ["\(project.folder)/base/data/b.jsonl"])
    let origins = plan.nodes.flatMap { node in
      node.origins.map {
        "\(node.address).\($0.option) \($0.file.split(separator: "/").last ?? ""):\($0.line)"
      }
    }
    #expect(origins.contains("rows.path root.yaml:3"))
    #expect(origins.contains("draw.count middle.yaml:3"))
    #expect(origins.contains("more.count experiment.yaml:2"))
  }

  @Test func `what extends itself written out has the same keys`() throws {
    try writeChain()
    let extended = try project.plan("extends: middle.yaml\n")
    let flat = try project.plan(
      """
      version: 1
      name: flat
      stages:
        rows: {uses: data, with: {path: base/data/b.jsonl, limit: 5}}
        draw: {in: {rows: rows}, with: {count: 4}}
      """)
    #expect(extended.nodes.map(\.recipeKey) == flat.nodes.map(\.recipeKey))
  }

  @Test func `a circle names every file`() throws {
    try project.write("a.yaml", "extends: b.yaml\n")
    try project.write("b.yaml", "extends: c.yaml\n")
    try project.write("c.yaml", "extends: ./a.yaml\n")
    let text = project.diagnostics("a.yaml")
    #expect(
      text.hasPrefix(
        "error[extends-cycle]: files extend each other: `a.yaml` -> `b.yaml` -> `c.yaml` -> `a.yaml`\n --> c.yaml:1:10"
      ), "\(text)")
    #expect(text.contains("note: `a.yaml` extends the next one here") && text.contains(" --> b.yaml:1:10"))
  }

  @Test func `a mistake is shown in the file that holds it`() throws {
    try writeChain()
    let text = try diagnostics(
      "extends: middle.yaml\nstages: {draw: {with: {cuont: 1}}, rows: {in: {x: y}}}\n")
    #expect(text.contains(" --> experiment.yaml:2:24"))
    try project.write("base/root.yaml", "version: 1\nname: x\nstages: {rows: {uses: data, wiht: {}}}\n")
    #expect(try diagnostics("extends: middle.yaml\n").contains(" --> base/root.yaml:3:29"))
    #expect(try diagnostics("extends: nowhere.yaml\n").contains("error[missing-file]"))
    #expect(try diagnostics("extends: ../../x.yaml\n").contains("error[outside-project]"))
    #expect(try diagnostics("extends: base\n").contains("error[not-a-file]"))
  }

  // MARK: include

  @Test func `an included file brings models and stages`() throws {
    try folder("parts/sft")
    try project.write(
      "parts/data.yaml",
      "models: {sft: {path: sft}}\nstages: {rows: {uses: data, with: {path: ../train.jsonl, prompt: $prompt}}}\n"
    )
    let plan = try project.plan(
      """
      version: 1
      name: x
      include: [parts/data.yaml]
      params: {prompt: "{prompt}!"}
      stages: {answer: {uses: sample, in: {model: sft, prompts: rows}, with: {max_new_tokens: 4}}}
      """)
    #expect(plan.nodes.map(\.address) == ["rows", "answer"])
    #expect(try node("rows", plan).options["prompt"] == "{prompt}!")
    #expect(plan.models.map(\.source) == [.path("\(project.folder)/parts/sft")])
    #expect(plan.warnings.isEmpty)
  }

  @Test func `a name in two files is refused with both places`() throws {
    try project.write(
      "part.yaml", "stages: {rows: {uses: data, with: {path: train.jsonl}}}\nparams: {a: 1}\n")
    let text = try diagnostics(
      "version: 1\nname: x\ninclude: part.yaml\nstages: {rows: {uses: data, with: {path: train.jsonl}}}\n")
    #expect(text.contains("error[duplicate-name]: a stage called `rows` is in two files"))
    #expect(text.contains(" --> experiment.yaml:4:10") && text.contains(" --> part.yaml:1:10"))
    #expect(text.contains("error[unknown-key]: an included file has no key called `params`"))
  }

  // MARK: inputs

  @Test func `what lies outside needs a declared folder, links followed`() throws {
    let outside = try TemporaryProject()
    try outside.write("data.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
    try #require(symlinkFile(outside.folder, "\(project.folder)/link"))
    func text(_ inputs: String, _ path: String) -> String {
      "version: 1\nname: x\n\(inputs)stages: {data: {with: {path: \(path)}}}\n"
    }
    let refused = try diagnostics(text("", "link/data.jsonl"))
    #expect(refused.contains("error[outside-project]"))
    #expect(refused.contains("declare its folder: `inputs: [\(outside.folder)]`"))
    for root in [outside.folder, "link"] {
      let plan = try project.plan(text("inputs: [\(root)]\n", "\(outside.folder)/data.jsonl"))
      #expect(plan.nodes[0].files.flatMap(\.paths) == ["\(outside.folder)/data.jsonl"])
      #expect(try diagnostics(text("inputs: [\(root)]\n", "link/data.jsonl")) == "")
    }
    // Beside a declared folder, and a name that only begins like it.
    #expect(
      try diagnostics(text("inputs: [link]\n", "\(outside.folder)/../x.jsonl")).contains("outside-project"))
    #expect(
      try diagnostics(text("inputs: [link]\n", "\(outside.folder)x/data.jsonl")).contains("outside-project"))
    #expect(try diagnostics(text("inputs: [/]\n", "/etc/hosts")).contains("`/` cannot be one of `inputs`"))
    #expect(try diagnostics(text("inputs: nowhere\n", "train.jsonl")).contains("error[missing-file]"))
    #expect(try diagnostics(text("", "~/data.jsonl")).contains("`~` is not expanded"))
    #expect(try diagnostics(text("", "\"train.jsonl\\0.txt\"")).contains("a path cannot hold a NUL"))
  }

  @Test func `where a declared folder lies changes no key`() throws {
    var keys: [String] = []
    for _ in 0..<2 {
      let outside = try TemporaryProject()
      try FileManager.default.createDirectory(
        atPath: "\(outside.folder)/sft", withIntermediateDirectories: true)
      let plan = try project.plan(
        """
        version: 1
        name: x
        inputs: \(outside.folder)
        models: {sft: {path: \(outside.folder)/sft}}
        stages:
          rows: {uses: data, with: {path: train.jsonl}}
          answer: {uses: sample, in: {model: sft, prompts: rows}, with: {max_new_tokens: 4}}
        """)
      keys.append(try node("answer", plan).recipeKey)
    }
    #expect(keys[0] == keys[1])
  }

  // MARK: parameters

  @Test func `a parameter may take its value from others`() throws {
    let text = """
      version: 1
      name: x
      params: {n: 2, tokens: $n, both: "${n}-${tokens}", list: [$both, x]}
      models: {sft: {path: sft}}
      stages:
        rows: {uses: data, with: {path: train.jsonl}}
        answer: {uses: sample, in: {model: sft, prompts: rows}, with: {max_new_tokens: $tokens, stop: $list}}
      """
    #expect(try node("answer", project.plan(text)).options["stop"] == ["2-2", "x"])
    let set = try node("answer", project.plan(text, set: ["n=5"]))
    #expect(set.options["max_new_tokens"] == 5)
    #expect(set.options["stop"] == ["5-5", "x"])
    #expect(set.origins.first { $0.option == "max_new_tokens" }?.file == "--set")
  }
}

// `compat:` chooses defaults and does nothing else: which options have two, and what keys and checks make of them.

import JSON
import Runner
import Stages
import System
import Testing

struct CompatibilityTests {
  /// Every option that the originals have with another default, as the pages of the stages show it; each stands in the guide's table.
  static let options = [
    #"annotate | `annotator.replace` | `{}` | `{"__":"\n"}`"#,
    "annotate | `parser.empty_feedback` | `refuse` | `keep`",
    "annotate | `parser.feedback_end` | `label` | `word`", "annotate | `parser.score_space` | `any` | `one`",
    "annotate | `parser.strip` | `true` | `false`", "data | `strip` | `false` | `true`",
    "evaluate | `targets` | `tokens` | `text`", "pool | `fill` | `listed` | `any`",
    "pool | `max_tokens` | `null` | `64`", "quantize | `remainder` | `spread` | `worst`",
    "score | `scorer.parser.empty_feedback` | `refuse` | `keep`",
    "score | `scorer.parser.feedback_end` | `label` | `word`",
    "score | `scorer.parser.score_space` | `any` | `one`", "score | `scorer.parser.strip` | `true` | `false`",
    #"score | `scorer.replace` | `{}` | `{"__":"\n"}`"#,
    "score | `scorer.split` | `prompt` | `everywhere`", "score | `scorer.targets` | `tokens` | `text`",
    #"train | `conditioning.keep` | `[]` | `["off_list"]`"#, "train | `cut` | `null` | `as below`",
    "train | `drop_last` | `false` | `true`", "train | `end` | `finished` | `terminated`",
    "train | `objective.reference_conditioning` | `strip` | `keep`",
    "train | `objective.split` | `prompt` | `everywhere`", "train | `overflow` | `fail` | `cut`",
    "train | `targets` | `tokens` | `spaced_text`", "train | `warmup` | `linear` | `logarithmic`",
  ]

  @Test func `the options with two defaults are these`() {
    let suffix = " with `compat: original`"
    let found = CheckBench.registry.stages.map { $0.declaration }.flatMap { declaration in
      StagePages.markdown(declaration).split(separator: "\n").filter { $0.contains(suffix) }.map { line in
        let cells = line.split(separator: " | ").map { $0.trimmingPrefix("| ") }
        let values = cells[cells.count - 2].replacing(suffix, with: "").replacing("; ", with: " | ")
        return "\(declaration.name) | \(cells[0]) | \(values)"
      }
    }
    #expect(Set(found).sorted() == Self.options.sorted())
  }

  private static let stages = """
    stages:
      rows: {uses: data, with: {path: train.jsonl, prompt: "{prompt}", generations: [" a ", b]}}
      score: {in: {rows: rows}, with: {scorer: {kind: length}}}
      quantize: {in: {rows: score}}
      pool: {in: {rows: quantize}, with: {max_tokens: null}}
      train: {in: {model: sft, rows: pool.rows}, with: {lr: 1.0e-3, conditioning: {kind: text, prefixes: [a, b, c, d, e]}}}
    models: {sft: {path: sft}}

    """
  /// The same with each option written that `compat: original` chooses.
  private static let written =
    stages.replacing("generations: [", with: "strip: true, generations: [")
    .replacing(
      "quantize: {in: {rows: score}}", with: "quantize: {in: {rows: score}, with: {remainder: worst}}"
    )
    .replacing("max_tokens: null", with: "max_tokens: null, fill: any")
    .replacing(
      "lr: 1.0e-3,",
      with:
        "lr: 1.0e-3, warmup: logarithmic, drop_last: true, end: terminated, targets: spaced_text, overflow: cut, cut: {side: right}, objective: {kind: conditional, reference_conditioning: keep},"
    )

  private func plan(_ head: String, _ stages: String) throws -> Plan {
    let bench = try CheckBench()
    try bench.write("version: 1\nname: x\n\(head)\n\(stages)", to: "experiment.yaml")
    switch Planner.plan(path: "\(bench.folder)/experiment.yaml", stages: CheckBench.registry) {
    case .success(let good): return good.plan
    case .failure(let list): throw InputError(DiagnosticRenderer().render(list))
    }
  }

  @Test func `keys hold the options and not who chose them`() throws {
    func keys(_ head: String, _ stages: String) throws -> [String] {
      // The one option that cannot be written here: prefixes know no entries off a list.
      try plan(head, stages).nodes.filter { $0.stage != "train" }.map(\.recipeKey)
    }
    let original = try keys("compat: original", Self.stages)
    #expect(try original == keys("", Self.written) && original == keys("compat: fixed", Self.written))
    #expect(try keys("compat: fixed", Self.stages) == keys("", Self.stages))
    #expect(try original != keys("", Self.stages))
  }

  @Test func `a training has every default of the originals, in nested options too`() throws {
    let options = try #require(try plan("compat: original", Self.stages).nodes.last).options
    let written = try #require(try plan("", Self.written).nodes.last).options
    #expect(options["conditioning"]?["keep"] == ["off_list"] && written["conditioning"]?["keep"] == nil)
    for name in ["warmup", "drop_last", "end", "targets", "overflow", "cut", "objective"] {
      #expect(options[name] == written[name] && options[name] != nil, "\(name)")
    }
  }

  @Test func `what is written stands`() throws {
    let text = Self.stages.replacing(
      "lr: 1.0e-3", with: "lr: 1.0e-3, warmup: linear, targets: tokens, end: always")
    let options = try #require(try plan("compat: original", text).nodes.last).options
    #expect(options["warmup"] == "linear" && options["targets"] == nil && options["end"] == "always")
  }

  @Test func `a place that chose a default is that of compat`() throws {
    let bench = try CheckBench()
    try bench.write("version: 1\nname: x\ncompat: original\n\(Self.stages)", to: "experiment.yaml")
    let good = try Planner.plan(path: "\(bench.folder)/experiment.yaml", stages: CheckBench.registry).get()
    let text = ResolvedConfiguration(good.experiment, good.plan, showsOrigins: true).text
    for line in [
      "remainder: worst    # compat: original", "fill: any    # compat: original",
      "strip: true    # compat: original",
      "keep: [off_list]    # compat: original", "side: right    # compat: original",
    ] { #expect(text.contains(line), "\(line)\n\(text)") }
    #expect(text.contains("max_tokens: null    # ") && !text.contains("max_tokens: null    # compat"))
  }

  @Test func `checks do not blame an option that compat chose`() throws {
    let bench = try CheckBench()
    func check(_ with: String, compat: String = "original") throws -> [String] {
      try bench.check(
        "version: 1\nname: x\ncompat: \(compat)\n"
          + Self.stages.replacing("lr: 1.0e-3", with: "lr: 1.0e-3, \(with)"))
    }
    #expect(try check("overflow: drop, max_length: 20").isEmpty)
    #expect(try check("overflow: drop, max_length: 20, cut: {side: left}").count == 1)
    #expect(try check("epochs: 1", compat: "origin").first?.contains("`compat` cannot be `origin`") == true)
  }

  @Test func `the guide's table names each of them`() throws {
    let root = #filePath.split(separator: "Tests/StagesTests", omittingEmptySubsequences: false)[0]
    let guide = try String(
      decoding: File.read("\(root)docs/guide/methods.md"), as: UTF8.self)
    for option in Self.options where !option.contains("as below") && !option.contains("objective.split") {
      let cells = option.split(separator: " | ").map { String($0) }
      let row = guide.split(separator: "\n").first {
        $0.contains(" \(cells[1]) of `\(cells[0])` | \(cells[2]) | \(cells[3]) |")
      }
      #expect(row != nil, "\(option)")
    }
  }
}

// How much disk weights take, and where `keep: last` would do.

import JSON
import Runner
import System
import TestFolder
import Testing

/// Makes a model of 3 MiB, as it says beforehand.
private struct WeighingStage: Stage {
  static let declaration = StageDeclaration(
    name: "weigh", summary: "", version: 1,
    inputs: [InputPort("models", .model, required: false, collects: true, summary: "")],
    outputs: [OutputPort("model", .model, summary: ""), OutputPort("metrics", .metrics, summary: "")],
    options: [],
    estimate: { _ in
      StageEstimate(
        outputs: ["model": ArtifactSize(bytes: 3 << 20), "metrics": ArtifactSize(bytes: 1 << 30)], seconds: 1)
    })
  func run(_ context: StageContext) throws {}
}

/// Keeps a file beside its model, as a training that is to go on keeps its moments; one that makes a file alone has no weights.
private struct ContinuingStage: Stage {
  static let declaration = StageDeclaration(
    name: "continue", summary: "", version: 1, inputs: [],
    outputs: [OutputPort("model", .model, summary: ""), OutputPort("state", .file, summary: "")], options: [],
    estimate: { _ in
      StageEstimate(
        outputs: ["model": ArtifactSize(bytes: 3 << 20), "state": ArtifactSize(bytes: 8 << 20)], seconds: 1)
    })
  func run(_ context: StageContext) throws {}
}

private struct FilingStage: Stage {
  static let declaration = StageDeclaration(
    name: "file", summary: "", version: 1, inputs: [], outputs: [OutputPort("file", .file, summary: "")],
    options: [], estimate: { _ in StageEstimate(outputs: ["file": ArtifactSize(bytes: 8 << 20)], seconds: 1) }
  )
  func run(_ context: StageContext) throws {}
}

@Suite struct KeptWeightsTests {
  private let folder = TemporaryFolder()

  private func table(_ stages: String) throws -> PlanTable {
    try folder.write("version: 1\nname: x\nstages:\n\(stages)", to: "x.yaml")
    let registry = StageRegistry([WeighingStage.self, ContinuingStage.self, FilingStage.self])
    let planned = try Planner.plan(path: "\(folder.path)/x.yaml", stages: registry).get()
    return try PlanTable(
      planned.plan, store: try Store(at: "\(folder.path)/.plumb"), stages: registry.stages)
  }

  private static func loop(keep: String = "") -> String {
    """
      start: {uses: weigh}
      round:
        loop: {times: 4, carry: {policy: {first: start, next: weigh.model}}}
        stages: {weigh: {in: {models: policy}\(keep)}, inside: {uses: weigh, keep: none, in: {models: weigh}}}

    """
  }

  @Test func `what a training needs to go on counts with its weights`() throws {
    let weights = try table("  train: {uses: continue}\n  other: {uses: file}\n").weights
    #expect(weights.bytes == 11 << 20 && weights.groups.map(\.stage) == ["train"])
  }

  @Test
  func `every iteration keeps a model, and the last one is enough where nothing outside reads the others`()
    throws
  {
    let weights = try table(
      Self.loop() + "  after: {uses: weigh, keep: none, in: {models: round@last.weigh}}\n"
    ).weights
    #expect(weights.bytes == 15 << 20)
    #expect(
      weights.lines == [
        "weights that stay on disk: 15 MiB: round.weigh 12 MiB (4 of 3 MiB), start 3 MiB",
        "`round.weigh`: nothing outside of its loop reads its first 3 models; with `keep: last` beside it `\(Program.name) cache gc` frees 9 MiB",
      ])
    #expect(
      weights.json.arrayValue?[1].text()
        == #"{"stage":"round.weigh","models":4,"kept":4,"kept_bytes":12582912,"keep_last_frees_bytes":9437184}"#
    )
  }

  @Test func `with keep last one is kept, and with keep none none`() throws {
    let last = try table(Self.loop(keep: ", keep: last")).weights
    #expect(last.lines == ["weights that stay on disk: 6 MiB: start 3 MiB, round.weigh 3 MiB"])
    let none = try table("  start: {uses: weigh, keep: none}\n").weights
    #expect(none.lines.isEmpty && none.bytes == 0)
  }

  @Test func `what a stage outside of the loop reads is not said to be of no use`() throws {
    let weights = try table(Self.loop() + "  all: {uses: weigh, keep: none, in: {models: round@all.weigh}}\n")
      .weights
    #expect(weights.suggestions.isEmpty && weights.lines.count == 1)
  }

  @Test func `plan ends with it`() throws {
    let text = try table("  start: {uses: weigh}\n").text()
    #expect(text.hasSuffix("\nweights that stay on disk: 3 MiB: start 3 MiB\n"), "\(text)")
    let colored = try table("  start: {uses: weigh}\n").text(isColored: true)
    #expect(colored.hasPrefix("start  \u{1B}[33mrun   \u{1B}[0m  never ran\n"), "\(colored)")
  }
}

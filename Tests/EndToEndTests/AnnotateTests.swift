// Feedback on the built binary: a model that is asked, what it is given, and a loop that draws exemplars.

import JSON
import Runner
import Testing

@Suite struct AnnotateTests {
  /// Two iterations: the feedback of the first is the exemplar of the second.
  private static func experiment(more: String = "", beside: String = "") -> String {
    """
    version: 1
    name: feedback
    seed: 1
    models: {m: {path: model}}
    stages:
      rows: {uses: data, with: {path: rows.jsonl, prompt: "{p}", id: id}}
      held: {uses: data, with: {path: rows.jsonl, prompt: "{p}?", id: id}}
      alt:
        loop: {times: 2, carry: {feedbacks: {first: null, next: annotate.rows}}}
        stages:
          exemplar: {in: {prompts: rows, feedbacks: feedbacks}, with: {by: quantiles}}
          valid: {uses: exemplar, in: {prompts: held, feedbacks: feedbacks}, with: {by: quantiles}}
          sample: {in: {model: m, prompts: exemplar}, with: {n: 3, temperature: 1.5, max_new_tokens: 5}}
          annotate:
            in: {model: m, rows: sample}
            \(beside)
            with:
              annotator: {kind: model, template: "{prompt}/{generation}: ", max_new_tokens: 4, temperature: 1.0, attempts: 20}
              parser: {kind: regex, pattern: "(?<feedbacks>.*(?<quantiles>[0-9]).*)", numbers: [quantiles]}
              \(more)

    """
  }

  private func fixture(more: String = "", beside: String = "") throws -> CommandsFixture {
    let fixture = try CommandsFixture()
    try fixture.writeExperiment()
    try fixture.write(Self.experiment(more: more, beside: beside), to: "feedback.yaml")
    return fixture
  }

  private func rows(_ fixture: CommandsFixture, _ address: String) throws -> [JSON] {
    let found = fixture.plumb("rows feedback.yaml::\(address) --json --all")
    #expect(found.status == 0, "\(found.error)")
    return try found.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
  }

  @Test func `a loop annotates, and draws the next exemplars from what it annotated`() throws {
    let fixture = try fixture()
    let run = fixture.plumb("run feedback.yaml")
    #expect(run.status == 0, "\(run.error)")
    #expect(try rows(fixture, "alt@1.exemplar").map { $0["exemplar"] } == [.null, .null, .null])
    let annotated = try rows(fixture, "alt@1.annotate")
    for row in annotated {
      let outcomes = row["outcomes"]?.arrayValue ?? []
      #expect(outcomes.count == 3 && row["replies"]?.arrayValue?.count == 3)
      for (outcome, feedback) in zip(outcomes, row["feedbacks"]?.arrayValue ?? []) {
        #expect((outcome == "parsed") == (feedback != .null), "\(row.text())")
      }
    }
    let given = Set(annotated.flatMap { $0["feedbacks"]?.arrayValue ?? [] }.compactMap(\.stringValue))
    for stage in ["exemplar", "valid"] {
      let exemplars = try rows(fixture, "alt@2.\(stage)").compactMap { $0["exemplar"]?.stringValue }
      #expect(exemplars.count == 3 && exemplars.allSatisfy(given.contains), "\(exemplars) \(given)")
    }
    #expect(run.error.contains("replies parsed"), "\(run.error)")
    let again = fixture.plumb("run feedback.yaml")
    #expect(again.status == 0 && again.error.contains("cached"), "\(again.error)")
  }

  @Test func `shards, threads and batch change no byte`() throws {
    let plain = try fixture()
    #expect(plain.plumb("run feedback.yaml").status == 0)
    let expected = plain.shell("cd .plumb/objects && find . -type f | sort")
    #expect(!expected.isEmpty)
    for (beside, arguments) in [("shards: 3", "--threads 1"), ("engine: {batch: 1}", "--threads 3")] {
      let other = try fixture(beside: beside)
      let run = other.plumb("run feedback.yaml \(arguments)")
      #expect(run.status == 0, "\(run.error)")
      #expect(other.shell("cd .plumb/objects && find . -type f | sort") == expected, "\(beside)")
    }
  }

  @Test func `the question is seen before it is asked`() throws {
    let fixture = try fixture()
    #expect(fixture.plumb("run feedback.yaml").status == 0)
    let shown = fixture.plumb("rows feedback.yaml::alt@1.annotate --tokens --json --head 1")
    #expect(shown.output.hasPrefix("{\"row\":\"r1#0\",\"ids\":[82,64,88,94,16,14,"), "\(shown)")
    #expect(shown.output.contains("\"pieces\":[\"s\",\"a\",\"y\",\" \",\"1\",\"/\","))
  }

  @Test func `more unreadable replies than the ceiling allows end the run, after all of them`() throws {
    let fixture = try fixture(more: "fail_above: 0")
    try fixture.write(
      fixture.text("feedback.yaml").replacing("[0-9]", with: "never written by it"), to: "feedback.yaml")
    for _ in 0..<2 {
      let run = fixture.plumb("run feedback.yaml")
      #expect(run.status == 1, "\(run.error)")
      #expect(
        run.error.contains(
          "9 of 9 replies have no annotation, more than the share 0.0 that `fail_above` allows: 9 replies unparsable; the first: row `r1`, sample 0: the reply does not match `pattern`: "
        ), "\(run.error)")
    }
    // The second time nothing was asked.
    #expect(fixture.plumb("logs alt@1.annotate").output.contains("9 of 9 items were already finished"))
  }
}

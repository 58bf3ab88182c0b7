// `cache gc` that really evicts, and bytes that come back; a model out of another experiment's run.

import JSON
import Runner
import Testing

@Suite struct EvictionTests {
  @Test func `evicted results count as done, and come back the same when something needs their bytes`() throws
  {
    let place = try CommandsFixture()
    try place.writeExperiment()
    let ran = place.plumb("run tiny.yaml")
    #expect(ran.status == 0, "\(ran.error)")
    #expect(place.plumb("export tiny.yaml::hot.rows before").status == 0)

    let collected = place.plumb("cache gc --max-size 1B --older-than 0s")
    #expect(collected.status == 0 && collected.error.contains("evicted  hot\n"), "\(collected.error)")
    #expect(place.plumb("cache verify").status == 0)
    // Numbers are small and always kept: the table is there without computing.
    let again = place.plumb("run tiny.yaml")
    #expect(again.status == 0 && again.error.contains("nothing to run"), "\(again.error)")
    #expect(again.output == ran.output && ran.output.contains("reward"))
    #expect(place.plumb("plan tiny.yaml --check").status == 0)
    let samples = place.plumb("samples tiny.yaml hot")
    #expect(samples.status == 11 && samples.error.contains("plumb export"), "\(samples.error)")

    let exported = place.plumb("export tiny.yaml::hot.rows after")
    #expect(exported.status == 0 && exported.error.contains("its bytes were evicted"), "\(exported.error)")
    #expect(place.text("after/rows.jsonl") == place.text("before/rows.jsonl"))

    // A changed stage that reads evicted rows has them computed first, and nothing else.
    #expect(place.plumb("cache gc --max-size 1B --older-than 0s").status == 0)
    try place.write(
      CommandsFixture.experiment.replacing("labels: [\"a\", \"b\"]", with: "labels: [\"a\", \"c\"]"),
      to: "tiny.yaml")
    let changed = place.plumb("run tiny.yaml")
    #expect(changed.status == 0, "\(changed.error)")
    let started = changed.error.split(separator: "\n").filter { $0.hasPrefix("start") }
      .map { $0.split(separator: " ")[1] }
    #expect(started == ["rows", "hot", "judge", "evaluate"], "\(changed.error)")
  }

  @Test func `numbers that a loop's end and an expectation need survive eviction`() throws {
    let place = try CommandsFixture()
    try place.writeExperiment()
    try place.write(
      """
      version: 1
      name: ends
      models: {m: {path: model}}
      stages:
        rows: {uses: data, with: {path: rows.jsonl, prompt: "{p}", id: id}}
        round:
          loop: {times: 4, until: {metric: evaluate.distinct_1, at_least: 0}}
          stages:
            sample: {in: {model: m, prompts: rows}, with: {max_new_tokens: 4}}
            evaluate: {in: {rows: sample}, with: {metrics: [distinct]}}
      metrics: {d: round@last.evaluate.distinct_1}
      expect: {metric: d, at_least: 0}
      """, to: "ends.yaml")
    let ran = place.plumb("run ends.yaml")
    #expect(ran.status == 0 && ran.error.contains("after iteration 1"), "\(ran.error)")
    #expect(place.plumb("cache gc --max-size 1B --older-than 0s").status == 0)
    let again = place.plumb("run ends.yaml")
    #expect(again.status == 0 && again.error.contains("nothing to run"), "\(again.error)")
    #expect(again.output == ran.output)
  }

  @Test func `a model out of another experiment's run is used, and followed when that changes`() throws {
    let project = try LawProject(.fast)
    try project.write(
      """
      version: 1
      name: other
      models: {trained: {run: "law.yaml::quark@last.train"}}
      stages:
        rows: {uses: data, with: {path: prompts.jsonl, prompt: "{text}", id: id, limit: 2}}
        sample: {in: {model: trained, prompts: rows}, with: {max_new_tokens: 4, temperature: 0}}
      """, to: "other.yaml")
    let early = try project.plumb("run other.yaml")
    #expect(
      early.ending == .exited(11) && early.output.contains("`quark@last.train` has not run"),
      "\(early.output)")
    #expect(try project.run() == .exited(0), "\(project.standardError)")
    let ran = try project.plumb("run other.yaml")
    #expect(ran.ending == .exited(0) && ran.output.contains("2 stages run"), "\(ran.output)")
    #expect(try project.plumb("plan other.yaml --check").ending == .exited(0))
    var longer = LawProject.Variant.fast
    longer.samples = 3
    try project.set(longer)
    #expect(try project.run() == .exited(0), "\(project.standardError)")
    let plan = try project.plumb("plan other.yaml --check")
    #expect(plan.ending == .exited(11) && plan.output.contains("sample"), "\(plan.output)")
  }
}

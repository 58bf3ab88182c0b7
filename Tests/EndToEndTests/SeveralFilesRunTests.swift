// A run of an experiment made of several files holds all of it.

import Runner
import System
import Testing

@Suite struct SeveralFilesRunTests {
  let plumb: BuiltPlumb
  init() throws { plumb = try BuiltPlumb() }

  @Test func `the run's folder holds the files that were read and what they came to`() throws {
    try plumb.write("{\"p\": \"a\"}\n{\"p\": \"b\"}\n", to: "rows.jsonl")
    let base = """
      version: 1
      name: whole
      stages:
        start: {uses: data, with: {path: rows.jsonl, prompt: "{p}"}}
        pick: {uses: draw, in: {rows: start}, with: {count: 1}}

      """
    try plumb.write(base, to: "base.yaml")
    try plumb.write("stages:\n  more: {uses: draw, in: {rows: start}, with: {count: 2}}\n", to: "more.yaml")
    try plumb.write(
      "extends: base.yaml\ninclude: more.yaml\nstages: {pick: {with: {count: 2}}}\n", to: "x.yaml")
    let ran = try plumb.run("run x.yaml")
    #expect(ran.status == 0, "\(ran.error)")
    let run = "runs/whole/\(try #require(try File.names(in: "\(plumb.folder)/runs/whole").last))"
    #expect(plumb.text("\(run)/files/base.yaml") == base)
    #expect(plumb.text("\(run)/files/more.yaml").contains("more:"))
    #expect(plumb.text("\(run)/experiment.yaml").hasPrefix("extends:"))
    let resolved = plumb.text("\(run)/resolved.yaml")
    #expect(resolved == (try plumb.run("config x.yaml --origin")).output)
    #expect(resolved.contains("count: 2    # x.yaml:3:"), "\(resolved)")
    // Laid out again elsewhere they are the same experiment.
    let keys = try plumb.run("plan x.yaml --json").output
    let again = try plumb.run(
      "plan there/experiment.yaml --store .plumb --json",
      before: "mkdir there && cp \(run)/experiment.yaml \(run)/files/* rows.jsonl there && ")
    #expect(again.status == 0 && again.output == keys, "\(again.error)")
  }

  @Test func `a run of one file holds no more than it`() throws {
    #expect(try plumb.run("init first").status == 0)
    #expect(try plumb.run("run first/experiment.yaml").status == 0)
    let runs = "\(plumb.folder)/first/runs/first"
    let run = "\(runs)/\(try #require(try File.names(in: runs).last))"
    #expect(FileStatus.of("\(run)/resolved.yaml") == nil && FileStatus.of("\(run)/files") == nil)
  }
}

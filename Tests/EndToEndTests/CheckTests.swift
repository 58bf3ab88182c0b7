// `check` on the built binary: its last line and its exit code, and what a run says of what it leaves out.

import Glibc
import Testing

@Suite struct CheckTests {
  let project: CommandsFixture
  init() throws {
    project = try CommandsFixture()
    try project.writeExperiment()
  }

  private func check(_ old: String, _ new: String) throws -> (status: Int32, output: String, error: String) {
    try project.write(CommandsFixture.experiment.replacing(old, with: new), to: "x.yaml")
    return project.plumb("check x.yaml")
  }

  @Test func `what can run is good, and what cannot yet is not called so`() throws {
    let good = try check("", "")
    #expect(good.status == 0 && good.output == "tiny: good, 5 stages to run\n" && good.error.isEmpty)
    let absent = try check("{path: model}", "{path: absent}")
    #expect(absent.status == 0 && absent.error.contains("warning[missing-model]"))
    #expect(
      absent.output == "tiny: 5 stages, which cannot run here yet: the model at `absent` is missing\n")
    let sweep = try check(
      "seed: 1\n", "seed: 1\nparams: {n: 2}\nsweep: {params: {n: [1, 2]}}\n")
    #expect(sweep.output == "tiny: good, 5 stages to run\nits sweep: 2 trials, 2 runs\n", "\(sweep)")
    let trial = project.plumb("check x.yaml --set n=1")
    #expect(trial.output == "tiny: good, 5 stages to run\n", "\(trial)")
  }

  @Test func `a wrong experiment ends with 3, a wrong file with 4, in check and run alike`() throws {
    let cases: [(old: String, new: String, status: Int32, code: String)] = [
      ("reward: \"a\"", "reward: \"c\"", 3, "wrong-value"),
      ("{p}", "{q}", 4, "unknown-field"),
      (
        "kind: choice, template: \"{prompt}{generation} \", labels: [\"a\", \"b\"], reward: \"a\"",
        "kind: reward", 4, "wrong-model"
      ),
      ("evaluate.reward", "evaluate.rewards", 3, "unknown-metric"),
    ]
    for (old, new, status, code) in cases {
      let found = try check(old, new)
      #expect(found.status == status && found.output.isEmpty, "\(new): \(found)")
      #expect(found.error.hasPrefix("error[\(code)]: "), "\(found.error)")
      let run = project.plumb("run x.yaml")
      #expect(run.status == status && run.error == found.error, "\(run)")
    }
    #expect(access("\(project.folder)/runs", F_OK) != 0)
  }

  @Test func `what a stage leaves out is in its last line`() throws {
    try project.write("{\"id\": \"r1\", \"p\": \"say 1\"}\nnot JSON\n", to: "rows.jsonl")
    try project.write(
      CommandsFixture.experiment.replacing("id: id", with: "id: id, on_bad_row: skip"), to: "x.yaml")
    let run = project.plumb("run x.yaml")
    #expect(run.status == 0, "\(run.error)")
    #expect(run.error.contains(" · 1 bad lines left out · "), "\(run.error)")
  }
}

// `plumb check`: reads an experiment and says everything that is wrong with it.

import ArgumentParser
import Runner
import System

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Report every error in an experiment. Runs nothing.",
    discussion: """
      Every mistake is shown with its place and, if there is one, a suggestion; the exit code is then 3. `\(Program.name) \
      explain CODE` explains a kind of mistake. With `--format json` only the mistakes go to standard \
      output, one object per line; other commands write them to standard error, because standard output holds their results.

        \(Program.name) check experiments/quickstart.yaml
      """)

  @OptionGroup var experiment: ExperimentArguments

  func run() throws {
    finish {
      let reader = ExperimentReader(experiment, nil, nil)
      let loaded = load(reader, jsonTo: 1)
      let plan = loaded.plan
      let trials = try loaded.sweep.flatMap { try check($0, reader, loaded) }
      if experiment.format == .json { return .done }
      let tooLarge = Machine.current().lacks(of: plan.nodes)
      for line in tooLarge { standardError("warning: \(TerminalText.escaped(line))\n") }
      let lacks =
        plan.warnings.compactMap(\.lack)
        + (tooLarge.isEmpty ? [] : ["this machine is too small"])
      let verdict = CheckCommand.verdict(stages: plan.nodes.count, lacks: lacks)
      try standardOutput(TerminalText.escaped("\(plan.experimentName): \(verdict)") + "\n" + (trials ?? ""))
      return .done
    }
  }

  /// Checks the trials that are known, unless one is given on the command line; a line on them.
  private func check(_ sweep: Sweep, _ reader: ExperimentReader, _ loaded: LoadedExperiment) throws -> String?
  {
    guard Sweeping.given(sweep, experiment).isEmpty, experiment.file != "-" else { return nil }
    var sweeping = Sweeping(reader, loaded, sweep)
    sweeping.descriptor = 1
    let (known, all) = (try sweeping.checkKnown(), sweeping.trials)
    let runs = sweep.repetitions.count * all
    return "its sweep: \(all) trials, \(runs) runs"
      + (known == all ? "" : "; \(known) trials are known before any has run") + "\n"
  }

  /// The last line: never "good" for what `run` would refuse.
  static func verdict(stages: Int, lacks: [String]) -> String {
    let count = "\(stages) stage\(stages == 1 ? "" : "s")"
    return lacks.isEmpty
      ? "good, \(count) to run" : "\(count), which cannot run here yet: \(lacks.joined(separator: "; "))"
  }
}

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
      let loaded = load(experiment, jsonTo: 1)
      let plan = loaded.plan
      let sweep = loaded.sweep.flatMap { unbuilt($0, experiment) }
      report(DiagnosticList(sweep.map { [$0] } ?? []), experiment.format, jsonTo: 1)
      if experiment.format == .json { return .done }
      let tooLarge = Machine.current().lacks(of: plan.nodes)
      for line in tooLarge { standardError("warning: \(TerminalText.escaped(line))\n") }
      let lacks =
        (plan.warnings + (sweep.map { [$0] } ?? [])).compactMap(\.lack)
        + (tooLarge.isEmpty ? [] : ["this machine is too small"])
      let verdict = CheckCommand.verdict(stages: plan.nodes.count, lacks: lacks)
      try standardOutput(TerminalText.escaped("\(plan.experimentName): \(verdict)") + "\n")
      return .done
    }
  }

  /// The last line: never "good" for what `run` would refuse.
  static func verdict(stages: Int, lacks: [String]) -> String {
    let count = "\(stages) stage\(stages == 1 ? "" : "s")"
    return lacks.isEmpty
      ? "good, \(count) to run" : "\(count), which cannot run here yet: \(lacks.joined(separator: "; "))"
  }
}

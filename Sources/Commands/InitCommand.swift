// `plumb init [DIR]`: a first experiment that runs as it is.

import ArgumentParser
import Runner
import System

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Write a first experiment, with data to run it on.",
    discussion: """
      Writes experiment.yaml, data/prompts.jsonl and experiment.schema.json (for editors) into a folder, and overwrites \
      nothing. The experiment needs no model; its comments say how to add one.

        \(Program.name) init first && \(Program.name) run first/experiment.yaml
      """)

  @Argument(
    help: ArgumentHelp("The folder, created if missing.", valueName: "dir"), completion: .directory)
  var folder = "."

  func run() throws {
    finish {
      let files = [
        ("experiment.yaml", Self.experiment), ("data/prompts.jsonl", Self.prompts),
        ("experiment.schema.json", ExperimentSchema(stageRegistry).json.text(.pretty) + "\n"),
      ].map { (path: "\(folder)/\($0.0)", text: $0.1) }
      // All are looked for before the first is written.
      for file in files where FileStatus.of(file.path) != nil {
        throw RunError(.commandLine, "`\(file.path)` already exists; nothing was written")
      }
      for file in files {
        try File.makeDirectory(Path.parent(file.path))
        try File.writeDurably(file.text, to: file.path)
      }
      standardError(
        "wrote \(files.map { TerminalText.escaped($0.path) }.joined(separator: ", "))\n"
          + "next: \(shellWords([Program.name, "run", "\(folder)/experiment.yaml"]))\n")
      return .done
    }
  }

  private static let experiment = """
    # yaml-language-server: $schema=experiment.schema.json
    #
    #   \(Program.name) check experiment.yaml                     what is wrong with it, if anything
    #   \(Program.name) plan experiment.yaml                      what would run, and why
    #   \(Program.name) run experiment.yaml                       runs what is not finished yet
    #   \(Program.name) run experiment.yaml --set iterations=3    runs the third iteration only
    version: 1
    name: first                     # names the folder of its runs: runs/first/
    seed: 42                        # of all random numbers

    params:                         # what `--set name=value` may change
      iterations: 2
      prompts: 3                    # drawn in each iteration

    # A model is a Hugging Face folder or a GGUF file, by its path:
    # models:
    #   start: {path: models/start}

    stages:                         # `\(Program.name) stages` lists the kinds, `\(Program.name) stages NAME` shows one
      questions:
        uses: data                  # the kind of stage; default the stage's own name
        with: {path: data/prompts.jsonl, prompt: "Question: {question} Answer:", id: id}

      rounds:                       # a loop: its stages run once in each iteration
        loop:
          times: $iterations
          # carry: {policy: {first: start, next: train.model}}     what one iteration passes to the next
        stages:
          draw: {in: {rows: questions}, with: {count: $prompts}}
          # With a model, continue here:
          # sample: {in: {model: start, prompts: draw}, with: {n: 4, max_new_tokens: 32}}

      # From outside, name a stage of a loop with its iteration: rounds@2.draw, rounds@last.draw
      once_more: {uses: draw, in: {rows: rounds@last.draw}, with: {count: all}}

    """

  private static let prompts = """
    {"id": "q1", "question": "What does a plumb line show?"}
    {"id": "q2", "question": "Why do masons use one?"}
    {"id": "q3", "question": "What hangs at its end?"}
    {"id": "q4", "question": "Where does it point?"}
    {"id": "q5", "question": "Who used it first?"}

    """
}

// `plumb inspect FILE`: what a model, tokenizer or configuration file holds.

import ArgumentParser
import Models
import Runner

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a model or tokenizer file holds; refuse a damaged one, saying why.",
    discussion: """
      Reads safetensors, GGUF, tokenizer.json and config.json files, and model directories. The whole header is checked
      before anything is printed; a damaged file ends with 4 and the rule it broke.

        \(Program.name) inspect models/start/model.safetensors
        \(Program.name) inspect experiments/quickstart.yaml::quark@last.train.model
      """)

  @Argument(help: "The file, the model directory, or EXPERIMENT.yaml::ADDRESS.", completion: .file())
  var file: String

  @OptionGroup var storage: StoreArguments

  func run() throws {
    finish {
      let path = try modelResult(file).map { try StoredResult($0, storage: storage).modelPath() } ?? file
      let lines = try inspect(path)
      try standardOutput(lines.joined(separator: "\n") + "\n")
      return .done
    }
  }
}

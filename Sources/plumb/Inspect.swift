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

        plumb inspect models/start/model.safetensors
      """)

  @Argument(help: "The file or model directory.", completion: .file())
  var file: String

  func run() throws {
    finish {
      let lines = try inspect(file)
      try standardOutput(lines.joined(separator: "\n") + "\n")
      return .done
    }
  }
}

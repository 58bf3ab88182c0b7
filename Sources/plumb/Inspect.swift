// `plumb inspect FILE`: what a model, tokenizer or configuration file holds.

import ArgumentParser
import Models

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a model or tokenizer file holds; refuse a damaged one, saying why.",
    discussion: """
      Reads safetensors, GGUF, tokenizer.json and config.json files, and model directories. The whole header is checked
      before anything is printed.
      """)

  @Argument(help: "The file or model directory.", completion: .file())
  var file: String

  func run() throws {
    print(try inspect(file).joined(separator: "\n"))
  }
}

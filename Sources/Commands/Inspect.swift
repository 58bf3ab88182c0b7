// `plumb inspect FILE`: what a model, tokenizer or configuration file holds; of a data set of a hub its files and SHA-256.

import ArgumentParser
import Models
import Runner
import System

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what a model or tokenizer file holds, or what is wrong with it; fetch a data set.",
    discussion: """
      Reads safetensors, PyTorch, GGUF, tokenizer.json and config.json files, and model directories. The whole header is checked
      before anything is printed; for a damaged file the exit code is 4 and the message names the broken rule. Of a model the memory
      is shown that it takes to sample from it and to train it. A model of a hub, a package index or a server is fetched into the
      model cache first; its SHA-256, which an experiment must give, is printed. So are a data set's: its commit, its files, and how an
      experiment names it.

        \(Program.name) inspect models/start/model.safetensors
        \(Program.name) inspect experiments/quickstart.yaml::quark@last.train.model
        \(Program.name) inspect hf:HuggingFaceTB/SmolLM2-135M@main
        \(Program.name) inspect hf:datasets/OWNER/NAME@main --split train
      """)

  @Argument(
    help:
      "The file, the model directory, EXPERIMENT.yaml::ADDRESS, a remote model such as hf:OWNER/NAME@REVISION, or a data set: hf:datasets/OWNER/NAME@REVISION, with /FILE behind it a file, a folder or a pattern of it.",
    completion: .file())
  var file: String

  @Option(help: "Of a data set: the split whose files are meant.")
  var split: String?

  @Option(help: "Of a data set: the configuration of its README that is meant.")
  var config: String?

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments

  func run() throws {
    finish {
      if let set = try dataSet() {
        try showFetched(set)
        return .done
      }
      let place = try ModelPlace(file, parameters, storage: storage)
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

  func validate() throws { if try dataSet() == nil { _ = try remoteSource(file) } }

  private func dataSet() throws -> RemoteDataSet? {
    guard RemoteDataSet.isMeant(by: file) else {
      if split != nil { throw ValidationError("--split goes with hf:datasets/…") }
      if config != nil { throw ValidationError("--config goes with hf:datasets/…") }
      return nil
    }
    guard let set = RemoteDataSet(file, split: split, config: config) else {
      throw ValidationError("expected hf:\(RemoteDataSet.form), found \(file)")
    }
    return set
  }

  private func showFetched(_ set: RemoteDataSet) throws {
    let (digest, data) = try DataSetSource.standard().fetch(set) {
      standardError(TerminalText.escaped($0) + "\n")
    }
    let commit = data.commit ?? set.revision
    var lines = [
      "sha256: \(digest.hex)", "commit: \(commit)",
      "write:  path: {hf: \(set.text(at: commit)), sha256: \(digest.hex)}"
        + (config.map { ", config: \($0)" } ?? "") + (split.map { ", split: \($0)" } ?? ""),
      "files:  \(data.paths.count)",
    ]
    for (name, path) in zip(data.names, data.paths) {
      lines.append("  \(TerminalText.escaped(name))  \(ByteCount(try FileStatus.orThrow(path).size))")
    }
    try standardOutput(lines.map { $0 + "\n" }.joined())
  }
}

// `plumb convert SRC DST`: a model in another type, or in other files.

import ArgumentParser
import Models
import Runner
import System

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write a model in another number type or file format.",
    discussion: """
      Reads whatever a stage reads: a folder with safetensors or PyTorch files, a GGUF file, a result, a model of a hub. Writes a folder \
      that transformers loads. Without --dtype nothing is lost: a model of 16 bits keeps its type, quantised and mixed weights become f32. \
      Nothing is overwritten, and no more than one tensor is held in memory.

        \(Program.name) convert models/gpt-j-rm models/rm --dtype bf16 --shard 5GB
        \(Program.name) convert model.Q4_K_M.gguf models/start
      """)

  @Argument(
    help: ArgumentHelp(
      "The model folder or file, EXPERIMENT.yaml::ADDRESS, or a remote model such as hf:OWNER/NAME@REVISION.",
      valueName: "src"), completion: .file())
  var source: String

  @Argument(help: ArgumentHelp("A new folder.", valueName: "dst"), completion: .directory)
  var destination: String

  @Option(help: ArgumentHelp("\(WeightType.allCases.map(\.rawValue).joined(separator: ", "))."))
  var dtype: WeightType?

  @Option(
    help: ArgumentHelp(
      "Put the weights into several files, each at most so large, as 5GB.", valueName: "size"))
  var shard: String?

  @OptionGroup var storage: StoreArguments

  func validate() throws {
    _ = try remoteSource(source)
    if let shard, ByteCount(shard).map({ $0.bytes > 0 }) != true {
      throw ValidationError("expected a size such as 5GB, found \(shard)")
    }
  }

  func run() throws {
    finish {
      try File.refuseOverwriting(destination)
      let path = try ModelPlace(source, storage: storage).path
      // Those of a folder are copied.
      let checkpoint = try openCheckpoint(path, readingTokenizer: !isDirectory(path))
      let type = try dtype ?? checkpoint.losslessType()
      try File.makeWholeDirectory(destination) { temporary in
        try checkpoint.write(
          toDirectory: temporary, as: type, shardBytes: shard.flatMap(ByteCount.init)?.bytes)
      }
      try standardOutput(TerminalText.escaped(destination) + "\n")
      standardError(
        "\(counted(checkpoint.configuration.parameterCount, "parameter")) of `\(checkpoint.configuration.family.type.modelType)` in \(type.rawValue)\n"
      )
      return .done
    }
  }
}

extension WeightType: ExpressibleByArgument {}

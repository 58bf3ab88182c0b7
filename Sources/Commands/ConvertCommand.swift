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
      that transformers loads, or, where DST ends in .gguf, a file for llama.cpp. Without --dtype nothing is lost: a model of 16 bits \
      keeps its type, quantised and mixed weights become f32. Nothing is overwritten; no more than one tensor is in memory.

        \(Program.name) convert models/gpt-j-rm models/rm --dtype bf16 --shard 5GB
        \(Program.name) convert model.Q4_K_M.gguf models/start
        \(Program.name) convert experiments/quickstart.yaml::quark@last.train.model steered.gguf --dtype q8_0
      """)

  @Argument(
    help: ArgumentHelp(
      "The model folder or file, EXPERIMENT.yaml::ADDRESS, or a remote model such as hf:OWNER/NAME@REVISION.",
      valueName: "src"), completion: .file())
  var source: String

  @Argument(
    help: ArgumentHelp("A new folder, or a new file with a name that ends in .gguf.", valueName: "dst"),
    completion: .directory)
  var destination: String

  @Option(help: ArgumentHelp(ConvertCommand.types, valueName: "type"))
  var dtype: String?

  @Option(
    help: ArgumentHelp(
      "Put the weights of a folder into several files, each at most so large, as 5GB.", valueName: "size"))
  var shard: String?

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments

  private static let types =
    writableEncodings.map { $0.name.lowercased() }.joined(separator: ", ") + " (the last in GGUF alone)."

  private var isGGUF: Bool { destination.lowercased().hasSuffix(".gguf") }

  func validate() throws {
    _ = try remoteSource(source)
    if let dtype, encoding(named: dtype) == nil {
      let possible = writableEncodings.map { $0.name.lowercased() }.filter { encoding(named: $0) != nil }
      throw ValidationError(
        "there is no type \(dtype) in \(isGGUF ? "GGUF" : "a folder"); there are \(possible.joined(separator: ", "))"
      )
    }
    guard let shard else { return }
    if isGGUF { throw ValidationError("--shard is for a folder; \(destination) is one file") }
    if ByteCount(shard).map({ $0.bytes > 0 }) != true {
      throw ValidationError("expected a size such as 5GB, found \(shard)")
    }
  }

  private func encoding(named name: String) -> (any WritableEncoding.Type)? {
    writableEncoding(named: name.uppercased()).flatMap { isGGUF || type(of: $0) != nil ? $0 : nil }
  }

  /// What safetensors has of it.
  private func type(of encoding: any WritableEncoding.Type) -> SafeTensorsOutput.DType? {
    SafeTensorsOutput.DType(rawValue: encoding.name)
  }

  func run() throws {
    finish {
      try File.refuseOverwriting(destination)
      let place = try ModelPlace(source, parameters, storage: storage)
      if let digest = place.fetched { standardError("sha256: \(digest.hex)\n") }
      let path = place.path
      // Those of a folder are copied into a folder.
      let checkpoint = try openCheckpoint(path, readingTokenizer: isGGUF || !isDirectory(path))
      let encoding = try dtype.flatMap(encoding(named:)) ?? checkpoint.losslessEncoding()
      if isGGUF {
        try File.makeDirectory(Path.parent(Path.absolute(destination)))
        try checkpoint.write(toGGUF: destination, as: encoding)
      } else if let dtype = type(of: encoding) {
        try File.makeWholeDirectory(destination) { temporary in
          try checkpoint.write(
            toDirectory: temporary, as: dtype, shardBytes: shard.flatMap(ByteCount.init)?.bytes)
        }
      }
      try standardOutput(TerminalText.escaped(destination) + "\n")
      standardError(
        "\(counted(checkpoint.configuration.parameterCount, "parameter")) of `\(checkpoint.configuration.family.type.modelType)` in \(encoding.name.lowercased())\n"
      )
      return .done
    }
  }
}

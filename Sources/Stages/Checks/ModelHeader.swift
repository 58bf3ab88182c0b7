// What a model's header says before its weights are read: whether it can be read at all, its head, its size, its classes.

import Experiments
import Glibc
import JSON
import Models
import System

/// The facts of a model that lies at a path. Reads its configuration, the tokenizer of a folder and the headers of its weights, no
/// weight. Of a GGUF file's tokenizer the keys say what could be wrong with it; its vocabulary takes most of the time.
private func describeModel(_ path: String) -> JSON {
  guard let status = FileStatus.of(path) else { return .object(JSONObject()) }
  guard status.isDirectory || status.isRegularFile else {
    return [Fact.problem: .string("`\(path)` is neither a file nor a folder")]
  }
  do {
    let checkpoint = try openCheckpoint(path, readingTokenizer: status.isDirectory)
    var facts = JSONObject([
      (Fact.parameters, .int(Int64(checkpoint.configuration.parameterCount))),
      (Fact.bytes, .int(Int64(checkpoint.tensors.fileByteCount))),
      (ModelMemory.fact, ModelMemory.value(of: checkpoint)),
      (Fact.context, .int(Int64(checkpoint.configuration.contextLength))),
      (Fact.head, headFact(checkpoint.configuration.head)),
      (Fact.hasTokenizer, .bool(checkpoint.hasTokenizer)), (Fact.tokenizerPath, .string(path)),
      (Fact.hasChatTemplate, .bool(checkpoint.chatTemplate != nil)),
    ])
    if let refusal = checkpoint.refusal(of: .file) { facts[Fact.noIntegers] = .string(refusal) }
    if status.isDirectory, let licence = ReadmeLicence.of(folder: path) {
      facts[Fact.licence] = .string(licence)
    }
    if let problemType = checkpoint.configuration.problemType {
      facts[Fact.problemType] = .string(problemType)
    }
    if let texts = checkpoint.plumb?[RewardText.trainedKey] { facts[Fact.texts] = texts }
    if let conditioning = try? Conditioning(checkpoint) {
      facts[Fact.conditionedClasses] =
        conditioning.template != nil && conditioning.classCount == 0
        ? .null : .int(Int64(conditioning.classCount))
    } else if checkpoint.plumb?["conditioning"]?.isNull ?? true {
      facts[Fact.conditionedClasses] = 0
    }
    return .object(facts)
  } catch {
    return [Fact.problem: .string("\(error)")]
  }
}

/// The same of one whose `config.json` or tokenizer may lie elsewhere. Nothing is known then where its folder cannot be made.
package func describeModel(_ path: String, _ config: String?, _ tokenizer: String?) -> JSON {
  guard config != nil || tokenizer != nil else { return describeModel(path) }
  do {
    let model = try AssembledModel(of: path, with: ModelParts(config: config, tokenizer: tokenizer))
    let folder = try model.folder(below: ModelCache.standard().root)
    let facts = describeModel(folder)
    guard let problem = facts[Fact.problem]?.stringValue else { return facts }
    // It is said where the user put it.
    return [
      Fact.problem: .string(
        model.links.reduce(problem) { $0.replacing("\(folder)/\($1.name)", with: $1.path) })
    ]
  } catch let error as InputError {
    return [Fact.problem: .string(error.description)]
  } catch { return .object(JSONObject()) }
}

/// A head as a fact, and back.
func headFact(_ head: Head) -> JSON {
  switch head {
  case .language: "language"
  case .value: "value"
  case .classification(let labels): .array(labels.map { .string($0) })
  }
}

extension KnownArtifact {
  /// Nil where nothing is known of it.
  var head: Head? {
    guard let fact = facts[Fact.head] else { return nil }
    if let labels = fact.arrayValue { return .classification(labels: labels.compactMap(\.stringValue)) }
    return fact == "value" ? .value : .language
  }
}

extension StageFindings {
  /// A model that the stage opens must be one that can be read, with this head and a tokenizer, and should fit into memory.
  /// - Parameter need: bytes that the stage takes for it.
  mutating func want(
    _ wanted: WantedHead, at port: String, in stage: StageCheck,
    memory need: (ModelMemory) -> Int = { $0.reading }
  ) {
    guard let artifact = stage.artifact(port) else { return }
    if let server = artifact.server {
      error(
        .wrongModel,
        "input `\(port)` needs a model whose weights are here, but this one is behind the server `\(server.identity)`",
        at: .input(port), label: "behind a server",
        help:
          "a server's model can be asked by `sample`, `annotate`, `win_rate` and the scorers `choice` and `reply`"
      )
    } else if let problem = artifact.facts[Fact.problem]?.stringValue {
      error(.wrongModel, problem, at: .model(port), label: "cannot be read", inInput: true)
    } else if let head = artifact.head, !wanted.fits(head) {
      error(
        .wrongModel, wanted.refusal(of: head, at: port), at: .input(port), label: head.modelKind,
        help: wanted == .reward ? "a language model scores with `scorer: {kind: choice, …}`" : nil,
        inInput: true)
    } else if artifact.facts[Fact.hasTokenizer]?.boolValue == false {
      error(
        .wrongModel, "the model has no tokenizer", at: .model(port), label: "has no tokenizer", inInput: true)
    }
    if stage.numericMode == NumericMode.file.rawValue,
      let refusal = artifact.facts[Fact.noIntegers]?.stringValue
    {
      error(
        .numericMode, refusal, at: .model(port), label: "has no such integers",
        help: "give the stage `numeric: bf16`, or the model's GGUF file")
    }
    if let memory = ModelMemory(artifact.facts, mode: stage.numericMode) {
      warn(ofMemory: need(memory), at: port)
    }
  }

  private mutating func warn(ofMemory need: Int, at port: String) {
    let machine = Machine.current().memoryBytes
    guard need > machine else { return }
    warning(
      .wrongModel,
      "takes \(ByteCount(need).text) of memory in this stage, and this machine has \(ByteCount(machine).text)",
      at: .model(port), label: "takes \(ByteCount(need).text)")
  }
}

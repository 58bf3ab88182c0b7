// What a model's header says before the model is read: whether it can be read at all, its head, its size, its classes.

import Glibc
import JSON
import Models
import Runner
import System

/// The facts of a model that lies at a path. Reads its configuration and the headers of its weights, no weight and no
/// vocabulary.
package func describeModel(_ path: String) -> JSON {
  guard let status = FileStatus.of(path) else { return .object(JSONObject()) }
  guard status.isDirectory || status.isRegularFile else {
    return [Fact.problem: .string("`\(path)` is neither a file nor a folder")]
  }
  do {
    let checkpoint = try openCheckpoint(path, readingTokenizer: false)
    var facts = JSONObject([
      (Fact.parameters, .int(Int64(checkpoint.configuration.parameterCount))),
      (Fact.bytes, .int(Int64(byteCount(of: path, status)))),
      (Fact.context, .int(Int64(checkpoint.configuration.contextLength))),
      (Fact.isRewardModel, .bool(checkpoint.isRewardModel)),
      (Fact.hasTokenizer, .bool(checkpoint.hasTokenizer)), (Fact.tokenizerPath, .string(path)),
    ])
    if let conditioning = try? Conditioning(checkpoint) {
      facts[Fact.conditionedClasses] = .int(Int64(conditioning.prefixes.count))
    } else if checkpoint.plumb?["conditioning"]?.isNull ?? true {
      facts[Fact.conditionedClasses] = 0
    }
    return .object(facts)
  } catch {
    return [Fact.problem: .string("\(error)")]
  }
}

private func byteCount(of path: String, _ status: FileStatus) -> Int {
  guard status.isDirectory else { return status.size }
  return ((try? File.names(in: path)) ?? []).filter { $0.hasSuffix(".safetensors") }.reduce(0) {
    $0 &+ (FileStatus.of("\(path)/\($1)")?.size ?? 0)
  }
}

extension StageFindings {
  enum Head { case language, reward }

  /// A model that the stage opens must be one that can be read, with this head and a tokenizer.
  mutating func want(_ head: Head, at port: String, in stage: StageCheck) {
    guard let facts = stage.artifact(port)?.facts else { return }
    if let problem = facts[Fact.problem]?.stringValue {
      error(.wrongModel, problem, at: .model(port), label: "cannot be read", inInput: true)
      return
    }
    switch (head, facts[Fact.isRewardModel]?.boolValue) {
    case (.language, true?):
      error(
        .wrongModel,
        "input `\(port)` needs a language model, but this is a reward model: it has the tensor `score.weight`",
        at: .input(port), label: "a reward model", inInput: true)
    case (.reward, false?):
      error(
        .wrongModel,
        "input `\(port)` needs a reward model, with a head of one output called `score.weight`, but this is a language model",
        at: .input(port), label: "a language model",
        help: "a language model scores with `scorer: {kind: choice, …}`", inInput: true)
    default:
      if facts[Fact.hasTokenizer]?.boolValue == false {
        error(
          .wrongModel, "the model has no tokenizer", at: .model(port), label: "has no tokenizer",
          inInput: true)
      }
    }
  }
}

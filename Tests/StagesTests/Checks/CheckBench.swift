// A project folder with a tiny model and data files, checked with the library's stages; nothing runs.

import Glibc
import Runner
import Stages
import TestFolder
import Testing
import TinyModel

final class CheckBench {
  private let place = TemporaryFolder()
  var folder: String { place.path }

  static let registry = StageRegistry(
    [
      DataStage.self, DrawStage.self, SampleStage.self, ScoreStage.self, NormalizeStage.self,
      QuantizeStage.self, AnnotateStage.self, ExemplarStage.self, PoolStage.self, TrainStage.self,
      EvaluateStage.self, CommandStage.self,
    ], describeModel: describeModel)

  /// `train.jsonl` of eight rows, `broken.jsonl`, `large.jsonl` of more than is looked at, and the model `sft`.
  init() throws {
    try #require(mkdir("\(folder)/.plumb", 0o755) == 0)
    try place.write(
      (1...8).map { "{\"id\": \"\($0)\", \"prompt\": \"\($0 == 1 ? "a" : "b")\"}\n" }.joined(),
      to: "train.jsonl")
    try place.write("{\"id\": \"1\", \"prompt\": }\n", to: "broken.jsonl")
    try place.write(
      String(repeating: "{\"prompt\": \"a\", \"kind\": 1}\n", count: 10_000), to: "large.jsonl")
    try place.write(
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#,
      to: "chat.jsonl")
    try model("sft") { $0.chatTemplate = TinyModel.chatTemplate }
  }

  func model(_ name: String, _ change: (inout TinyModel) -> Void = { _ in }) throws {
    var model = TinyModel()
    model.layers = 1
    change(&model)
    try model.write(to: "\(folder)/\(name)")
  }

  func write(_ bytes: [UInt8], to name: String) throws { try place.write(bytes, to: name) }
  func write(_ text: String, to name: String) throws { try place.write(text, to: name) }

  func diagnostics(set overrides: [String] = []) -> [Diagnostic] {
    let result = Planner.plan(
      path: "\(folder)/experiment.yaml", overrides: overrides, stages: Self.registry)
    switch result {
    case .success(let good): return good.plan.warnings
    case .failure(let bad): return bad.diagnostics
    }
  }

  /// `severity[code] at LINE "TEXT": message`, the folder's own path taken out.
  func check(_ text: String) throws -> [String] {
    try write(text, to: "experiment.yaml")
    return diagnostics().map { diagnostic in
      let place = diagnostic.span.map { span in
        "\(span.line) \"\(String(decoding: span.file.bytes[span.start..<span.end], as: UTF8.self))\""
      }
      let message = diagnostic.message.replacing("\(folder)/", with: "")
      return "\(diagnostic.severity.rawValue)[\(diagnostic.code)] at \(place ?? "no place"): \(message)"
    }
  }
}

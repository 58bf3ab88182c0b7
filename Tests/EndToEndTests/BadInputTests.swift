// Wrong experiments, data and models: the exit code, the place, the rule that was broken.

import Glibc
import Runner
import System
import Testing

struct BadInputTests {
  let project: LawProject
  init() throws { project = try LawProject() }

  /// Runs and expects the exit code and the words on stderr; no sampling has begun.
  private func expect(_ code: Int32, _ words: [String]) throws {
    #expect(try project.run() == .exited(code), "\(project.standardError)")
    for word in words {
      #expect(project.standardError.contains(word), "`\(word)` in: \(project.standardError)")
    }
    #expect(!project.executed.contains("quark@1.sample"))
    // Never a crash's own words.
    for word in ["Fatal error", "Crash"] { #expect(!project.standardError.contains(word)) }
  }

  private func rewrite(_ name: String, _ bytes: [UInt8]) throws {
    let stream = try #require(fopen("\(project.path)/\(name)", "wb"))
    #expect(fwrite(bytes, 1, bytes.count, stream) == bytes.count)
    fclose(stream)
  }

  @Test func `a malformed experiment is exit 3 with every position, and nothing runs`() throws {
    let yaml = LawProject.Variant().yaml
      .replacing("batch_size: 4", with: "batch_sise: 4").replacing("rows: pool.rows", with: "rows: pol.rows")
      .replacing("with: {classes: 3}}", with: "with: {classes: many}}")
    try project.write(yaml, to: "law.yaml")
    try expect(3, ["unknown-key", "batch_sise", "did you mean", "pol"])
    let positions = project.standardError.split(separator: "\n").filter { $0.contains("--> law.yaml:") }
    #expect(positions.count >= 3, "\(project.standardError)")
    #expect(access("\(project.path)/store", F_OK) != 0)
    #expect(access("\(project.path)/runs", F_OK) != 0)

    try project.write("version: 1\nname: [law\n", to: "law.yaml")
    try expect(3, ["--> law.yaml:"])
  }

  @Test(arguments: [
    ("memory: much", "memory"), ("memory: -4", "memory"), ("batch: 0", "batch"), ("batch: ten", "batch"),
  ])
  func `an engine setting that cannot be read is exit 3`(setting: String, key: String) throws {
    try project.set(LawProject.Variant(extra: ["sample": "engine: {\(setting)}"]))
    try expect(3, ["`engine.\(key)`", "--> law.yaml:"])
  }

  @Test func `a data line that is not JSON, or lacks the field, is exit 4 with its line`() throws {
    try project.write(
      "{\"id\": \"a\", \"text\": \"x\"}\n{\"id\": \"b\", \"text\": \"y\"}\n{\"id\": \"c\", text\n",
      to: "prompts.jsonl")
    try expect(4, ["prompts.jsonl:3:13: ", "expected a string as key"])
    try project.write(
      "{\"id\": \"a\", \"text\": \"x\"}\n{\"id\": \"b\", \"txt\": \"y\"}\n", to: "prompts.jsonl")
    try expect(4, ["prompts.jsonl:2", "`text`"])
    try project.write("", to: "prompts.jsonl")
    try expect(4, ["prompts.jsonl"])
  }

  enum Damage: CaseIterable { case cut, header, length, emptied, pickle, missing }

  @Test(arguments: Damage.allCases)
  func `damaged weights are exit 4 with the file and the rule`(damage: Damage) throws {
    let name = "model/model.safetensors"
    var bytes = try File.read("\(project.path)/\(name)")
    switch damage {
    case .cut: bytes.removeLast(1000)
    case .header: bytes[8] = UInt8(ascii: "[")
    case .length: bytes[7] = 0x7F
    case .emptied: bytes = []
    case .pickle: bytes = [0x80, 0x02, 0x7D, 0x71, 0x00, 0x2E]
    case .missing: unlink("\(project.path)/\(name)")
    }
    if damage != .missing { try rewrite(name, bytes) }
    try expect(
      4, damage == .missing ? ["model", "expected one of `model.safetensors`"] : ["model.safetensors"])
  }

  @Test func `a model's other files are held to their rules as well`() throws {
    let config = try File.read("\(project.path)/model/config.json")
    try project.write("{\"model_type\": \"mamba\"}", to: "model/config.json")
    try expect(4, ["config.json", "mamba"])
    try rewrite("model/config.json", config)
    try project.write("{\"model\": ", to: "model/tokenizer.json")
    try expect(4, ["tokenizer.json", "not JSON"])
  }

  @Test func `a weight that is NaN is exit 4 with the row, and inspect counts it`() throws {
    var bytes = try File.read("\(project.path)/model/model.safetensors")
    bytes.replaceSubrange((bytes.count - 4)..., with: [0, 0, 0xC0, 0x7F])
    try rewrite("model/model.safetensors", bytes)
    try expect(4, ["the model's logits are not finite for row `", "inspect MODEL"])
    let plumb = try BuiltPlumb()
    let found = try plumb.run("inspect '\(project.path)/model'")
    #expect(found.output.contains("NaN or infinite: 1\n"), "\(found.output)")
    let tried = try plumb.run("try '\(project.path)/model' --prompt a --temperature 0")
    #expect(tried.status == 4 && tried.error.contains("not finite for `--prompt`"), "\(tried.error)")
  }

  @Test(arguments: [0, 4, 20, 200])
  func `a damaged GGUF file is exit 4 with the rule`(length: Int) throws {
    // The magic and version 3, then counts that promise far more than there is.
    let bytes = Array("GGUF".utf8) + [3, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 192)
    try rewrite("model.gguf", Array(bytes.prefix(length)))
    try project.write(
      LawProject.Variant().yaml.replacing("{path: model}", with: "{path: model.gguf}"), to: "law.yaml")
    try expect(4, ["model.gguf"])
  }
}

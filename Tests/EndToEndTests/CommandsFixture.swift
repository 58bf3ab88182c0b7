// The built binary in a folder of its own, with a tiny model of random weights that it can sample from.

import Glibc
import JSON
import Testing

final class CommandsFixture {
  private let built: BuiltPlumb
  var folder: String { built.folder }
  var binary: String { built.binary }

  init() throws {
    built = try BuiltPlumb()
    mkdir("\(folder)/model", 0o755)
    let tied =
      String(#filePath.dropLast("EndToEndTests/CommandsFixture.swift".utf8.count))
      + "ModelsTests/Fixtures/goldens/tied"
    for name in ["config.json", "model.safetensors"] {
      try #require(symlink("\(tied)/\(name)", "\(folder)/model/\(name)") == 0)
    }
    try write(Self.tokenizer, to: "model/tokenizer.json")
  }

  /// A byte-level tokenizer without merges: a token for each of 96 bytes, printable ASCII and the line feed.
  private static var tokenizer: String {
    // The byte alphabet maps printable ASCII to itself, the space to U+0120 and the line feed to U+010A.
    let letters = (0x21...0x7E).compactMap { Unicode.Scalar($0) }.map(String.init) + ["\u{120}", "\u{10A}"]
    let vocabulary = JSONObject(letters.enumerated().map { ($1, JSON.int(Int64($0))) })
    let json: JSON = [
      "version": "1.0", "added_tokens": [], "normalizer": nil,
      "pre_tokenizer": [
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
      ],
      "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
      "model": ["type": "BPE", "vocab": .object(vocabulary), "merges": []],
    ]
    return json.text()
  }

  func write(_ text: String, to name: String) throws { try built.write(text, to: name) }

  func text(_ name: String) -> String { built.text(name) }

  /// Runs `plumb ARGUMENTS` in the folder, through a shell.
  func plumb(_ arguments: String, before: String = "") -> (status: Int32, output: String, error: String) {
    do {
      let ending = try built.run(arguments, before: before)
      return (ending.status, ending.output, ending.error)
    } catch {
      return (-1, "", "the program could not be started: \(error)")
    }
  }

  /// What a shell's commands print in the folder.
  func shell(_ commands: String) -> String { (try? built.shell(commands + ";"))?.output ?? "" }

  /// Two samples of the same prompts, one of them scored and evaluated.
  static let experiment = """
    version: 1
    name: tiny
    seed: 1
    models: {m: {path: model}}
    stages:
      rows: {uses: data, with: {path: rows.jsonl, prompt: "{p}", id: id}}
      cold: {uses: sample, in: {model: m, prompts: rows}, with: {temperature: 0, max_new_tokens: 6}}
      hot: {uses: sample, in: {model: m, prompts: rows}, with: {n: 2, temperature: 1.5, max_new_tokens: 6}}
      judge:
        uses: score
        in: {model: m, rows: hot}
        with: {scorer: {kind: choice, template: "{prompt}{generation} ", labels: ["a", "b"], reward: "a"}}
      evaluate: {in: {rows: judge, reference: m}}
    metrics: {reward: evaluate.reward}
    """

  func writeExperiment() throws {
    try write(Self.experiment, to: "tiny.yaml")
    try write((1...3).map { "{\"id\": \"r\($0)\", \"p\": \"say \($0)\"}\n" }.joined(), to: "rows.jsonl")
  }
}

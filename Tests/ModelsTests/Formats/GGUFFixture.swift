// The tiny models that transformers and gguf's own writer made of the same numbers: `Fixtures/gguf`.

import JSON
import Models
import Testing

struct GGUFFixture: Sendable, CustomTestStringConvertible {
  let name: String
  var testDescription: String { name }

  static let all = ["gpt2", "gptj", "gptneox", "llama"].map(GGUFFixture.init)
  private static let root = "\(fixtureDirectory)/gguf"

  var path: String { "\(Self.root)/\(name).gguf" }
  var directory: String { "\(Self.root)/\(name)" }

  /// Texts with the ids of transformers' tokenizer.
  func texts() throws -> [(text: String, ids: [Int32])] {
    try #require(try readJSON("\(Self.root)/texts.json")[name]?.arrayValue).map { entry in
      (
        try #require(entry["text"]?.stringValue),
        try #require(entry["ids"]?.arrayValue).map { Int32($0.intValue ?? -1) }
      )
    }
  }
}

extension GGUFBuilder {
  /// What a file holds, to be changed; its tensors in F32.
  init(_ file: GGUFFile) throws {
    self.init()
    for (key, value) in file.metadata {
      switch value {
      case .unsigned(let number): add(key, UInt32(truncatingIfNeeded: number))
      case .float32(let number): add(key, number)
      case .bool(let flag): add(key, flag)
      case .string(let text): add(key, text)
      case .array(let array) where array.elementType == .string: add(key, try file.strings(key) ?? [])
      case .array: add(key, try (file.integers(key) ?? []).map { Int32($0) })
      case .signed, .float64: Issue.record("`\(key)` is \(value.kind) that the fixtures do not have")
      }
    }
    for name in file.names { tensor(name, shape: try file.shape(of: name), try file.floats(name)) }
  }

  mutating func remove(_ key: String) {
    entries.removeAll { $0.starts(with: Self.text(key)) }
  }
}

extension Checkpoint {
  /// Without what files of one kind alone carry.
  var decoder: DecoderConfiguration {
    var decoder = configuration
    decoder.carried = [:]
    return decoder
  }
}

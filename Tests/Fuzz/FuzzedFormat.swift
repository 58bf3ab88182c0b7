// The formats that are fuzzed: how bytes become a file, and what is read of it.

import Glibc
import JSON
import ModelFileBuilders
import Models
import Stages
import System

struct FuzzedFormat: Sendable {
  let name: String
  /// The file that holds the fuzzer's bytes.
  let file: @Sendable ([UInt8]) -> [UInt8]
  let read: @Sendable (String) throws -> Void
}

let fuzzedFormats = [
  FuzzedFormat(name: "pytorch", file: { $0 }, read: { try readTensors(try PyTorchFile($0)) }),
  // The pickle alone, so that its bytes change inside an archive that stays sound.
  FuzzedFormat(name: "pickle", file: archive, read: { try readTensors(try PyTorchFile($0)) }),
  FuzzedFormat(name: "safetensors", file: { $0 }, read: { try readTensors(try SafeTensorsFile($0)) }),
  FuzzedFormat(name: "gguf", file: { $0 }, read: readGGUF),
  FuzzedFormat(name: "tokenizer", file: { $0 }, read: { try use(try readTokenizer($0)) }),
  FuzzedFormat(name: "vocabulary", file: { $0 }, read: readVocabulary),
  FuzzedFormat(name: "chat", file: { $0 }, read: renderChat),
  FuzzedFormat(name: "parquet", file: { $0 }, read: { try readRecords($0, "parquet") }),
  FuzzedFormat(name: "csv", file: { $0 }, read: { try readRecords($0, "csv") }),
  FuzzedFormat(name: "json", file: { $0 }, read: { try readRecords($0, "json") }),
  FuzzedFormat(name: "jsonl", file: { $0 }, read: { try readRecords($0, "jsonl") }),
  // Any text, compressed as a whole or not.
  FuzzedFormat(name: "compressed", file: { $0 }, read: { try readRecords($0, "text") }),
]

/// What is read must be written and read back the same. Behind a bad record there may be good ones.
@Sendable private func readRecords(_ path: String, _ format: String) throws {
  var file = RecordFile([path], format: format)
  var errors: [any Error] = []
  while errors.count < 16 {
    do {
      guard let record = try file.next() else { break }
      let again = try JSON(parsing: record.text(.canonical))
      precondition(again == record, "\(record.text()) came back as \(again.text())")
    } catch { errors.append(error) }
  }
  if let error = errors.last { throw error }
}

private func use(_ tokenizer: Tokenizer) throws {
  let ids = tokenizer.encode("Hello  wörld's 12,345\n\t<|endoftext|> e\u{301}\u{1F469}\u{200D}\u{1F4BB}日本")
  _ = tokenizer.decode(ids)
}

private let vocabulary: ScratchVocabulary = {
  atexit { vocabulary.remove() }
  return ScratchVocabulary()
}()

/// Two files in a folder: `vocab.json`, then `merges.txt` behind a zero byte.
@Sendable private func readVocabulary(_ path: String) throws {
  let parts = try File.read(path).split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
  vocabulary.write(Array(parts[0]), Array(parts.count > 1 ? parts[1] : []))
  try use(try openTokenizer(vocabulary.path))
}

/// For a conversation, and for one that no template expects.
@Sendable private func renderChat(_ path: String) throws {
  guard let source = String(validating: try File.read(path), as: UTF8.self) else { return }
  let template = try ChatTemplate(source)
  let conversations: [JSON] = [
    [
      ["role": "system", "content": "S"], ["role": "user", "content": "a {{ b }}"],
      ["role": "assistant", "content": "c"],
    ],
    [["role": "user", "content": [["type": "text", "text": "x"]]], ["role": "tool", "content": nil]],
  ]
  var limits = TemplateLimits()
  limits.steps = 50_000
  limits.characters = 1 << 20
  limits.outputBytes = 1 << 20
  for messages in conversations {
    _ = try template.render(
      fields: JSONObject([("messages", messages)]),
      settings: JSONObject([("bos_token", "<s>"), ("eos_token", "</s>"), ("add_generation_prompt", true)]),
      now: 0, limits: limits)
  }
}

/// The tokenizer and the model too.
@Sendable private func readGGUF(_ path: String) throws {
  let file = try GGUFFile(path)
  try readTensors(file)
  for (key, value) in file.metadata {
    if case .array(let array) = value, array.elementType == .string { _ = try file.strings(key) }
  }
  _ = try? file.tokenizer()
  _ = try GGUFModel(file)
}

/// With storages of the sizes that the seeds name.
@Sendable private func archive(_ pickle: [UInt8]) -> [UInt8] {
  var zip = ZipBuilder()
  zip.add("m/data.pkl", pickle)
  for (key, byteCount) in [24, 96, 8, 4].enumerated() {
    zip.add("m/data/\(key)", [UInt8](repeating: 0x3F, count: byteCount))
  }
  return zip.bytes()
}

private func readTensors(_ file: any TensorFile) throws {
  var left = 1 << 20
  for name in file.names {
    let count = try file.shape(of: name).reduce(1, *)
    _ = try file.byteCount(of: name)
    // Time is the fuzzer's; that large tensors are bounded is a test's.
    guard elementEncoding(named: try file.storage(of: name)) != nil, count <= left else { continue }
    left -= count
    _ = try file.floats(name)
  }
}

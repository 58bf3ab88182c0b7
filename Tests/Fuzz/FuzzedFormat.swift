// The formats that are fuzzed: how bytes become a file, and what is read of it.

import ModelFileBuilders
import Models

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
]

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

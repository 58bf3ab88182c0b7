// `convert`: every number as it was, in other types and other files.

import Glibc
import JSON
import Models
import System
import TestFolder
import Testing
import TinyModel

@Suite struct ConversionTests {
  let directory = TemporaryFolder()
  private var source: String { "\(directory.path)/source" }
  private var target: String { "\(directory.path)/target" }

  private func open() throws -> Checkpoint {
    try TinyModel().write(to: source)
    return try openCheckpoint(source)
  }

  @Test(arguments: [40_000, 1, 1 << 30])
  func `shards hold what one file holds, each at most so large`(limit: Int) throws {
    let checkpoint = try open()
    try checkpoint.write(toDirectory: target, as: .f32, shardBytes: limit)
    let shards = try File.names(in: target).filter { $0.hasPrefix("model-") }
    let tensors = checkpoint.configuration.layout.tensors
    let largest = tensors.map { $0.shape.reduce(4, *) }.max() ?? 0
    // The embedding, 488 x 64 in fp32, is larger than either limit.
    #expect(shards.count == [40_000: 11, 1: tensors.count, 1 << 30: 0][limit])
    for shard in shards {
      let bytes = try SafeTensorsFile("\(target)/\(shard)").header.entries.map(\.byteCount)
      #expect(bytes.reduce(0, +) <= max(limit, largest) && (bytes.count == 1 || bytes.reduce(0, +) <= limit))
    }
    let written = try openCheckpoint(target)
    #expect(written.tensors.names.count == tensors.count)
    for tensor in tensors {
      #expect(try written.tensors.floats(tensor.name) == checkpoint.tensors.floats(tensor.name))
    }
    if shards.isEmpty { return }
    let index = try readJSON("\(target)/model.safetensors.index.json")
    #expect(
      index["metadata"]?["total_size"]?.intValue == checkpoint.configuration.parameterCount * 4)
    #expect(limit == 1 || shards.first == "model-00001-of-00011.safetensors")
  }

  @Test(arguments: [SafeTensorsOutput.DType.f32, .bf16, .f16])
  func `numbers are rounded to nearest, and config.json says their type`(type: SafeTensorsOutput.DType) throws
  {
    let checkpoint = try open()
    try checkpoint.write(toDirectory: target, as: type)
    let written = try openCheckpoint(target)
    #expect(try written.losslessEncoding().name == type.rawValue)
    #expect(
      try readJSON("\(target)/config.json")["torch_dtype"]?.stringValue
        == [.f32: "float32", .bf16: "bfloat16", .f16: "float16"][type])
    let relative: Float = [.f32: 0, .bf16: 0x1p-8, .f16: 0x1p-11][type] ?? 0
    for name in checkpoint.tensors.names {
      for (found, wanted) in zip(try written.tensors.floats(name), try checkpoint.tensors.floats(name)) {
        #expect(abs(found - wanted) <= abs(wanted) * relative + (type == .f16 ? 0x1p-25 : 0), "\(name)")
      }
    }
  }

  @Test func `the tokenizer of a directory is copied byte for byte`() throws {
    let checkpoint = try open()
    try directory.write("{\n \"oov\": 1}", to: "source/special_tokens_map.json")
    try directory.write("{{ messages }}", to: "source/chat_template.jinja")
    try checkpoint.write(toDirectory: target, as: .bf16)
    for name in [
      "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
    ] {
      #expect(directory.text("target/\(name)") == directory.text("source/\(name)"))
    }
  }

  @Test func `a GGUF file becomes a directory with its numbers and its tokenizer`() throws {
    let path = "\(directory.path)/tiny.gguf"
    try directory.write(TinyCheckpoint.gguf().bytes(), to: "tiny.gguf")
    let checkpoint = try openCheckpoint(path)
    #expect(try checkpoint.losslessEncoding() == F32.self)
    try checkpoint.write(toDirectory: target, as: .f32)
    let written = try openCheckpoint(target)
    for name in written.tensors.names {
      #expect(try written.tensors.floats(name) == checkpoint.tensors.floats(name))
    }
    let tokenizer = try written.requireTokenizer()
    #expect(tokenizer.encode("ab a") == (try checkpoint.requireTokenizer()).encode("ab a"))
    #expect(written.chatTemplate == "{{ messages }}" && written.endTokens == [2])
  }

  @Test func `a number beyond F16 is refused with its tensor`() throws {
    var model = TinyModel()
    model.changedWeight = ("model.norm.weight", 65_520)
    try model.write(to: source)
    let checkpoint = try openCheckpoint(source)
    let error = #expect(throws: FormatError.self) {
      try checkpoint.write(toDirectory: target, as: .f16)
    }
    #expect(
      error?.description
        == "`\(source)`: tensor `model.norm.weight`: 65520.0 is beyond the numbers of F16; write the model as F32, which holds it"
    )
    #expect(!fileExists("\(target)/model.safetensors"))
  }
}

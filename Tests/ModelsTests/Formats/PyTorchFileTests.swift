// Files of `torch.save`: every type, view and way of saving, against what Python held when it saved them.

import Glibc
import JSON
import ModelFileBuilders
import Models
import System
import TestFolder
import Testing

@Suite struct PyTorchFileTests {
  let directory = TemporaryFolder()
  static let folder = "\(fixtureDirectory)/pytorch"

  @Test(arguments: [
    "types.2.bin", "types.3.bin", "types.4.bin", "types.5.bin", "newer.bin", "views.bin", "parameters.bin",
    "module.bin", "nested.bin", "sharded/pytorch_model-00001-of-00002.bin",
    "sharded/pytorch_model-00002-of-00002.bin",
  ])
  func `a file holds the tensors that were saved, bit for bit`(name: String) throws {
    let expected = try #require(readJSON("\(Self.folder)/expected.json")[name]?.arrayValue)
    let file = try PyTorchFile("\(Self.folder)/\(name)")
    #expect(file.names == expected.compactMap { $0["name"]?.stringValue } && !file.names.isEmpty)
    for tensor in expected {
      let name = try #require(tensor["name"]?.stringValue)
      #expect(try file.storage(of: name) == tensor["dtype"]?.stringValue)
      #expect(try file.shape(of: name) == tensor["shape"]?.arrayValue?.compactMap(\.intValue))
      guard let bits = tensor["bits"]?.arrayValue else {
        let found = failure { _ = try file.floats(name) }
        #expect(found?.contains("which is not read; F32, F16, BF16") == true)
        continue
      }
      let values = try file.floats(name).map { Int($0.bitPattern) }
      #expect(values == bits.compactMap(\.intValue), "\(name)")
    }
  }

  @Test(arguments: [
    (
      "ambiguous.bin",
      "`ambiguous/data.pkl`: several keys hold tensors: `model`, `ema`; save the state dictionary alone"
    ),
    ("mixed.bin", "key `epoch`: expected a tensor as under the other keys, found an integer"),
    ("list.bin", "expected a dictionary of tensors, found a list"),
    ("size.bin", "`torch.Size` is not one of the names"),
    ("complex.bin", "`torch.ComplexFloatStorage` is not one of the names"),
    ("negated.bin", "a tensor with metadata, such as `neg`"),
    (
      "old.bin",
      "found a Python pickle without the zip archive that PyTorch puts around it since version 1.6; load it there and save it again"
    ),
  ])
  func `what is no dictionary of tensors is refused with what it is`(name: String, message: String) {
    let found = failure { _ = try PyTorchFile("\(Self.folder)/\(name)") }
    #expect(found?.contains(message) == true, "\(found ?? "accepted")")
  }

  @Test func `inspect lists the tensors of a file`() throws {
    let lines = try inspect("\(Self.folder)/views.bin")
    #expect(lines.starts(with: ["kind: PyTorch file", "size: 3709 bytes", "tensors: 17"]))
    #expect(lines.contains("  half transposed  F16  [7, 5]     70 bytes"), "\(lines)")
    #expect(lines.suffix(2) == ["parameters: 199", "NaN or infinite: none"])
    #expect(
      try inspect("\(Self.folder)/types.2.bin").suffix(3) == [
        "NaN or infinite: 3", "  F64  2 of 10", "  F32  1 of 6",
      ])
  }

  /// Writes a golden model as `torch.save` would, each matrix transposed in its storage where `turned`.
  private func saved(_ golden: String, turned: Bool, _ change: (inout PyTorchBuilder) -> Void = { _ in })
    throws -> String
  {
    let source = "\(Golden.root)/\(golden)"
    _ = symlink("\(source)/config.json", "\(directory.path)/config.json")
    let file = try SafeTensorsFile("\(source)/model.safetensors")
    var builder = PyTorchBuilder()
    for name in file.names {
      let (shape, values) = (try file.shape(of: name), try file.floats(name))
      if turned, shape.count == 2 {
        let columns = (0..<shape[1]).flatMap { column in (0..<shape[0]).map { values[$0 * shape[1] + column] }
        }
        builder.add(name, columns, shape: shape, strides: [1, shape[0]])
      } else {
        builder.add(name, values, shape: shape)
      }
    }
    change(&builder)
    try directory.file("pytorch_model.bin", builder.bytes())
    return directory.path
  }

  @Test(arguments: [("gpt2", false), ("gpt2", true), ("tied", false)])
  func `a model's folder with pytorch_model.bin is the same model`(golden: String, turned: Bool) throws {
    let path = try saved(golden, turned: turned) { builder in
      guard golden == "gpt2" else { return }
      // A tied head under its own name, and the masks of older files.
      builder.add("lm_head.weight", sharing: "transformer.wte.weight")
      builder.add("transformer.h.0.attn.bias", bytes: [1, 0, 1, 1], "ByteStorage", shape: [1, 1, 2, 2])
      builder.add("transformer.h.0.attn.masked_bias", [-10_000], shape: [])
    }
    let (found, expected) = (try openCheckpoint(path), try openCheckpoint("\(Golden.root)/\(golden)"))
    #expect(found.configuration == expected.configuration)
    #expect(Set(found.tensors.names) == Set(expected.configuration.layout.names))
    for name in expected.tensors.names {
      #expect(try found.tensors.floats(name) == expected.tensors.floats(name), "\(name)")
    }
    #expect(found.tensors.fileByteCount == directory.bytes("pytorch_model.bin").count)
  }

  @Test func `a tensor that the model does not have, or a matrix of integers, is refused`() throws {
    let more = try saved("gpt2", turned: false) { $0.add("extra", [1], shape: [1]) }
    #expect(
      failure { _ = try openCheckpoint(more) }?.contains("`transformer.extra`: unexpected tensor") == true)
    let whole = try saved("gpt2", turned: false) { builder in
      builder.tensors.removeAll { $0.name == "transformer.ln_f.bias" }
      builder.add(
        "transformer.ln_f.bias", bytes: [UInt8](repeating: 0, count: 60), "CharStorage", shape: [60])
    }
    #expect(
      failure { _ = try openCheckpoint(whole) }?.contains("stored as I8, which is not read")
        == true)
  }

  @Test func `a read tensor's pages do not stay in memory`() throws {
    let count = 8 << 20
    var builder = PyTorchBuilder()
    builder.add("w", [Float](repeating: 0.5, count: count), shape: [count])
    let path = try directory.file("large.bin", builder.bytes())
    let file = try PyTorchFile(path)
    var output = [Float](repeating: 0, count: count)
    func residentPages() throws -> Int {
      let fields = String(decoding: try File.readKernelFile("/proc/self/smaps"), as: UTF8.self)
      let lines = fields.split(separator: "\n")
      let start = try #require(lines.firstIndex { $0.hasSuffix("large.bin") })
      let resident = try #require(lines[start...].first { $0.hasPrefix("Rss:") })
      return Int(resident.split(separator: " ")[1]) ?? 0
    }
    try output.withUnsafeMutableBufferPointer { try file.readFloats("w", into: $0) }
    #expect(output.allSatisfy { $0 == 0.5 })
    #expect(try residentPages() < 1024, "KiB of \(count / 256)")
  }
}

// Several files of tensors under one index, and what a folder's weights may be.

import JSON
import ModelFileBuilders
import Models
import TestFolder
import Testing

@Suite struct ShardedTensorsTests {
  let directory = TemporaryFolder()

  /// One safetensors file with one number for each name.
  private func shard(_ file: String, _ names: [String], value: Float) throws {
    let entries = names.enumerated().map { place, name in
      "\"\(name)\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[\(4 * place),\(4 * place + 4)]}"
    }
    try directory.file(
      file,
      safeTensors(
        "{\(entries.joined(separator: ","))}",
        data: names.flatMap { _ in littleEndian(value.bitPattern) }))
  }

  private func sharded(_ map: String) throws -> String {
    try shard("one.safetensors", ["a"], value: 2)
    try shard("two.safetensors", ["b"], value: 3)
    return try directory.file("model.safetensors.index.json", "{\"weight_map\":\(map)}")
  }

  private func open(_ index: String) throws -> ShardedTensors {
    try ShardedTensors(indexPath: index) { try SafeTensorsFile($0) }
  }

  @Test func `an index of millions of values is refused quickly`() throws {
    let path = try sharded("[" + String(repeating: "0,", count: 3_000_000) + "0]")
    let seconds = processorSeconds {
      #expect(failure { _ = try open(path) }?.contains("more than 600000 values") == true)
    }
    #expect(seconds < 1)
  }

  @Test func `shards are read through their index`() throws {
    _ = try sharded(#"{"b":"two.safetensors","a":"one.safetensors"}"#)
    let tensors = try openTensors(directory.path)
    #expect(tensors.names == ["b", "a"])
    #expect(try tensors.floats("a") == [2])
    #expect(try tensors.floats("b") == [3])
    #expect(tensors.fileByteCount == directory.bytes("one.safetensors").count * 2)
  }

  @Test(arguments: [
    ("{}", "`weight_map`: expected an object that is not empty"),
    (#"{"a":1}"#, "`a`: expected a file name"),
    (#"{"a":"../one.safetensors"}"#, "`../one.safetensors` is not the name of a file beside the index"),
    (#"{"a":"/etc/passwd"}"#, "is not the name of a file"),
    (#"{"a":".."}"#, "is not the name of a file"),
    (#"{"a":"three.safetensors"}"#, "the shard `three.safetensors` is missing"),
    (#"{"c":"one.safetensors"}"#, "holds no such tensor"),
    (
      #"{"a":"one.safetensors","b":"one.safetensors"}"#,
      "`b`: the shard `one.safetensors` holds no such tensor"
    ),
    (#"{"a":"one.safetensors","a":"one.safetensors"}"#, "duplicate key"),
  ])
  func `a wrong index is refused by its entry`(map: String, message: String) throws {
    let index = try sharded(map)
    let found = failure { _ = try open(index) }
    #expect(found?.contains(message) == true, "\(found ?? "accepted")")
  }

  @Test func `a tensor in two shards, or outside the index, is refused`() throws {
    let index = try sharded(#"{"a":"one.safetensors","b":"two.safetensors"}"#)
    try shard("two.safetensors", ["b", "a"], value: 0)
    #expect(failure { _ = try open(index) }?.contains("`a` is in two shards") == true)
    try shard("two.safetensors", ["b", "x"], value: 0)
    #expect(failure { _ = try open(index) }?.contains("is not in `weight_map`") == true)
  }

  private static let pytorch = "\(fixtureDirectory)/pytorch"

  @Test func `shards of PyTorch are read through their index, and refused by its entry`() throws {
    let tensors = try openTensors("\(Self.pytorch)/sharded")
    #expect(tensors.names == ["a", "b", "c"])
    #expect(try tensors.shape(of: "c") == [2, 3, 4] && tensors.storage(of: "b") == "F16")
    let views = try PyTorchFile("\(Self.pytorch)/views.bin")
    #expect(try tensors.floats("a") == views.floats("base"))
    let first = "pytorch_model-00001-of-00002.bin"
    try directory.file(first, try readSmallFile("\(Self.pytorch)/sharded/\(first)", limit: 1 << 20))
    for (map, message) in [
      ("{\"a\":\"\(first)\"}", "`b` of "), ("{\"a\":\"../\(first)\"}", "is not the name of a file"),
      ("{\"a\":\"\(first)\",\"b\":\"\(first)\",\"c\":\"x.bin\"}", "the shard `x.bin` is missing"),
    ] {
      try directory.file("pytorch_model.bin.index.json", "{\"weight_map\":\(map)}")
      let found = failure { _ = try openTensors(directory.path) }
      #expect(found?.contains(message) == true, "\(found ?? "accepted")")
    }
    #expect(
      try inspect("\(Self.pytorch)/sharded/pytorch_model.bin.index.json").starts(with: [
        "kind: index of 2 files of tensors", "tensors: 3", "  a  F32  [4, 6]     96 bytes",
      ]))
  }

  @Test func `of a folder's weights safetensors are taken before PyTorch's, a file before an index`() throws {
    #expect(
      failure { _ = try openTensors(directory.path) }?.contains(
        "expected one of `model.safetensors`, `model.safetensors.index.json`, `pytorch_model.bin`, `pytorch_model.bin.index.json`, found none"
      ) == true)
    try directory.file("pytorch_model.bin", try readSmallFile("\(Self.pytorch)/views.bin", limit: 1 << 20))
    #expect(try openTensors(directory.path).names.contains("base"))
    _ = try sharded(#"{"b":"two.safetensors","a":"one.safetensors"}"#)
    #expect(try openTensors(directory.path).names == ["b", "a"])
    try shard("model.safetensors", ["z"], value: 1)
    #expect(try openTensors(directory.path).names == ["z"])
  }

  @Test func `a file is opened by what it holds, whatever it is called`() throws {
    try shard("weights.pt", ["a"], value: 1)
    #expect(try openTensors("\(directory.path)/weights.pt") is SafeTensorsFile)
    #expect(try openTensors("\(Self.pytorch)/module.bin") is PyTorchFile)
    let gguf = try directory.file("x.bin", TinyCheckpoint.gguf().bytes())
    #expect(try openTensors(gguf) is GGUFFile)
    let other = try directory.file("y.bin", "hello")
    #expect(
      failure { _ = try openTensors(other) }?.contains(
        "expected a file of tensors (safetensors, PyTorch, GGUF), found a file of another kind") == true)
  }
}

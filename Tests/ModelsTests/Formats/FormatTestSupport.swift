// What the format and tokenizer tests share: where fixtures lie, temporary directories, builders of model files.

import Glibc
import JSON
import ModelFileBuilders
import Models

/// `Tests/ModelsTests/Fixtures`
let fixtureDirectory: String = {
  let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
  return parts.dropLast(2).joined(separator: "/") + "/Fixtures"
}()

/// The conformance material beside the package; absent in a plain clone.
let conformanceDirectory: String = {
  let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
  return parts.dropLast(5).joined(separator: "/") + "/shared/conformance"
}()

/// SmolLM2-135M-Instruct as GGUF in the model cache, where `plumb` fetches it to.
let smolLM2Path: String? = {
  let digest = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
  func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }
  let root =
    variable("PLUMB_MODELS") ?? (variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache")
    + "/plumb/models"
  let path = "\(root)/\(digest)/SmolLM2-135M-Instruct.Q4_1.gguf"
  return fileExists(path) ? path : nil
}()

/// A safetensors file from a header as text and data bytes.
func safeTensors(_ header: String, data: [UInt8] = []) -> [UInt8] {
  littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
}

/// Builds GGUF files, right or wrong.
struct GGUFBuilder {
  var version: UInt32 = 3
  var entries: [[UInt8]] = []
  var tensors: [(name: String, dimensions: [UInt64], type: UInt32, data: [UInt8])] = []
  /// Replaces the counts that would be written.
  var tensorCount: UInt64?
  var entryCount: UInt64?
  /// Replaces a tensor's offset.
  var offsets: [Int: UInt64] = [:]
  var alignment = 32

  static func text(_ value: String) -> [UInt8] { littleEndian(UInt64(value.utf8.count)) + Array(value.utf8) }

  mutating func add(_ key: String, type: UInt32, _ value: [UInt8]) {
    entries.append(Self.text(key) + littleEndian(type) + value)
  }
  mutating func add(_ key: String, _ value: String) { add(key, type: 8, Self.text(value)) }
  mutating func add(_ key: String, _ value: UInt32) { add(key, type: 4, littleEndian(value)) }
  mutating func add(_ key: String, _ value: Float) { add(key, type: 6, littleEndian(value.bitPattern)) }
  mutating func add(_ key: String, _ value: Bool) { add(key, type: 7, [value ? 1 : 0]) }
  mutating func add(_ key: String, _ values: [String]) {
    add(
      key, type: 9, littleEndian(UInt32(8)) + littleEndian(UInt64(values.count)) + values.flatMap(Self.text))
  }
  mutating func add(_ key: String, _ values: [Int32]) {
    add(
      key, type: 9,
      littleEndian(UInt32(5)) + littleEndian(UInt64(values.count)) + values.flatMap { littleEndian($0) })
  }

  /// An F32 tensor; `shape` outermost first.
  mutating func tensor(_ name: String, shape: [Int], _ values: [Float]) {
    tensors.append(
      (name, shape.reversed().map { UInt64($0) }, 0, values.flatMap { littleEndian($0.bitPattern) }))
  }

  func bytes() -> [UInt8] {
    var header = Array("GGUF".utf8) + littleEndian(version)
    header +=
      littleEndian(tensorCount ?? UInt64(tensors.count)) + littleEndian(entryCount ?? UInt64(entries.count))
    for entry in entries { header += entry }
    var data: [UInt8] = []
    for (index, tensor) in tensors.enumerated() {
      header += Self.text(tensor.name) + littleEndian(UInt32(tensor.dimensions.count))
      header += tensor.dimensions.flatMap { littleEndian($0) } + littleEndian(tensor.type)
      header += littleEndian(offsets[index] ?? UInt64(data.count))
      data += tensor.data
      while data.count % alignment != 0 { data.append(0) }
    }
    if !tensors.isEmpty { while header.count % alignment != 0 { header.append(0) } }
    return header + data
  }
}

/// What an operation throws, as text; nil when it throws nothing.
func failure(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch { return "\(error)" }
}

/// All lines of `plumb inspect`.
func inspect(_ path: String) throws -> [String] {
  let found = try inspection(of: path)
  return try found.lines + found.nonFiniteLines()
}

/// A small generator for test data: SplitMix64.
struct TestRandom {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
  mutating func float() -> Float { Float(below(20_001) - 10_000) / 8192 }
}

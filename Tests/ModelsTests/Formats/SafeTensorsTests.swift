import Glibc
import JSON
import ModelFileBuilders
import Models
import System
import TestFolder
import Testing

@Suite struct SafeTensorsTests {
  let directory = TemporaryFolder()

  @Test func `what is written is read back, bit for bit`() throws {
    let a: [Float] = [1, -2.5, .leastNonzeroMagnitude, 3e38, -0.0, 7]
    // 1, 1.015625, 0.30078125
    let b: [UInt16] = [0x3F80, 0x3F82, 0x3E9A]
    let path = "\(directory.path)/m.safetensors"
    try a.withUnsafeBytes { a in
      try b.withUnsafeBytes { b in
        try writeSafeTensors(
          [
            SafeTensorsOutput(name: "z", shape: [2, 3], dtype: .f32, bytes: a),
            SafeTensorsOutput(name: "a", shape: [3], dtype: .bf16, bytes: b),
          ], to: path)
      }
    }
    let file = try SafeTensorsFile(path)
    #expect(file.names == ["z", "a"])
    #expect(file.header.dataStart % 8 == 0)
    #expect(file.header.metadata.map { "\($0.key)=\($0.value)" } == ["format=pt"])
    #expect(try file.shape(of: "z") == [2, 3])
    #expect(try file.floats("z").map(\.bitPattern) == a.map(\.bitPattern))
    #expect(try file.floats("a") == [1, 1.015625, 0.30078125])
  }

  @Test func `writing twice gives the same bytes, and no partial file stays`() throws {
    let values = [Float](repeating: 0.25, count: 400_000)
    func write(_ name: String) throws -> [UInt8] {
      try values.withUnsafeBytes { values in
        try writeSafeTensors(
          [SafeTensorsOutput(name: "w", shape: [400_000], dtype: .f32, bytes: values)],
          to: "\(directory.path)/\(name)")
      }
      return try readSmallFile("\(directory.path)/\(name)", limit: 1 << 24)
    }
    #expect(try write("one") == write("two"))
    #expect(try !File.names(in: directory.path).contains { $0.hasSuffix(".tmp") })
  }

  @Test func `a failing producer leaves no file behind`() throws {
    struct Stop: Error {}
    let path = "\(directory.path)/never"
    let output = SafeTensorsOutput(name: "w", shape: [4], dtype: .f32) { emit in
      try [UInt8](repeating: 0, count: 8).withUnsafeBytes { try emit($0) }
      throw Stop()
    }
    #expect(throws: Stop.self) { try writeSafeTensors([output], to: path) }
    #expect(try !File.names(in: directory.path).contains { $0.hasPrefix("never") })
  }

  @Test func `the system's refusal carries its errno`() {
    #expect { try DurableFile("/nonexistent-directory/x") } throws: { ($0 as? SystemError)?.code == ENOENT }
    #expect { try MappedFile("/nonexistent-file") } throws: {
      ($0 as? FormatError)?.problem == "cannot open it: no such file or directory"
    }
    #expect { try writeSafeTensors([], to: "/dev/full/x") } throws: { ($0 as? SystemError)?.code == ENOTDIR }
  }

  static let one = #""dtype":"F32","shape":[1],"data_offsets":[0,4]"#
  static let four: [UInt8] = [0, 0, 0, 0]
  /// name, bytes, what the refusal must say
  static let hostile: [(String, [UInt8], String)] = [
    ("empty", [], "found an empty file"),
    ("short", [1, 0, 0], "expected a safetensors file"),
    ("length 2^63", littleEndian(UInt64(1) << 63) + [0x7B], "its length is 9223372036854775808 bytes"),
    ("length all ones", littleEndian(UInt64.max), "its length is 18446744073709551615 bytes"),
    ("length over the cap", littleEndian(UInt64(100_000_001)) + [0x7B], "more than the 100000000 allowed"),
    ("length past the end", littleEndian(UInt64(3)) + [0x7B, 0x7D], "the file has only 2 after it"),
    ("not an object", safeTensors("[]"), "expected `{` as the first byte"),
    ("leading space", safeTensors(" {}"), "expected `{` as the first byte"),
    ("cut JSON", safeTensors("{\"a\""), "not strict JSON"),
    ("not UTF-8", littleEndian(UInt64(6)) + [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x7D], "not valid UTF-8"),
    ("text after", safeTensors("{}x"), "unexpected text after the value"),
    ("duplicate name", safeTensors("{\"a\":{\(one)},\"a\":{\(one)}}", data: four), "duplicate key `a`"),
    ("duplicate field", safeTensors(#"{"a":{"dtype":"F32","dtype":"F32"}}"#), "duplicate key `dtype`"),
    ("deep nesting", safeTensors("{\"a\":" + String(repeating: "[", count: 100_000)), "nested deeper"),
    ("tensor not an object", safeTensors(#"{"a":1}"#), "tensor `a`: expected an object"),
    ("unknown field", safeTensors(#"{"a":{"x":1}}"#), "unknown key `x`"),
    ("no dtype", safeTensors(#"{"a":{"shape":[],"data_offsets":[0,4]}}"#), "`dtype`: expected a string"),
    (
      "unknown dtype", safeTensors(#"{"a":{"dtype":"F33","shape":[],"data_offsets":[0,4]}}"#),
      "dtype `F33` is unknown"
    ),
    ("no shape", safeTensors(#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#), "`shape`: expected a list"),
    (
      "negative dimension", safeTensors(#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#),
      "`shape`"
    ),
    (
      "fractional dimension", safeTensors(#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#),
      "`shape`"
    ),
    (
      "dimension 2^64",
      safeTensors(#"{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}"#), "`shape`"
    ),
    (
      "product overflows",
      safeTensors(#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#),
      "out of range"
    ),
    (
      "product overflows only with the element size",
      safeTensors(#"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#),
      "out of range"
    ),
    (
      "product overflows beside a zero",
      safeTensors(#"{"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}"#),
      "out of range"
    ),
    ("one offset", safeTensors(#"{"a":{"dtype":"F32","shape":[],"data_offsets":[0]}}"#), "expected two"),
    (
      "offsets reversed", safeTensors(#"{"a":{"dtype":"F32","shape":[],"data_offsets":[4,0]}}"#, data: four),
      "4 is after 0"
    ),
    (
      "negative offset", safeTensors(#"{"a":{"dtype":"F32","shape":[],"data_offsets":[-4,0]}}"#, data: four),
      "expected two"
    ),
    (
      "past the end", safeTensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: four),
      "the file has 4 bytes of data"
    ),
    (
      "offset 2^63-1",
      safeTensors(
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}}"#),
      "the file has 0"
    ),
    (
      "size mismatch", safeTensors(#"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}}"#, data: four),
      "F16 of shape [1] takes 2"
    ),
    (
      "half a byte", safeTensors(#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, data: [0, 0]),
      "F4 of shape [3] takes 12 bits, not a whole number of bytes"
    ),
    (
      "gap at the start", safeTensors(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, data: four),
      "a gap of 2 bytes"
    ),
    (
      "bytes at the end", safeTensors(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, data: four),
      "2 bytes at the end belong to no tensor"
    ),
    ("bytes without tensors", safeTensors("{}", data: four), "4 bytes at the end"),
    (
      "overlap",
      safeTensors(
        #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
        data: four), "tensor `b`: its data overlap"
    ),
    (
      "the same data twice",
      safeTensors(
        #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
        data: four), "overlap"
    ),
    ("metadata not an object", safeTensors(#"{"__metadata__":[]}"#), "`__metadata__`: expected an object"),
    ("metadata not a string", safeTensors(#"{"__metadata__":{"a":1}}"#), "`a`: expected a string"),
    (
      "LFS pointer", Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8),
      "a Git LFS pointer"
    ),
    ("HTML", Array("<!DOCTYPE html><html></html>".utf8), "an HTML page"),
    (
      "zip", [0x50, 0x4B, 3, 4] + [UInt8](repeating: 1, count: 20),
      "a zip archive, as `torch.save` writes it; Plumb reads it under the name `pytorch_model.bin`"
    ),
    ("pickle", [0x80, 2, 0x8A, 1, 1, 1, 1, 1, 1, 1], "a Python pickle"),
    ("gzip", [0x1F, 0x8B, 8, 0, 1, 1, 1, 1, 1, 1], "a gzip archive"),
    ("terminal escape in a name", safeTensors(#"{"\u001b[31m\u202ea":1}"#), #"tensor `\u{1b}[31m\u{202e}a`"#),
  ]

  @Test(arguments: hostile)
  func `refuses a hostile file with the rule it broke`(name: String, bytes: [UInt8], message: String) throws {
    let path = try directory.file("x.safetensors", bytes)
    let found = try #require(failure { _ = try SafeTensorsFile(path) }, "\(name) was accepted")
    #expect(found.contains(message), "\(name)")
    #expect(found.contains(path), "\(name): the file is named")
  }

  @Test func `a header of millions of values is refused quickly`() throws {
    let header = "{\"a\":[" + String(repeating: "0,", count: 3_000_000) + "0]}"
    let path = try directory.file("x", safeTensors(header))
    let seconds = processorSeconds {
      #expect(failure { _ = try SafeTensorsFile(path) }?.contains("more than 600000 values") == true)
    }
    #expect(seconds < 3)
  }

  @Test func `a file cut at any byte is refused`() throws {
    let header =
      #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}"#
    let bytes = safeTensors(header, data: Self.four)
    for length in 0..<bytes.count {
      let path = try directory.file("cut", Array(bytes[..<length]))
      #expect(failure { _ = try SafeTensorsFile(path) } != nil, "\(length) bytes")
    }
    let path = try directory.file("whole", bytes)
    #expect(failure { _ = try SafeTensorsFile(path) } == nil)
  }

  @Test func `tensors may be listed in another order than their data, and be empty`() throws {
    let header =
      #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]},"e":{"dtype":"F32","shape":[0,5],"data_offsets":[3,3]},"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#
    let file = try SafeTensorsFile(try directory.file("x", safeTensors(header, data: [1, 2, 3, 4])))
    #expect(Array(try file.rawBytes("b")) == [4])
    #expect(try file.floats("e") == [])
    #expect(
      failure { _ = try file.floats("a") }?.contains("stored as U8, which is not read") == true)
    #expect(failure { _ = try file.floats("c") }?.contains("no tensor of this name") == true)
  }

  @Test(arguments: [
    ("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("I32", 4), ("I16", 2), ("I8", 1),
    ("U64", 8),
    ("U32", 4), ("U16", 2), ("U8", 1), ("BOOL", 1), ("C64", 8), ("F8_E4M3", 1), ("F8_E5M2", 1),
    ("F8_E8M0", 1),
    ("F8_E4M3FNUZ", 1), ("F8_E5M2FNUZ", 1),
  ])
  func `every type is known by its size, and those of real numbers are read`(dtype: String, size: Int) throws
  {
    let header = "{\"a\":{\"dtype\":\"\(dtype)\",\"shape\":[3],\"data_offsets\":[0,\(3 * size)]}}"
    let path = try directory.file("x", safeTensors(header, data: [UInt8](repeating: 0, count: 3 * size)))
    let file = try SafeTensorsFile(path)
    #expect(try file.byteCount(of: "a") == 3 * size)
    if ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"].contains(dtype) {
      #expect(try file.floats("a") == [0, 0, 0])
    } else {
      #expect(
        failure { _ = try file.floats("a") }?.contains("stored as \(dtype), which is not read")
          == true)
    }
  }

  @Test func `types of less than a byte are known by their size`() throws {
    for (dtype, byteCount) in [("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6)] {
      let header = "{\"a\":{\"dtype\":\"\(dtype)\",\"shape\":[2,4],\"data_offsets\":[0,\(byteCount)]}}"
      let path = try directory.file("x", safeTensors(header, data: [UInt8](repeating: 0, count: byteCount)))
      #expect(try SafeTensorsFile(path).byteCount(of: "a") == byteCount)
    }
  }

  @Test func `a directory and a FIFO are refused without waiting`() throws {
    #expect(failure { _ = try SafeTensorsFile(directory.path) }?.contains("found a directory") == true)
    mkfifo("\(directory.path)/fifo", 0o600)
    #expect(
      failure { _ = try SafeTensorsFile("\(directory.path)/fifo") }?.contains("found a named pipe") == true)
  }
}

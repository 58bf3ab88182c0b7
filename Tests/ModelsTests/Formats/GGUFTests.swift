import Glibc
import JSON
import ModelFileBuilders
import Models
import TestFolder
import Testing

@Suite struct GGUFTests {
  let directory = TemporaryFolder()

  static func good() -> GGUFBuilder {
    var builder = GGUFBuilder()
    builder.add("general.architecture", "llama")
    builder.add("u8", type: 0, [255])
    builder.add("i8", type: 1, [0xFE])
    builder.add("u16", type: 2, littleEndian(UInt16(65_535)))
    builder.add("i16", type: 3, littleEndian(Int16(-2)))
    builder.add("i32", type: 5, littleEndian(Int32(-3)))
    builder.add("u64", type: 10, littleEndian(UInt64.max))
    builder.add("i64", type: 11, littleEndian(Int64.min))
    builder.add("f32", Float(1e-5))
    builder.add("f64", type: 12, littleEndian(Double(0.1).bitPattern))
    builder.add("flag", true)
    builder.add("names", ["a", "", "é"])
    builder.add("numbers", [1, -2, 3])
    // An array of two arrays of bytes.
    let inner = littleEndian(UInt32(0)) + littleEndian(UInt64(2)) + [1, 2]
    builder.add("nested", type: 9, littleEndian(UInt32(9)) + littleEndian(UInt64(2)) + inner + inner)
    builder.tensor("w", shape: [2, 3], [1, 2, 3, 4, 5, 6])
    builder.tensor("v", shape: [1], [7])
    return builder
  }

  @Test(arguments: [2, 3] as [UInt32])
  func `reads every type of metadata and the tensors`(version: UInt32) throws {
    var builder = Self.good()
    builder.version = version
    let file = try GGUFFile(try directory.file("x.gguf", builder.bytes()))
    #expect(file.version == version)
    #expect(try file.integer("u8") == 255)
    #expect(try file.integer("i8") == -2)
    #expect(try file.integer("u16") == 65_535)
    #expect(try file.integer("i16") == -2)
    #expect(try file.integer("i32") == -3)
    #expect(try file.integer("i64") == Int.min)
    #expect(
      failure { _ = try file.integer("u64") }?.contains("metadata `u64`: the integer is out of range") == true
    )
    #expect(try file.number("f32") == 1e-5)
    #expect(try file.number("f64") == 0.1)
    #expect(try file.bool("flag") == true)
    #expect(try file.strings("names") == ["a", "", "é"])
    #expect(try file.integers("numbers") == [1, -2, 3])
    #expect(try file.string("absent") == nil)
    #expect(failure { _ = try file.string("flag") }?.contains("expected a string, found a boolean") == true)
    #expect(failure { _ = try file.integers("names") }?.contains("expected an array of integers") == true)
    #expect(file.names == ["w", "v"])
    #expect(try file.shape(of: "w") == [2, 3])
    #expect(try file.floats("w") == [1, 2, 3, 4, 5, 6])
    #expect(try file.floats("v") == [7])
  }

  static func changed(_ change: (inout GGUFBuilder) -> Void) -> [UInt8] {
    var builder = good()
    change(&builder)
    return builder.bytes()
  }

  static func withTensor(_ dimensions: [UInt64], type: UInt32 = 0, data: [UInt8] = []) -> [UInt8] {
    withTensor("t", dimensions, type: type, data: data)
  }

  static func withTensor(_ name: String, _ dimensions: [UInt64], type: UInt32 = 0, data: [UInt8] = [])
    -> [UInt8]
  {
    var builder = GGUFBuilder()
    builder.tensors.append((name, dimensions, type, data))
    return builder.bytes()
  }

  static let huge = UInt64(1) << 63
  static let hostile: [(String, [UInt8], String)] = [
    ("empty", [], "found an empty file"),
    ("other magic", Array("GGML\u{3}\u{0}\u{0}\u{0}".utf8), "expected a GGUF file"),
    ("LFS pointer", Array("version https://git-lfs.github.com/spec/v1\n".utf8), "a Git LFS pointer"),
    ("HTML", Array("\n<html>".utf8), "an HTML page"),
    ("version 1", changed { $0.version = 1 }, "version 1; only 2 and 3 are read"),
    ("version 4", changed { $0.version = 4 }, "version 4; only 2 and 3 are read"),
    ("big endian", changed { $0.version = UInt32(3).byteSwapped }, "a big-endian file"),
    ("2^63 tensors", changed { $0.tensorCount = huge }, "the number of tensors is 9223372036854775808"),
    ("2^64-1 tensors", changed { $0.tensorCount = .max }, "the number of tensors is 18446744073709551615"),
    ("too many tensors", changed { $0.tensorCount = 1 << 32 }, "the number of tensors is 4294967296"),
    (
      "2^63 entries", changed { $0.entryCount = huge },
      "the number of metadata entries is 9223372036854775808"
    ),
    ("more tensors than there are", changed { $0.tensorCount = 3 }, "tensor"),
    ("more entries than there are", changed { $0.entryCount = 17 }, "the length of a key is"),
    ("empty key", changed { $0.add("", UInt32(1)) }, "a key has 0 bytes"),
    (
      "long key", changed { $0.add(String(repeating: "k", count: 65_536), UInt32(1)) },
      "a key has 65536 bytes"
    ),
    (
      "key of 2^63 bytes", changed { $0.entries.append(littleEndian(huge)) },
      "the length of a key is 9223372036854775808"
    ),
    (
      "key not UTF-8",
      changed { $0.entries.append(littleEndian(UInt64(1)) + [0xFF] + littleEndian(UInt32(0)) + [1]) },
      "a key is not valid UTF-8"
    ),
    ("key twice", changed { $0.add("flag", true) }, "metadata `flag`: the key appears twice"),
    ("unknown value type", changed { $0.add("k", type: 13, [0, 0, 0, 0]) }, "a value's type is 13"),
    ("boolean 2", changed { $0.add("k", type: 7, [2]) }, "a boolean is 2, not 0 or 1"),
    (
      "boolean 2 in an array",
      changed { $0.add("k", type: 9, littleEndian(UInt32(7)) + littleEndian(UInt64(1)) + [2]) },
      "a boolean is 2"
    ),
    (
      "string of 2^63 bytes", changed { $0.add("k", type: 8, littleEndian(huge)) },
      "the length of a string is 9223372036854775808"
    ),
    (
      "string not UTF-8", changed { $0.add("k", type: 8, littleEndian(UInt64(2)) + [0xC3, 0x28]) },
      "a string is not valid UTF-8"
    ),
    (
      "array of 2^63", changed { $0.add("k", type: 9, littleEndian(UInt32(0)) + littleEndian(huge)) },
      "an array's length is 9223372036854775808"
    ),
    (
      "array of 2^61 8-byte values",
      changed { $0.add("k", type: 9, littleEndian(UInt32(10)) + littleEndian(UInt64(1) << 61)) },
      "an array's length is"
    ),
    (
      "array of 2^60 strings",
      changed { $0.add("k", type: 9, littleEndian(UInt32(8)) + littleEndian(UInt64(1) << 60)) },
      "an array's length is"
    ),
    (
      "unknown element type",
      changed { $0.add("k", type: 9, littleEndian(UInt32(99)) + littleEndian(UInt64(0))) },
      "an array's element type is 99"
    ),
    (
      "arrays in arrays in arrays",
      changed {
        let open = littleEndian(UInt32(9)) + littleEndian(UInt64(1))
        $0.add("k", type: 9, open + open + open + open + littleEndian(UInt32(0)) + littleEndian(UInt64(0)))
      }, "arrays nested deeper than 4"
    ),
    (
      "alignment 0", changed { $0.add("general.alignment", UInt32(0)) },
      "`general.alignment`: expected a power of two"
    ),
    ("alignment 12", changed { $0.add("general.alignment", UInt32(12)) }, "expected a power of two"),
    ("alignment as text", changed { $0.add("general.alignment", "32") }, "expected a power of two"),
    (
      "alignment past the end", changed { $0.add("general.alignment", UInt32(1 << 31)) },
      "the file ends before the tensor data"
    ),
    (
      "alignment 2^63", changed { $0.add("general.alignment", type: 10, littleEndian(huge)) },
      "expected a power of two"
    ),
    (
      "alignment 2^62", changed { $0.add("general.alignment", type: 10, littleEndian(UInt64(1) << 62)) },
      "the file ends before the tensor data"
    ),
    ("empty tensor name", withTensor("", [1], data: [0, 0, 0, 0]), "a tensor's name has 0 bytes"),
    (
      "long tensor name", withTensor(String(repeating: "n", count: 65), [1], data: [0, 0, 0, 0]),
      "a tensor's name has 65 bytes"
    ),
    ("tensor name twice", changed { $0.tensor("w", shape: [1], [1]) }, "tensor `w`: the name appears twice"),
    ("no dimensions", withTensor([], data: [UInt8](repeating: 0, count: 8)), "0 dimensions"),
    ("five dimensions", withTensor([1, 1, 1, 1, 1]), "5 dimensions"),
    ("zero dimension", withTensor([4, 0]), "has a zero"),
    ("dimension 2^63", withTensor([huge]), "out of range"),
    ("product wraps to zero", withTensor([1 << 32, 1 << 32]), "out of range"),
    ("product wraps to small", withTensor([(1 << 32) + 1, (1 << 32) + 1]), "out of range"),
    (
      "bytes overflow", withTensor([1 << 62]),
      "the size in bytes of shape [4611686018427387904] is out of range"
    ),
    ("unknown element type", withTensor([1], type: 4), "element type 4 is unknown"),
    ("element type 2^32-1", withTensor([1], type: .max), "element type 4294967295 is unknown"),
    (
      "row not of whole blocks", withTensor([33, 2], type: 8, data: [UInt8](repeating: 0, count: 80)),
      "not a whole number of Q8_0 blocks of 32"
    ),
    ("data past the end", withTensor([1000], data: [0, 0, 0, 0]), "its data, 4000 bytes from byte"),
    ("offset 2^63", changed { $0.offsets[1] = huge }, "its data offset is 9223372036854775808, expected 32"),
    ("offset inside the other's data", changed { $0.offsets[1] = 0 }, "its data offset is 0, expected 32"),
    ("offset not aligned", changed { $0.offsets[1] = 24 }, "its data offset is 24, expected 32"),
    ("gap", changed { $0.offsets[1] = 64 }, "its data offset is 64, expected 32"),
    (
      "too many tensors",
      changed {
        $0.tensorCount = 100_001
        $0.add("padding", String(repeating: " ", count: 32 * 100_001))
      }, "the number of tensors is 100001; at most 100000 are read"
    ),
    (
      "too many entries",
      changed {
        $0.entryCount = 10_001
        $0.add("padding", String(repeating: " ", count: 14 * 10_001))
      }, "the number of metadata entries is 10001; at most 10000 are read"
    ),
    (
      "too many strings in two arrays",
      changed {
        $0.add("first", ["a", "b"])
        let count = 2_499_999
        $0.add(
          "second", type: 9,
          littleEndian(UInt32(8)) + littleEndian(UInt64(count)) + [UInt8](repeating: 0, count: 8 * count))
      }, "metadata `second`: with this array more than 2500000 elements of arrays"
    ),
  ]

  @Test(arguments: hostile)
  func `refuses a hostile file with the rule it broke`(name: String, bytes: [UInt8], message: String) throws {
    let path = try directory.file("x.gguf", bytes)
    var found: String?
    let seconds = processorSeconds { found = failure { _ = try GGUFFile(path) } }
    #expect(found?.contains(message) == true, "\(name): \(found ?? "accepted")")
    #expect(seconds < 1, "\(name)")
  }

  @Test func `a file cut at any byte is refused`() throws {
    var builder = Self.good()
    // Without padding after the last tensor, which may be missing.
    builder.tensors[1] = ("v", [8], 0, [UInt8](repeating: 1, count: 32))
    let bytes = builder.bytes()
    for length in 0..<bytes.count {
      let path = try directory.file("cut", Array(bytes[..<length]))
      #expect(failure { _ = try GGUFFile(path) } != nil, "\(length) bytes")
    }
    let path = try directory.file("whole", bytes)
    #expect(failure { _ = try GGUFFile(path) } == nil)
  }

  @Test func `any damaged byte is refused or read, never a trap`() throws {
    let bytes = Self.good().bytes()
    var random = TestRandom(state: 1)
    for position in 0..<bytes.count {
      for _ in 0..<3 {
        var damaged = bytes
        damaged[position] = UInt8(random.below(256))
        let path = try directory.file("damaged", damaged)
        _ = failure {
          let file = try GGUFFile(path)
          for name in file.names { _ = try file.floats(name) }
          _ = try file.strings("names")
          _ = try file.integers("numbers")
          _ = try inspect(path)
        }
      }
    }
  }

  /// A file of which only the length is on the disk.
  @Test func `a header of gigabytes is not read`() throws {
    var builder = GGUFBuilder()
    builder.add("a", type: 8, littleEndian(UInt64(8) << 30))
    let path = try directory.file("x.gguf", builder.bytes())
    #expect(truncate(path, 9 << 30) == 0)
    #expect(
      failure { _ = try GGUFFile(path) }?.contains(
        "the length of a string is 8589934592, but only 99999955 bytes of the 100000000 bytes that a header may have follow"
      ) == true)
  }

  @Test func `a type that is not decoded is named`() throws {
    let path = try directory.file(
      "x", Self.withTensor([256], type: 15, data: [UInt8](repeating: 0, count: 292)))
    let file = try GGUFFile(path)
    #expect(
      failure { _ = try file.floats("t") }?.contains(
        "tensor `t`: stored as Q8_K, which is not read; F32, F16") == true)
  }

  @Test func `the padding after the last tensor may be missing`() throws {
    var bytes = Self.good().bytes()
    bytes.removeLast(28)
    #expect(try GGUFFile(try directory.file("x", bytes)).floats("v") == [7])
  }
}

// PyTorch files that break a rule: of the archive, of the pickle, of what the pickle describes.

import Glibc
import ModelFileBuilders
import Models
import TestFolder
import Testing

@Suite struct HostilePyTorchTests {
  let directory = TemporaryFolder()

  private func refusal(_ bytes: [UInt8]) throws -> String? {
    let path = try directory.file("x.bin", bytes)
    return failure { _ = try PyTorchFile(path) }
  }

  // MARK: the archive

  private static func archive(
    isZip64: Bool = false, _ change: (inout [UInt8], ZipBuilder.Layout) -> Void = { _, _ in }
  ) -> [UInt8] {
    var zip = ZipBuilder()
    zip.isZip64 = isZip64
    zip.add("m/data.pkl", Pickle.whole([0x7D]))
    zip.add("m/data/0", [1, 2, 3, 4])
    zip.add("m/byteorder", Array("little".utf8))
    var (bytes, layout) = zip.build()
    change(&bytes, layout)
    return bytes
  }

  private static func set<T: FixedWidthInteger>(_ bytes: inout [UInt8], _ offset: Int, _ value: T) {
    bytes.replaceSubrange(offset..<offset + T.bitWidth / 8, with: littleEndian(value))
  }

  /// name, bytes, what the refusal must say
  static let archives: [(String, [UInt8], String)] = [
    (
      "compressed", archive { set(&$0, $1.entries[1] + 10, UInt16(8)) },
      "`m/data/0`: compressed (method 8); only stored"
    ),
    (
      "compressed by its local header", archive { set(&$0, $1.headers[1] + 8, UInt16(8)) },
      "contradicts the directory"
    ),
    (
      "encrypted", archive { set(&$0, $1.entries[1] + 8, UInt16(0x0801)) },
      "encrypted, patched or in several parts"
    ),
    ("another disk", archive { set(&$0, $1.entries[1] + 34, UInt16(1)) }, "in several parts"),
    ("an archive of two disks", archive { set(&$0, $1.end + 4, UInt16(1)) }, "an archive in several parts"),
    ("counts that differ", archive { set(&$0, $1.end + 8, UInt16(2)) }, "an archive in several parts"),
    ("cut", Array(archive().dropLast()), "the file is cut short, or something was added"),
    ("added", archive() + [0], "the file is cut short, or something was added"),
    (
      "comment",
      archive { bytes, layout in
        set(&bytes, layout.end + 20, UInt16(1))
        bytes.append(0x78)
      }, "the file is cut short, or something was added"
    ),
    ("a comment's length", archive { set(&$0, $1.end + 20, UInt16(1)) }, "a comment of the archive"),
    (
      "directory too early", archive { set(&$0, $1.end + 16, UInt32($1.entries[0] - 1)) },
      "has to end at byte"
    ),
    ("directory past the end", archive { set(&$0, $1.end + 16, UInt32.max - 1) }, "has to end at byte"),
    ("directory too long", archive { set(&$0, $1.end + 12, UInt32.max - 1) }, "has to end at byte"),
    (
      "fewer members",
      archive { bytes, layout in
        set(&bytes, layout.end + 8, UInt16(2))
        set(&bytes, layout.end + 10, UInt16(2))
      }, "bytes follow its 2 members"
    ),
    (
      "more members",
      archive { bytes, layout in
        set(&bytes, layout.end + 8, UInt16(9))
        set(&bytes, layout.end + 10, UInt16(9))
      }, "zip member 3: it ends inside a signature"
    ),
    ("no entry", archive { set(&$0, $1.entries[1], UInt32(0)) }, "the directory has no entry here"),
    ("name past the end", archive { set(&$0, $1.entries[2] + 28, UInt16.max) }, "ends inside the name"),
    (
      "extra past the end", archive { set(&$0, $1.entries[2] + 30, UInt16.max) },
      "ends inside the extra field"
    ),
    ("name not UTF-8", archive { $0[$1.entries[1] + 46] = 0xFF }, "the name is not valid UTF-8"),
    (
      "another local name", archive { $0[$1.headers[1] + 30] = 0x6E },
      "its local header contradicts the directory"
    ),
    ("another local size", archive { set(&$0, $1.headers[1] + 18, UInt32(3)) }, "contradicts the directory"),
    (
      "packed and plain size", archive { set(&$0, $1.entries[1] + 20, UInt32(3)) },
      "3 bytes are said to hold 4"
    ),
    (
      "no local header", archive { set(&$0, $1.entries[1] + 42, UInt32($1.headers[1] + 1)) },
      "no local header where the directory says"
    ),
    (
      "local header in the directory", archive { set(&$0, $1.entries[1] + 42, UInt32($1.entries[0])) },
      "ends inside the local header"
    ),
    (
      "offset past the end", archive { set(&$0, $1.entries[1] + 42, UInt32.max - 1) },
      "ends inside the local header"
    ),
    (
      "data past the directory",
      archive { bytes, layout in
        for place in [
          layout.headers[2] + 18, layout.headers[2] + 22, layout.entries[2] + 20, layout.entries[2] + 24,
        ] {
          set(&bytes, place, UInt32(7))
        }
      }, "its 7 bytes do not end before the directory"
    ),
    ("zip64 without its record", archive { set(&$0, $1.end + 16, UInt32.max) }, "has to end at byte"),
    (
      "zip64 contradicted", archive(isZip64: true) { set(&$0, $1.end + 12, UInt32(5)) },
      "it contradicts the zip64 record"
    ),
    (
      "zip64 record elsewhere", archive(isZip64: true) { set(&$0, $1.end - 12, UInt64(0)) },
      "not that of one archive"
    ),
    (
      "zip64 record gone", archive(isZip64: true) { set(&$0, $1.end64, UInt32(0)) },
      "is not before its locator"
    ),
    (
      "zip64 count of 2^63",
      archive(isZip64: true) { bytes, layout in
        set(&bytes, layout.end64 + 24, UInt64(1) << 63)
        set(&bytes, layout.end64 + 32, UInt64(1) << 63)
      }, "9223372036854775808 members; at most 200000"
    ),
    (
      "zip64 size of 2^64 - 1", archive(isZip64: true) { set(&$0, $1.end64 + 40, UInt64.max) },
      "has to end at byte"
    ),
    (
      "zip64 offset of 2^64 - 1", archive(isZip64: true) { set(&$0, $1.end64 + 48, UInt64.max) },
      "has to end at byte"
    ),
    (
      "zip64 field too short", archive(isZip64: true) { set(&$0, $1.entries[0] + 46 + 10 + 2, UInt16(16)) },
      "the zip64 field ends inside a size"
    ),
    (
      "zip64 member of 2^63",
      archive(isZip64: true) { bytes, layout in
        let sizes = layout.entries[1] + 46 + 8 + 4
        set(&bytes, sizes, UInt64(1) << 63)
        set(&bytes, sizes + 8, UInt64(1) << 63)
      }, "its 9223372036854775808 bytes do not end"
    ),
    (
      "zip64 member at 2^63",
      archive(isZip64: true) { set(&$0, $1.entries[1] + 46 + 8 + 4 + 16, UInt64(1) << 63) }, "is out of range"
    ),
    ("a name twice", named("m/data.pkl", "m/data.pkl"), "the name appears twice"),
    ("two pickles", named("m/data.pkl", "n/data.pkl"), "2 members `NAME/data.pkl`"),
    ("no pickle", named("m/data.txt", "m/x/data.pkl", "data.pkl", "/data.pkl"), "0 members `NAME/data.pkl`"),
    ("overlap", overlapping(), "`b`: it overlaps `a`"),
    (
      "big endian", named("m/data.pkl", "m/byteorder"),
      "`m/byteorder`: the byte order is"
    ),
    ("LFS pointer", Array("version https://git-lfs.github.com/spec/v1\n".utf8), "a Git LFS pointer"),
    ("HTML", Array("<!DOCTYPE html><html></html>".utf8), "an HTML page"),
    ("safetensors", safeTensors("{}"), "found a safetensors file"),
    ("pickle", [0x80, 2, 0x7D, 0x2E], "a Python pickle without the zip archive"),
    ("empty", [], "found an empty file"),
  ]

  private static func named(_ names: String...) -> [UInt8] {
    var zip = ZipBuilder()
    for name in names { zip.add(name, Pickle.whole([0x7D])) }
    return zip.bytes()
  }

  /// The second member's header and bytes are bytes of the first.
  private static func overlapping() -> [UInt8] {
    var inner = ZipBuilder()
    inner.add("b", [7])
    let header = Array(inner.bytes().prefix(32))
    var zip = ZipBuilder()
    zip.add("a", header)
    zip.add("b", [7])
    var (bytes, layout) = zip.build()
    set(&bytes, layout.entries[1] + 42, UInt32(31))
    return bytes
  }

  @Test(arguments: archives)
  func `an archive is refused with the rule it broke`(name: String, bytes: [UInt8], message: String) throws {
    let found = try #require(try refusal(bytes), "\(name) was accepted")
    #expect(found.contains(message), "\(name)")
    #expect(found.contains("x.bin"), "\(name): the file is named")
  }

  @Test func `archives with the fields of large files are read`() throws {
    for isZip64 in [false, true] {
      let path = try directory.file("x.bin", Self.archive(isZip64: isZip64))
      #expect(try PyTorchFile(path).names.isEmpty)
    }
  }

  // MARK: the pickle

  private static let tensor = Pickle.tensor(Pickle.storage("FloatStorage", "0", 1), shape: [1], strides: [1])
  private static func one(
    _ shape: [Int], _ strides: [Int], type: String = "FloatStorage", key: String = "0", count: Int = 1,
    offset: Int = 0
  ) -> [UInt8] {
    Pickle.dictionary([
      ("w", Pickle.tensor(Pickle.storage(type, key, count), offset: offset, shape: shape, strides: strides))
    ])
  }
  private static let big = Int.max / 2

  /// A tensor with metadata.
  private static func signed(_ metadata: [UInt8]) -> [UInt8] {
    // The call's arguments end before the last two opcodes.
    Pickle.dictionary([("w", tensor.dropLast(2) + metadata + tensor.suffix(2))])
  }

  /// name, body of the pickle, what the refusal must say
  static let pickles: [(String, [UInt8], String)] = [
    (
      "os.system", Pickle.global("os", "system") + Pickle.tuple([Pickle.string("true")]) + [0x52],
      "`os.system` is not one of the names"
    ),
    ("builtins.eval", Pickle.global("builtins", "eval"), "(at byte 42)"),
    (
      "a name of another module", Pickle.global("torch._utils", "OrderedDict"),
      "`torch._utils.OrderedDict` is not one"
    ),
    ("a global of two lines", Pickle.global("torch\nx", "FloatStorage"), "`torch.x` is not one of the names"),
    ("an escape in a global", Pickle.global("torch", "\u{1b}[31m"), #"`torch.\u{1b}[31m`"#),
    ("a global not UTF-8", [0x63, 0xFF, 0x0A, 0x61, 0x0A], "not valid UTF-8"),
    ("a global of two lookalikes", Pickle.global("to\u{301}rch", "FloatStorage"), "is not one of the names"),
    (
      "a global without an end", [0x63] + [UInt8](repeating: 0x61, count: 70_000), "has more than 1024 bytes"
    ),
    (
      "a global on the stack", Pickle.string("os") + Pickle.string("system") + [0x93],
      "`os.system` is not one of the names"
    ),
    ("a global of numbers", [0x4B, 1, 0x4B, 1, 0x93], "expected a name, found an integer"),
    ("a call of a string", Pickle.string("x") + [0x29, 0x52], "a call of a string, which is no function"),
    ("a call of a type", Pickle.global("torch", "FloatStorage") + [0x29, 0x52], "a call of a type"),
    (
      "a call without a tuple", Pickle.global("collections", "OrderedDict") + [0x5D, 0x52],
      "expected a tuple, found a list"
    ),
    (
      "a dictionary of arguments", Pickle.global("collections", "OrderedDict") + [0x5D, 0x85, 0x52],
      "an ordered dictionary made of a list"
    ),
    ("attributes of a tensor", tensor + [0x7D, 0x62], "attributes of a tensor"),
    ("attributes that are a list", [0x7D, 0x5D, 0x62], "attributes of a dictionary"),
    (
      "a persistent id of another kind", Pickle.string("x") + [0x51],
      "a persistent id: expected a tuple, found a string"
    ),
    (
      "a persistent id of a module",
      Pickle.tuple([
        Pickle.string("module"), Pickle.global("torch", "FloatStorage"), Pickle.string("0"),
        Pickle.string("cpu"),
        Pickle.integer(1),
      ]) + [0x51], "a persistent id that is not"
    ),
    (
      "a storage's size as text",
      Pickle.tuple([
        Pickle.string("storage"), Pickle.global("torch", "FloatStorage"), Pickle.string("0"),
        Pickle.string("cpu"),
        Pickle.string("1"),
      ]) + [0x51], "a storage's size: expected an integer, found a string"
    ),
    (
      "too many storages",
      Pickle.storage("FloatStorage", "0", 1).dropLast() + [0x71, 0, 0x51]
        + [UInt8]([[UInt8]](repeating: [0x68, 0, 0x51], count: 100_000).joined()),
      "more than 100000 storages"
    ),
    ("a missing storage", one([1], [1], key: "1"), "the archive has no member `m/data/1`"),
    ("a storage above the folder", one([1], [1], key: "../data.pkl"), "no member `m/data/../data.pkl`"),
    ("a storage's size", one([1], [1], count: 2), "a storage of 2 F32, but `m/data/0` has 4 bytes"),
    ("a negative storage", one([1], [1], count: -1), "a storage of -1 F32"),
    ("a storage of 2^62", one([1], [1], count: 1 << 62), "a storage of 4611686018427387904 F32"),
    (
      "past the storage", one([2], [1]),
      "shape [2] with strides [1] from 0 does not lie inside its storage of 1 F32"
    ),
    ("offset past the storage", one([1], [1], offset: 1), "does not lie inside"),
    ("offset past the storage of an empty tensor", one([0], [1], offset: 2), "does not lie inside"),
    ("negative offset", one([1], [1], offset: -1), "a negative offset, size or stride"),
    ("negative size", one([-1], [1]), "a negative offset, size or stride"),
    ("negative stride", one([1], [-1]), "a negative offset, size or stride"),
    ("a stride missing", one([1, 1], [1]), "2 dimensions with 1 strides"),
    ("nine dimensions", one([Int](repeating: 1, count: 9), [Int](repeating: 1, count: 9)), "at most 8"),
    ("product out of range", one([1 << 32, 1 << 32], [0, 0]), "the product of shape"),
    ("product out of range beside a zero", one([0, 1 << 32, 1 << 32], [0, 0, 0]), "the product of shape"),
    ("strides out of range", one([3], [big]), "does not lie inside"),
    ("strides out of range in sum", one([2, 2, 2], [big, big, big]), "does not lie inside"),
    ("offset out of range", one([1], [1], offset: Int.max), "does not lie inside"),
    (
      "repeated without end", one([1 << 40], [0]),
      "`w`: with it the file's tensors take more than 268435456 bytes"
    ),
    (
      "bytes without a type", one([1], [1], type: "UntypedStorage", count: 4),
      "a tensor of bytes whose type is not named"
    ),
    (
      "a tensor of another sign", signed([0x7D] + Pickle.string("neg") + [0x88, 0x73]),
      "a tensor with metadata, such as `neg`"
    ),
    ("metadata of another kind", signed([0x88]), "a tensor with metadata, such as `neg`"),
    (
      "a tensor of a tensor",
      Pickle.global("torch._utils", "_rebuild_tensor_v2") + Pickle.tuple([tensor]) + [0x52], "of 1 arguments"
    ),
    (
      "a parameter of a list",
      Pickle.global("torch._utils", "_rebuild_parameter") + [0x5D, 0x88, 0x5D, 0x87, 0x52],
      "a parameter that is not made of a tensor"
    ),
    (
      "a name twice", Pickle.dictionary([("w", tensor), ("w", tensor)]), "tensor `w`: the name appears twice"
    ),
    (
      "a number for a name", [0x7D, 0x4B, 1] + tensor + [0x73],
      "a tensor's name has to be a string, found an integer"
    ),
    ("a name not UTF-8", [0x7D, 0x8C, 1, 0xFF] + tensor + [0x73], "a name is not valid UTF-8"),
    (
      "a name of 70000 bytes", Pickle.dictionary([(String(repeating: "a", count: 70_000), tensor)]),
      "a name of 70000 bytes"
    ),
    ("protocol 1", [0x80, 1], "has to begin with its protocol, and to name it once"),
    ("an empty stack", [0x85], "1 values needed, 0 on the stack"),
    ("below the mark", [0x4B, 1, 0x28, 0x85], "1 values needed, 0 on the stack"),
    (
      "a call below the mark", Pickle.global("collections", "OrderedDict") + [0x28, 0x29, 0x52],
      "1 values needed, 0 on the stack"
    ),
    ("no mark", [0x74], "no mark on the stack"),
    ("items of no dictionary", [0x5D, 0x28, 0x4E, 0x4E, 0x75], "no dictionary"),
    ("items below the mark", [0x7D, 0x28, 0x4E, 0x4E, 0x73], "no dictionary"),
    ("an item below the stack", [0x4E, 0x73], "no dictionary"),
    ("a key without a value", [0x7D, 0x28, 0x4E, 0x75], "not a key for each value"),
    ("an element of no list", [0x7D, 0x4E, 0x61], "no list to add to"),
    ("an element below the stack", [0x61], "no list to add to"),
    ("elements below the mark", [0x5D, 0x28, 0x4E, 0x61], "no list to add to"),
    ("two values", [0x7D, 0x7D], "the pickle ends with 2 values and 0 marks"),
    ("a mark left", [0x7D, 0x28], "the pickle ends with 1 values and 1 marks"),
    ("nothing", [], "the pickle ends with 0 values"),
    ("bytes after the end", [0x7D, 0x2E, 0x4E], "2 bytes follow the end"),
    (
      "a place of the memo far away", [0x7D, 0x72] + littleEndian(UInt32.max),
      "place 4294967295 of the memo, which has 0"
    ),
    ("a place of the memo that is empty", [0x68, 0], "place 0 of the memo, which has 0"),
    ("a place for nothing", [0x71, 0], "1 values needed"),
    (
      "an integer of 2^32 - 1 bytes", [0x8B] + littleEndian(UInt32.max),
      "an integer of 4294967295 bytes; at most 8"
    ),
    ("an integer of 9 bytes", [0x8A, 9] + [UInt8](repeating: 0, count: 9), "an integer of 9 bytes"),
    ("a string of 2^64 - 1 bytes", [0x8D] + littleEndian(UInt64.max), "the pickle ends inside a string"),
    ("a string of 2^32 - 1 bytes", [0x58] + littleEndian(UInt32.max), "the pickle ends inside a string"),
    ("a frame of 2^64 - 1 bytes", [0x95] + littleEndian(UInt64.max), "a frame of 18446744073709551615 bytes"),
    (
      "tensors nested twice",
      Pickle.dictionary([("a", Pickle.dictionary([("b", Pickle.dictionary([("w", tensor)]))]))]),
      "none of its keys holds a dictionary of tensors: `a`"
    ),
  ]

  private static func file(_ pickle: [UInt8]) -> [UInt8] {
    var zip = ZipBuilder()
    zip.add("m/data.pkl", pickle)
    zip.add("m/data/0", [0, 0, 0x80, 0x3F])
    return zip.bytes()
  }

  @Test(arguments: pickles)
  func `a pickle is refused with the rule it broke`(name: String, body: [UInt8], message: String) throws {
    let found = try #require(try refusal(Self.file(Pickle.whole(body))), "\(name) was accepted")
    #expect(found.contains(message), "\(name)")
  }

  @Test func `every opcode that tensors do not need is refused by its number`() throws {
    let read: Set<UInt8> = [
      0x28, 0x29, 0x2E, 0x47, 0x4A, 0x4B, 0x4D, 0x4E, 0x51, 0x52, 0x58, 0x5D, 0x61, 0x62, 0x63, 0x65, 0x68,
      0x6A, 0x71,
      0x72, 0x73, 0x74, 0x75, 0x7D, 0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8D, 0x93, 0x94,
      0x95,
    ]
    for code in UInt8.min...UInt8.max where !read.contains(code) {
      let found = try refusal(Self.file(Pickle.whole([code])))
      #expect(
        found?.contains("opcode \(code)") == true && found?.contains("(at byte 42)") == true,
        "\(found ?? "accepted")")
    }
    for version: UInt8 in [0, 1, 6, 255] {
      #expect(
        try refusal(Self.file([0x80, version, 0x7D, 0x2E]))?.contains("protocol \(version); 2 to 5") == true)
    }
    #expect(try refusal(Self.file([0x7D, 0x2E]))?.contains("has to begin with its protocol") == true)
  }

  /// name, body of the pickle; each is refused or read
  private static let expensive: [(String, [UInt8])] = [
    ("a memo of millions", [0x7D] + [UInt8](repeating: 0x94, count: 4_000_000)),
    ("millions of values", [UInt8](repeating: 0x4E, count: 4_000_000)),
    ("millions of marks", [UInt8](repeating: 0x28, count: 4_000_000)),
    ("lists in lists", [UInt8](repeating: 0x5D, count: 900_000) + [UInt8](repeating: 0x61, count: 899_999)),
    ("tuples in tuples", [0x29] + [UInt8](repeating: 0x85, count: 1_900_000)),
    ("a list in itself", [0x5D, 0x71, 0, 0x68, 0, 0x61]),
    (
      "one dictionary under many keys",
      [0x7D, 0x71, 0, 0x28] + [UInt8]([[UInt8]](repeating: [0x4E, 0x4E], count: 300_000).joined()) + [
        0x75, 0x30,
      ]
    ),
    ("many tensors of one shape", manyTensors),
    ("one long name many times", oneName),
    (
      "tuples above many values",
      [UInt8](repeating: 0x4E, count: 100_000) + [UInt8](repeating: 0x85, count: 100_000)
    ),
    ("keys of one dictionary", keysOfOne),
  ]

  /// A dictionary whose keys all hold one dictionary with as many keys.
  private static var keysOfOne: [UInt8] {
    let inner = [0x7D, 0x71, 0, 0x28] + [UInt8](repeating: 0x4E, count: 400_000) + [0x75]
    return [0x7D, 0x28, 0x4E] + inner
      + [UInt8]([[UInt8]](repeating: [0x4E, 0x68, 0], count: 400_000).joined()) + [0x75]
  }

  /// A dictionary that holds one tensor under one name again and again.
  private static var oneName: [UInt8] {
    let name = Pickle.string(String(repeating: "a", count: 1024))
    return [0x7D] + name + [0x71, 0] + tensor + [0x71, 1, 0x73, 0x28]
      + [UInt8]([[UInt8]](repeating: [0x68, 0, 0x68, 1], count: 990_000).joined()) + [0x75]
  }

  private static var manyTensors: [UInt8] {
    let parts = Pickle.tuple([
      Pickle.storage("FloatStorage", "0", 1), Pickle.integer(0),
      Pickle.integers([Int](repeating: 1, count: 8)),
      Pickle.integers([Int](repeating: 0, count: 8)), [0x89], [0x7D],
    ])
    let first = Pickle.global("torch._utils", "_rebuild_tensor_v2") + [0x71, 0] + parts + [0x71, 1, 0x52]
    return [0x28] + first + [UInt8]([[UInt8]](repeating: [0x68, 0, 0x68, 1, 0x52], count: 600_000).joined())
      + [0x74]
  }

  @Test(arguments: expensive.map(\.0))
  func `a pickle that asks for much costs little`(name: String) async {
    // In a process of its own, whose memory is its own.
    await #expect(processExitsWith: .success) { [name] in
      let body = try #require(Self.expensive.first { $0.0 == name }).1
      let directory = TemporaryFolder()
      let path = try directory.file("x.bin", Self.file(Pickle.whole(body)))
      let before = peakResidentBytes()
      let seconds = processorSeconds { #expect(failure { _ = try PyTorchFile(path) } != nil) }
      #expect(seconds < 3, "\(name)")
      #expect(peakResidentBytes() - before < 1 << 30, "\(name)")
    }
  }

  // MARK: damage of any kind

  /// Opens it, and reads every tensor of it.
  private func read(_ bytes: [UInt8]) throws -> String? {
    let path = try directory.file("x.bin", bytes)
    return failure {
      let file = try PyTorchFile(path)
      _ = try file.nonFiniteCounts()
    }
  }

  @Test(arguments: ["module.bin", "types.4.bin"]) func `a file cut at any byte is refused`(name: String)
    throws
  {
    let bytes = try readSmallFile("\(PyTorchFileTests.folder)/\(name)", limit: 1 << 20)
    for length in 0..<bytes.count { #expect(try read(Array(bytes[..<length])) != nil, "\(length) bytes") }
    #expect(try read(bytes) == nil)
  }

  @Test(arguments: ["views.bin", "nested.bin", "types.4.bin"])
  func `any damage is refused or read, without a trap`(name: String) throws {
    let original = try readSmallFile("\(PyTorchFileTests.folder)/\(name)", limit: 1 << 20)
    var random = TestRandom(state: 3)
    for offset in original.indices {
      for change: UInt8 in [0xFF, UInt8(random.below(254) + 1)] {
        var bytes = original
        bytes[offset] ^= change
        let seconds = try processorSeconds { _ = try read(bytes) }
        #expect(seconds < 1, "byte \(offset)")
      }
    }
  }
}

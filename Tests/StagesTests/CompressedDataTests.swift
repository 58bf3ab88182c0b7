// Data files that are compressed as a whole: the same rows as of what they expand to.

import CompressedData
import Foundation
import JSON
import Runner
import Stages
import Testing

struct CompressedDataTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func options(_ path: String, _ more: [(String, JSON)]) -> JSON {
    .object(JSONObject([("path", JSON.string(path))] + more))
  }

  private func rows(_ name: String, _ bytes: [UInt8], _ more: [(String, JSON)] = []) throws -> [Row] {
    try bench.run(DataStage(), options(bench.file(name, bytes: bytes), more))["rows"] ?? []
  }

  private func failure(_ name: String, _ bytes: [UInt8], _ more: [(String, JSON)] = []) -> String {
    inputError { _ = try rows(name, bytes, more) }.replacing(bench.directory + "/", with: "")
  }

  @Test(
    arguments: [
      (#"{"prompt":"a b"}"# + "\n" + #"{"prompt":"c"}"# + "\n", nil),
      (#"[{"prompt":"a b"}, {"prompt":"c"}]"#, nil), (#"[{"prompt":"a b"}, {"prompt":"c"}]"#, "json"),
      ("prompt,n\na b,1\nc,2\n", "csv"), ("\u{FEFF}prompt\tn\r\na b\t1\r\nc\t2", "tsv"), ("a b\nc\n", "text"),
    ] as [(String, String?)])
  func `a compressed file has the rows of its text, in every format and by whatever name`(
    text: String, format: String?
  ) throws {
    let bytes = Array(text.utf8)
    var more: [(String, JSON)] = format.map { [("format", .string($0))] } ?? []
    if format == "text" { more.append(("prompt", "{text}")) }
    let plain = try rows("plain", bytes, more)
    #expect(plain.map { $0["prompt"] } == ["a b", "c"])
    #expect(try rows("data.jsonl.gz", CompressedData.gzip(bytes), more) == plain)
    #expect(try rows("data", CompressedData.zstd(bytes), more) == plain)
    // In two parts, cut inside a character or not.
    for cut in [1, bytes.count / 2] {
      let parts = [Array(bytes[..<cut]), Array(bytes[cut...])]
      #expect(try rows("data", parts.flatMap(CompressedData.gzip), more) == plain)
      #expect(try rows("data", parts.flatMap(CompressedData.zstd), more) == plain)
    }
  }

  @Test func `a file of several blocks is read to its end, and an error in it names the line of its text`()
    throws
  {
    var text = ""
    for index in 0..<50_000 {
      text += #"{"prompt":"text number \#(index) of many, each a little longer than this"}"# + "\n"
    }
    let bytes = Array(text.utf8)
    let plain = try rows("plain", bytes)
    #expect(plain.count == 50_000 && bytes.count > 3 << 20)
    #expect(try rows("data.gz", CompressedData.gzip(bytes)) == plain)
    #expect(try rows("data.zst", CompressedData.zstd(bytes)) == plain)
    // A text that ends where a block does.
    let broken = Array(bytes[..<(2 << 20)])
    let end = Array(text.utf8.prefix(1 << 20).lastIndex(of: 0x0A).map { text.utf8[...$0] } ?? "".utf8[...])
    let padded = end + [UInt8](repeating: 0x20, count: (1 << 20) - end.count)
    #expect(try rows("data", CompressedData.gzip(padded)).count == end.count { $0 == 0x0A })
    let message = failure("data.gz", CompressedData.gzip(broken))
    #expect(message.hasPrefix("data.gz:\(broken.count { $0 == 0x0A } + 1):"), "\(message)")
  }

  @Test func `compressed data that are cut, expand too far or hold Parquet are errors of the file`() throws {
    let bytes = CompressedData.gzip(Array(#"{"prompt":"a"}"#.utf8))
    #expect(
      failure("data.jsonl.gz", Array(bytes.dropLast()))
        == "data.jsonl.gz: at byte \(bytes.count - 1) of the file: gzip data end before they are complete: the file was cut"
    )
    let parquet = URL(fileURLWithPath: "\(#filePath)/../../ParquetTests/Fixtures/flat.none-v1.parquet")
      .standardized
    let inside = CompressedData.zstd([UInt8](try Data(contentsOf: parquet)))
    for more: [(String, JSON)] in [[], [("format", "parquet")]] {
      #expect(
        failure("data.parquet.zst", inside, more)
          == "data.parquet.zst: a Parquet file inside zstd data, which is not read; decompress it, since its pages are compressed by themselves"
      )
    }
  }

  @Test func `a table by its name alone is said to need its format`() {
    let message = failure("data.csv.gz", CompressedData.gzip(Array("prompt,n\na,1".utf8)))
    #expect(message.hasSuffix("; a file of this name is read with `format: csv`"), "\(message)")
    #expect(
      RecordFile.formatByName("x/data.TSV.zst") == "tsv" && RecordFile.formatByName("a.csv.gz") == "csv")
    #expect(RecordFile.formatByName("a.jsonl.gz") == nil && RecordFile.formatByName("a.gz") == nil)
  }
}

// What `check` says of data files that are compressed as a whole: it looks at the first records of what they expand to.

import CompressedData
import Stages
import Testing

@Suite struct CompressedDataCheckTests {
  private func found(_ name: String, _ bytes: [UInt8], _ with: String) throws -> [String] {
    let bench = try CheckBench()
    try bench.write(bytes, to: name)
    return try bench.check(
      """
      version: 1
      name: x
      stages:
        rows: {uses: data, with: {path: \(name), \(with)}}
        few: {uses: draw, in: {rows: rows}, with: {count: 9}}
      """)
  }

  private func lines(_ count: Int) -> [UInt8] {
    Array(String(repeating: "{\"prompt\": \"a\", \"kind\": 1}\n", count: count).utf8)
  }

  @Test func `a field that a large file lacks is found in its first records`() throws {
    for bytes in [CompressedData.gzip(lines(50_000)), CompressedData.zstd(lines(50_000))] {
      #expect(
        try found("x.jsonl.gz", bytes, "keep: [kimd]") == [
          "error[unknown-field] at 4 \"kimd\": stage `rows`: x.jsonl.gz:1:1: option `keep`: no field `kimd`; the row has `prompt`, `kind`"
        ])
      #expect(try found("x.jsonl.gz", bytes, "keep: [kind]") == [])
    }
  }

  @Test func `a small file is read whole: its rows are counted, and where it was cut is found`() throws {
    let bytes = CompressedData.gzip(lines(8))
    #expect(
      try found("x.jsonl.gz", bytes, "keep: [kind]") == [
        "error[too-few-rows] at 5 \"9\": stage `few`: `count` asks for 9 rows without replacement, but the input has 8"
      ])
    let cut = Array(bytes.dropLast())
    #expect(
      try found("x.jsonl.gz", cut, "keep: [kind]") == [
        "error[wrong-data] at 4 \"x.jsonl.gz\": stage `rows`: x.jsonl.gz: at byte \(cut.count) of the file: gzip data end before they are complete: the file was cut"
      ])
  }
}

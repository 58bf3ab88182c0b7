// The formats that `data` reads: the same records give the same rows in each, and an error names its place.

import Foundation
import JSON
import Runner
import Stages
import Testing

private let parquet = URL(fileURLWithPath: "\(#filePath)/../../ParquetTests/Fixtures").standardized.path

struct DataFormatTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func options(_ path: String, _ more: [(String, JSON)]) -> JSON {
    .object(JSONObject([("path", JSON.string(path))] + more))
  }

  private func rows(_ text: String, in name: String = "data", _ more: (String, JSON)...) throws -> [Row] {
    try bench.run(DataStage(), options(bench.file(name, text), more))["rows"] ?? []
  }

  private func failure(_ text: String, in name: String = "data", _ more: (String, JSON)...) -> String {
    inputError { try bench.run(DataStage(), options(bench.file(name, text), more)) }
      .replacing(bench.directory + "/", with: "")
  }

  @Test func `the same records give the same rows in every format of text`() throws {
    let lines = try rows(
      #"{"prompt":"a, b","note":"say \"hi\""}"# + "\n" + #"{"prompt":"line\nline","note":""}"# + "\n",
      ("keep", ["note"]))
    #expect(lines.count == 2)
    let array = """

       [ {"prompt": "a, b", "note": "say \\"hi\\""},
      {"note": "", "prompt": "line\\nline"} ]
      """
    #expect(try rows(array, ("keep", ["note"])) == lines)
    #expect(try rows(array, ("keep", ["note"]), ("format", "json")) == lines)
    let csv = "prompt,note\r\n\"a, b\",\"say \"\"hi\"\"\"\r\n\"line\nline\",\r\n"
    #expect(try rows(csv, ("keep", ["note"]), ("format", "csv")) == lines)
    let tsv = "\u{FEFF}prompt\tnote\na, b\tsay \"hi\"\n\"line\nline\"\t\"\""
    #expect(try rows(tsv, ("keep", ["note"]), ("format", "tsv")) == lines)
  }

  @Test(arguments: [
    "a,b\n1,2,3\n|data:2:5: the row has 3 fields, but the first line names 2",
    "a,b\n1,2\n\"x\n\ny\"|data:3:1: the row has 1 fields, but the first line names 2",
    "a,b\n\n1,2|data:2:1: a blank line; an empty text alone on a line is written `\"\"`",
    "a,b\n1,\"x\ny\"z|data:3:3: text after the closing quote; a quote inside quotes is written `\"\"`",
    "a,b\n1,2\n3,\"x\n|data:3:3: the quote that opens here is not closed",
    "a,b\n1,x\ry|data:2:4: a carriage return without a line feed; inside a text it is written in quotes",
    "a,a\n1,2|data:1:1: the column `a` is named twice",
    "a,,b\n1,2,3|data:1:1: column 2 has no name; the first line names all columns",
    "|data: the file holds no rows", "a,b\n|data: the file holds no rows",
  ])
  func `an error in CSV names line and column`(_ example: String) {
    let parts = example.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    #expect(failure(parts[0], ("format", "csv"), ("prompt", "{a}")) == parts[1])
  }

  @Test func `a row of CSV that is no UTF-8 is left out when bad rows are skipped`() throws {
    let bytes = Array("prompt,n\n".utf8) + [0xFF] + Array(",1\nb,2\n\nc\nd,4".utf8)
    let path = try bench.file("bytes.csv", bytes: bytes)
    let options: JSON = ["path": .string(path), "format": "csv"]
    let message = inputError { try bench.run(DataStage(), options) }
    #expect(message.hasSuffix("bytes.csv:2:1: the field is not valid UTF-8"), "\(message)")
    let skipping: JSON = ["path": .string(path), "format": "csv", "on_bad_row": "skip"]
    #expect(try bench.run(DataStage(), skipping)["rows"]?.map { $0["prompt"] } == ["b", "d"])
    #expect(bench.reporter.measures.withLock { $0["left_out_bad_lines"] } == 3)
  }

  @Test func `an empty text alone on a line is written in quotes, and quotes inside a field are text`() throws
  {
    let rows = try rows("prompt\n\"\"\na \"b\" c\n", ("format", "csv"))
    #expect(rows.map { $0["prompt"] } == ["", "a \"b\" c"])
  }

  @Test(arguments: [
    ("[{\"prompt\":\"a\"},\n {\"prompt\" 1}]", "data:2:12: not JSON: expected `:` after the key `prompt`"),
    ("[{\"prompt\":\"a\"}\n {}]", "data:2:2: not JSON: expected `,` or `]`"),
    ("[{\"prompt\":\"a\"},]", "data:1:17: not JSON: expected a value, found `]`"),
    ("[{\"prompt\":\"a\"}", "data:1:16: not JSON: expected `,` or `]`"),
    ("[{\"prompt\":\"a\"}]\n{}", "data:2:1: not JSON: unexpected text after the value"),
    ("[\n  7]", "data:2:3: an integer; expected an object"),
    ("[\n\n  {}]", "data:3:3: option `prompt`: no field `prompt`; the row has none"),
    (" [ ] ", "data: the file holds no rows"),
  ])
  func `an error in a JSON array names line and column`(text: String, message: String) {
    #expect(failure(text) == message)
  }

  @Test func `an entry that is no object is left out when bad rows are skipped`() throws {
    let text = #"[1, {"prompt":"a"}, [2], {"prompt":"b"}]"#
    #expect(try rows(text, ("on_bad_row", "skip")).map { $0["prompt"] } == ["a", "b"])
  }

  @Test func `an id that comes twice names both lines`() {
    let text = "prompt,id\n\"a\nb\",x\nc,x\n"
    #expect(
      failure(text, ("format", "csv"), ("id", "id"))
        == "data:4:1: the id `x` was given before, on line 2")
  }

  @Test func `a Parquet file gives the rows and ids of the same records in JSON Lines`() throws {
    for (file, prompt, keep) in [("nested.v1", "{id}", "messages"), ("flat.groups", "{small}", "maybe")] {
      let name = String(file.prefix { $0 != "." })
      let more: [(String, JSON)] = [("prompt", .string(prompt)), ("keep", [.string(keep)])]
      let lines = try bench.run(DataStage(), options("\(parquet)/\(name).jsonl", more))["rows"]
      #expect(try bench.run(DataStage(), options("\(parquet)/\(file).parquet", more))["rows"] == lines)
      #expect(lines?.isEmpty == false)
    }
    // With an id only the columns that are needed are read.
    let more: [(String, JSON)] = [("prompt", "{meta.n}"), ("where", [["field": "meta.source", "is": nil]])]
    let message = inputError {
      try bench.run(DataStage(), options("\(parquet)/nested.v1.parquet", more + [("id", "id")]))
    }
    #expect(
      message == "\(parquet)/nested.v1.parquet: row 3: option `where`: no field `meta.source`; "
        + "the row has `id`, `meta`", "\(message)")
  }

  @Test func `an error in a Parquet file names the row or the column`() throws {
    let nan: [(String, JSON)] = [("prompt", "{good}"), ("keep", ["bad"])]
    let path = "\(parquet)/refused.nan.parquet"
    #expect(
      inputError { try bench.run(DataStage(), options(path, nan)) }
        == "\(path): row 2: column `bad`: not a number or infinite, which JSON does not hold")
    let rows = try bench.run(DataStage(), options(path, nan + [("on_bad_row", "skip")]))["rows"]
    #expect(rows?.map { $0["bad"] } == [1, 2])
    let decimal = "\(parquet)/refused.decimal.parquet"
    #expect(
      inputError { try bench.run(DataStage(), options(decimal, [("prompt", "{good}")])) }
        == "\(decimal): column `bad`: the type DECIMAL is not read; write the column as text or numbers")
    #expect(
      try bench.run(DataStage(), options(decimal, [("prompt", "{good}"), ("id", "good")]))["rows"]?.count == 1
    )
    #expect(
      inputError { try bench.run(DataStage(), options(decimal, [("prompt", "{x}"), ("id", "good")])) }
        .contains("column `bad`"))
  }

  /// The file's name is in no key: two results of one key must not differ by it.
  @Test func `the name of a file chooses no format, but is said where its content is wrong`() throws {
    let message = failure("prompt,n\na,1", in: "data.csv")
    #expect(message.hasPrefix("data.csv:1:1: not JSON: "), "\(message)")
    #expect(message.hasSuffix("; a file of this name is read with `format: csv`"), "\(message)")
    #expect(try rows(#"{"prompt":"a"}"#, in: "data.csv").count == 1)
  }

  @Test func `text cut at every byte and every damaged byte ends in rows or an error`() throws {
    let examples: [(JSON, [UInt8])] = [
      ("csv", Array("prompt,n\r\n\"a\"\"b\",\u{E9}\r\n\"c\nd\",2\n".utf8)),
      ("json", Array(#"[{"prompt":"aé"},{"prompt":"b\n","n":[1,null,-2.5e3]}]"#.utf8)),
    ]
    for (format, bytes) in examples {
      for index in bytes.indices {
        for damaged in [Array(bytes[..<index])]
          + ([0x00, 0x22, 0x2C, 0x0D, 0x0A, 0x5B, 0xFF] as [UInt8]).map({ byte in
            var copy = bytes
            copy[index] = byte
            return copy
          })
        {
          let path = try bench.file("damaged", bytes: damaged)
          do {
            _ = try bench.run(DataStage(), ["path": .string(path), "format": format])
          } catch is InputError {}
        }
      }
    }
  }

  /// Files are read by the mebibyte: records lie across the borders, and some are larger than a block.
  @Test func `records are the same wherever the blocks of a large file end`() throws {
    var texts: [String] = []
    for index in 0..<300 {
      let length = index == 100 ? 1_300_000 : index * 397 % 4003
      texts.append(
        String(repeating: String(repeating: "a", count: 97) + "é\n\"", count: length / 101) + "\(index)")
    }
    let rows = texts.map { JSON.object(JSONObject([("prompt", .string($0)), ("n", "\u{2028}")])) }
    let csv = texts.map { "\"\($0.replacing("\"", with: "\"\""))\",2" }
    let files: [(String, String)] = [
      ("jsonl", rows.map { $0.text() }.joined(separator: "\r\n") + "\n\n \n"),
      ("json", "[" + rows.map { $0.text() }.joined(separator: " ,\n") + "]"),
      ("csv", "prompt,n\r\n" + csv.joined(separator: "\r\n") + "\n\r\n"),
    ]
    for (format, text) in files {
      let path = try bench.file("large", text)
      let read = try bench.run(DataStage(), ["path": .string(path), "format": .string(format)])["rows"] ?? []
      #expect(read.map { $0["prompt"] } == texts.map { .string($0) }, "\(format)")
    }
    let lines = texts.map { $0.replacing("\n", with: "") }
    let text = try bench.file("large", lines.joined(separator: "\r\n"))
    let read =
      try bench.run(
        DataStage(), ["path": .string(text), "format": "text", "prompt": "{text}"])["rows"] ?? []
    #expect(read.map { $0["prompt"] } == lines.map { .string($0) })
    // The place of an error counts the lines of all blocks.
    let path = try bench.file("large", files[0].1.replacing("\n\n \n", with: "\n\n{}"))
    let message = inputError { try bench.run(DataStage(), ["path": .string(path)]) }
    #expect(message.hasSuffix("large:301:1: a blank line; expected a JSON object"), "\(message)")
  }

  @Test(arguments: [
    ("jsonl", "{\"prompt\":\"a\"}\n{\"prompt\":\"", "2:1"),
    ("json", "[{\"prompt\":\"a\"},\n{\"prompt\":\"", "1:16"),
    ("csv", "prompt\na\n\"", "3:1"),
  ])
  func `a record without end is refused at a bound`(format: String, start: String, place: String) throws {
    let path = try bench.file("endless", start + String(repeating: "x", count: 17 << 20))
    let message = inputError {
      try bench.run(DataStage(), ["path": .string(path), "format": .string(format)])
    }
    #expect(
      message.hasSuffix(
        "endless:\(place): a record of more than 16 MiB, the most that one may have; see whether a line end, a quote or a bracket is missing"
      ), "\(message)")
  }

  @Test func `blank lines in between are bad rows one by one, those at the end are none`() throws {
    for (format, text) in [
      ("jsonl", "{\"prompt\":\"a\"}\n\n \n{\"prompt\":\"b\"}\n\n"), ("csv", "prompt\na\n\r\n\nb\r\n\n\r"),
    ] {
      let rows = try rows(text, ("format", .string(format)), ("on_bad_row", "skip"))
      #expect(rows.map { $0["prompt"] } == ["a", "b"], "\(format)")
      #expect(bench.reporter.measures.withLock { $0["left_out_bad_lines"] } == 2)
    }
  }

  @Test func `a first line of too many columns is refused`() {
    let text = String(repeating: "a,", count: 1 << 16) + "a\n"
    #expect(
      failure(text, ("format", "csv"))
        == "data:1:1: the first line names 65537 columns; at most 65536 are read")
  }
}

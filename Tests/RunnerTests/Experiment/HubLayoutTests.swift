// Which files of a folder are data, and of which split: as the library `datasets` has it, asked by `make_layouts.py`.

import Foundation
import JSON
import Runner
import Testing

@Suite struct HubLayoutTests {
  private func files(_ names: [String], _ split: String? = nil) -> Result<[String], HubLayout.Problem> {
    Result { () throws(HubLayout.Problem) in try HubLayout.files(among: names, split: split) }
  }

  @Test func `splits are those of the library`() throws {
    let path = URL(fileURLWithPath: Fixtures.diagnostics).deletingLastPathComponent()
      .appendingPathComponent("layouts/layouts.json")
    let cases = try #require(try JSON(parsing: [UInt8](Data(contentsOf: path))).arrayValue)
    #expect(cases.count == 120)
    for layout in cases {
      let names = try #require(layout["names"]?.arrayValue).compactMap(\.stringValue)
      let splits = try #require(layout["splits"]?.objectValue).members
      for (split, files) in splits {
        #expect(
          self.files(names, split) == .success((files.arrayValue ?? []).compactMap(\.stringValue)), "\(names)"
        )
      }
      guard case .failure(.unknownSplit(_, let found)) = files(names, "none") else {
        Issue.record("\(names)")
        continue
      }
      #expect(Set(found) == Set(splits.map(\.key)), "\(names)")
    }
  }

  @Test func `what is no data is passed over`() {
    let names = [
      "LICENSE.txt", "README.md", "__pycache__/train.jsonl", "config.json", "data/b.jsonl",
      "data/dataset_infos.json",
      "x.jsonl.bz2", "y.parquet.gz", ".gz", "z.gz",
    ]
    #expect(files(names) == .success(["data/b.jsonl"]))
    #expect(files(["a.txt", "b.txt"]) == .success(["a.txt", "b.txt"]))
    #expect(files(["README.md", "config.json"]) == .failure(.noData(names: ["README.md", "config.json"])))
    #expect(files([]) == .failure(.noData(names: [])))
    #expect(files([".jsonl", "d/.jsonl"]) == .failure(.noData(names: [".jsonl", "d/.jsonl"])))
  }

  @Test func `files that are compressed as a whole are of the format below`() {
    #expect(
      files(["harmless/test.jsonl.gz", "harmless/train.jsonl.gz", "README.md"], "train")
        == .success(["harmless/train.jsonl.gz"]))
    #expect(
      files(["a.jsonl.gz", "b.json", "c.ndjson.zst"]) == .success(["a.jsonl.gz", "b.json", "c.ndjson.zst"]))
    #expect(files(["a.csv.gz", "b.tsv.zst"]) == .failure(.formats([".csv", ".tsv"])))
    #expect(files(["a.txt.gz", "LICENSE.txt"]) == .success(["a.txt.gz", "LICENSE.txt"]))
    #expect(
      HubLayout.Problem.noData(names: ["x"]).help("d").hasSuffix(
        "behind all but the first `.gz`, `.zst` may stand"))
  }

  @Test func `where a choice is needed, none is made`() {
    #expect(files(["test.csv", "train.csv"]) == .failure(.splits(["train", "test"])))
    #expect(files(["train.csv"]) == .success(["train.csv"]))
    #expect(
      files(["extra.csv", "train.csv"]) == .failure(.filesOfNoSplit(split: "train", example: "extra.csv")))
    #expect(files(["extra.csv", "train.csv"], "train") == .success(["train.csv"]))
    #expect(files(["a.csv", "b.jsonl", "c.json"]) == .failure(.formats([".jsonl", ".csv"])))
    #expect(files(["test.csv", "train.jsonl"], "train") == .success(["train.jsonl"]))
    #expect(files(["a.jsonl", "b.json"]) == .success(["a.jsonl", "b.json"]))
  }
}

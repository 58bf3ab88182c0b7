// ROUGE and Porter's stemmer, beside the rouge-score package: `Fixtures/rouge/make_rouge.py`.

import JSON
import Runner
import Stages
import System
import Testing

struct RougeTests {
  private static func fixture() throws -> JSON {
    let tests = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    return try JSON(parsing: try File.read("\(tests)/Fixtures/rouge/rouge.json"))
  }

  /// ROUGE-1, 2 and L.
  private func numbers(_ rouge: Rouge) -> [Double] { [rouge.one, rouge.two, rouge.longest] }

  @Test func `every suffix of the stemmer's steps is cut as nltk cuts it`() throws {
    let words = try #require(Self.fixture()["stems"]?.arrayValue)
    #expect(words.count > 1500)
    for pair in words {
      let word = try #require(pair.arrayValue?.first?.stringValue)
      let found = String(decoding: PorterStemmer.stem(Array(word.utf8)), as: UTF8.self)
      #expect(found == pair.arrayValue?.last?.stringValue, "\(word)")
    }
  }

  @Test func `short texts have the package's F-measures, with and without stems`() throws {
    for entry in try Self.fixture()["pairs"]?.arrayValue ?? [] {
      let generation = try #require(entry["generation"]?.stringValue)
      let reference = try #require(entry["reference"]?.stringValue)
      let expected = (entry["scores"]?.arrayValue ?? []).map {
        ($0.arrayValue ?? []).compactMap(\.doubleValue)
      }
      let found = [false, true].map { numbers(Rouge(of: generation, against: reference, stems: $0)) }
      #expect(found == expected, "`\(generation)` against `\(reference)`")
    }
  }

  /// Summed in rows' order as the generator sums; 1e-12.
  @Test(.enabled(if: sharedData("tldr_prompts_summaries.jsonl") != nil))
  func `a thousand summaries have the package's F-measures`() throws {
    let path = try #require(sharedData("tldr_prompts_summaries.jsonl"))
    let lines = try File.read(path).split(separator: 0x0A).prefix(1000)
    let corpus = try #require(Self.fixture()["corpus"])
    var sums = [Double](repeating: 0, count: 6)
    var weighted = sums
    for (index, line) in lines.enumerated() {
      let row = try JSON(parsing: Array(line))
      let (summary, reference) = (
        row["model_summary"]?.stringValue ?? "", row["reference"]?.stringValue ?? ""
      )
      let scores = [false, true].flatMap { numbers(Rouge(of: summary, against: reference, stems: $0)) }
      for (place, score) in scores.enumerated() {
        sums[place] += score
        weighted[place] += Double(index + 1) * score
      }
    }
    for place in 0..<6 {
      let mean = try #require(corpus["mean"]?.arrayValue?[place].doubleValue)
      let moment = try #require(corpus["weighted"]?.arrayValue?[place].doubleValue)
      #expect(abs(sums[place] / 1000 - mean) < 1e-12)
      #expect(abs(weighted[place] / 1e6 - moment) < 1e-12)
    }
  }

  @Test func `of several references each number's best counts`() throws {
    let best = try #require(
      Rouge(of: "a b c", againstBestOf: ["c b a", "a b x y"], stems: false))
    #expect(best.one == 1 && best.two == 0.4 && abs(best.longest - 4.0 / 7) < 1e-15)
    #expect(Rouge(of: "a", againstBestOf: [], stems: false) == nil)
  }
}

// `draw`: seeded, without replacement inside an iteration, independent of the input's order.

import JSON
import Runner
import Stages
import Testing

struct DrawStageTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func ids(_ count: JSON, of rows: [Row], seed: UInt64 = 1, replacement: Bool = false) throws
    -> [String]
  {
    let options: JSON = ["count": count, "replacement": .bool(replacement)]
    return try bench.run(DrawStage(), options, rows: rows, seed: seed)["rows"]?.map(\.id) ?? []
  }

  @Test func `draws distinct rows, the same for the same seed`() throws {
    let rows = numberedRows(100)
    let drawn = try ids(40, of: rows)
    #expect(Set(drawn).count == 40)
    #expect(try ids(40, of: rows) == drawn)
    #expect(try ids(40, of: rows, seed: 2) != drawn)
  }

  @Test func `the order of the input does not matter, with and without replacement`() throws {
    let rows = numberedRows(50)
    for replacement in [false, true] {
      let forward = try ids(20, of: rows, replacement: replacement)
      #expect(try ids(20, of: rows.reversed(), replacement: replacement) == forward)
    }
  }

  @Test func `a smaller draw is the beginning of a larger one`() throws {
    let rows = numberedRows(30)
    #expect(try ids(10, of: rows) == Array(try ids(25, of: rows).prefix(10)))
  }

  @Test func `a row's place among the others does not change when a row is added`() throws {
    let before = try ids("all", of: numberedRows(30))
    let after = try ids("all", of: numberedRows(31))
    #expect(after.filter { $0 != "row30" } == before)
  }

  @Test func `all draws every row once, in an order that is not the input's`() throws {
    let rows = numberedRows(64)
    let drawn = try ids("all", of: rows)
    #expect(drawn.sorted() == rows.map(\.id).sorted())
    #expect(drawn != rows.map(\.id))
  }

  @Test func `too many rows are refused with both numbers`() {
    let message = inputError { _ = try ids(11, of: numberedRows(10)) }
    #expect(message.contains("11 rows to draw without replacement, but the input has 10"))
    #expect(inputError { _ = try ids(1, of: [], replacement: true) }.contains("no rows"))
  }

  @Test func `no rows and one row draw what there is`() throws {
    #expect(try ids("all", of: []) == [])
    #expect(try ids("all", of: numberedRows(1)) == ["row0"])
  }

  @Test func `with replacement ids stay unique, even beside an id that looks like a repetition`() throws {
    let rows = [Row(["id": "a", "prompt": "p"]), Row(["id": "a#2", "prompt": "q"])]
    let drawn = try ids(40, of: rows, replacement: true)
    #expect(drawn.count == 40 && Set(drawn).count == 40)
    #expect(drawn.contains("a#3"))
  }

  @Test func `ids do not grow when what was drawn is drawn from again and again`() throws {
    var rows = numberedRows(8)
    for round in 0..<200 {
      rows = try drawWithReplacement(rows, count: 8, seed: UInt64(round))
      #expect(Set(rows.map(\.id)).count == 8)
      // At most as many numbers are taken as there are rows before and after.
      #expect(rows.allSatisfy { $0.id.utf8.count <= "row0#17".utf8.count }, "\(rows.map(\.id))")
      for row in rows {
        #expect(row["prompt"]?.stringValue == "prompt \(row.id.dropFirst(3).prefix(1))", "\(row.id)")
      }
    }
  }

  @Test func `a repetition of what was drawn before is told by the next free number`() throws {
    let rows = ["a", "a#2", "a#5"].map { Row(["id": .string($0), "prompt": "p"]) }
    let ids = try drawWithReplacement(rows, count: 9, seed: 3).map(\.id)
    #expect(
      Set(ids).count == 9
        && ids.allSatisfy { $0 == "a" || $0.hasPrefix("a#") && !$0.dropFirst(2).contains("#") })
    #expect(Set(ids).isSubset(of: ["a"] + (2...12).map { "a#\($0)" }), "\(ids)")
  }

  @Test func `ids that came with a number keep it, so that no repetition has the name of another row`() throws
  {
    let rows = (1...9).map { Row(["id": .string("repo#\($0)"), "prompt": .string("issue \($0)")]) }
    for row in try drawWithReplacement(rows, count: 60, seed: 1) {
      let name = try #require(row["prompt"]?.stringValue).replacing("issue ", with: "repo#")
      #expect(row.id == name || row.id.hasPrefix("\(name)#"), "\(row.id)")
    }
  }

  @Test func `composed and decomposed ids are drawn apart`() throws {
    let rows = [Row(["id": "caf\u{E9}"]), Row(["id": "cafe\u{301}"])]
    #expect(Set(try ids("all", of: rows).map(UTF8Key.init)).count == 2)
  }

  @Test func `every row is equally likely`() throws {
    var counts = [String: Int]()
    let rows = numberedRows(10)
    for seed in 0..<2000 {
      for row in try draw(rows, count: 3, seed: UInt64(seed)) { counts[row.id, default: 0] += 1 }
    }
    // 600 expected, standard deviation 20.5: five of them either way.
    for row in rows { #expect((497...703).contains(counts[row.id, default: 0]), "\(row.id): \(counts)") }
  }

  @Test func `successive seeds draw independently`() throws {
    // Two draws of 50 in 100 share 25 rows on average, standard deviation 2.5 a pair: the mean over 200 pairs
    // lies within 0.9 of it, five of its own deviations.
    let rows = numberedRows(100)
    var shared = 0
    for seed in 0..<200 {
      let first = Set(try draw(rows, count: 50, seed: UInt64(2 * seed)).map(\.id))
      shared += try draw(rows, count: 50, seed: UInt64(2 * seed + 1)).filter { first.contains($0.id) }.count
    }
    #expect(abs(Double(shared) / 200 - 25) < 0.9)
  }
}

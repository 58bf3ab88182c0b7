// `draw`: some of the rows, at random.

import Experiments
import JSON
import Models

/// Source: METHODS 1.2, `shuf -n COUNT` in every iteration: without replacement inside an iteration,
/// independent across iterations. Deviation: seeded; the order of the input does not matter.
package struct DrawStage: Stage {
  package init() {}

  /// Nil is all.
  static let count = StageOption<Int?>(
    "count", .either(.mapped(.integer(1...Int.max)) { $0 }, .mapped(.choice(All.self)) { _ in nil }),
    aliases: ["n", "size", "k", "num_samples", "num_rows"],
    summary: "how many rows, or `all` of them")
  static let replacement = StageOption(
    "replacement", .bool, default: false, aliases: ["replace", "with_replacement"],
    summary: "whether a row may be drawn again; a repeated row gets a new id, `ID#2`")

  enum All: String, CaseIterable { case all }

  package static let declaration = StageDeclaration(
    name: "draw",
    summary: "Draws rows at random, in random order; each iteration of a loop draws again.",
    version: 2,
    inputs: [InputPort("rows", .rows, summary: "rows to draw from")],
    outputs: [
      OutputPort("rows", .rows, passesThrough: "rows", summary: "the rows drawn, in the order drawn")
    ],
    options: [count.field, replacement.field],
    isRandom: true, estimate: estimate)

  package func run(_ context: StageContext) throws {
    let rows = try readRows(context.input("rows").path, requiring: [], reading: [])
    let count = context.options[Self.count]
    let drawn: [Row]
    if context.options[Self.replacement] {
      drawn = try drawWithReplacement(rows, count: count ?? rows.count, seed: context.seed)
    } else {
      drawn = try draw(rows, count: count ?? rows.count, seed: context.seed)
    }
    try writeRows(drawn, to: context.output("rows", .rows))
  }
}

/// The first `count` rows in the order of their random numbers. A smaller count takes a prefix of a larger one.
package func draw(_ rows: [Row], count: Int, seed: UInt64) throws -> [Row] {
  guard count <= rows.count else {
    throw InputError(
      "option `count`: \(count) rows to draw without replacement, but the input has \(rows.count); "
        + "ask for fewer, write `count: all`, or allow `replacement: true`")
  }
  return Array(inRandomOrder(rows, seed: seed).prefix(count))
}

/// `count` independent draws.
package func drawWithReplacement(_ rows: [Row], count: Int, seed: UInt64) throws -> [Row] {
  guard !rows.isEmpty || count == 0 else { throw InputError("option `count`: no rows to draw \(count) from") }
  // From a random order rather than the file's, so that the order of the file does not matter.
  let rows = inRandomOrder(rows, seed: seed)
  let philox = Philox(seed: seed)
  let bases = repetitionBases(of: rows)
  var taken = Set(rows.map { UTF8Key($0.id) })
  var drawn: Set<Int> = []
  var repetitions: [UTF8Key: Int] = [:]
  var result: [Row] = []
  for position in 0..<count {
    let block = philox.block(
      UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32), 0,
      RandomPurpose.drawWithReplacement.rawValue)
    let number = UInt64(block.0) << 32 | UInt64(block.1)
    // Scaling 64 random bits: off from uniform by less than rows.count / 2^64.
    let index = Int(number.multipliedFullWidth(by: UInt64(rows.count)).high)
    var row = rows[index]
    if !drawn.insert(index).inserted {
      var repetition = repetitions[UTF8Key(bases[index]), default: 1]
      var id: String
      repeat {
        repetition += 1
        id = "\(bases[index])#\(repetition)"
      } while !taken.insert(UTF8Key(id)).inserted
      repetitions[UTF8Key(bases[index])] = repetition
      row["id"] = .string(id)
    }
    result.append(row)
  }
  return result
}

/// What stands before `#n` in the id of each row's repetitions: the row's id, without the `#n` of an earlier draw, so that ids
/// do not grow round a loop. An `#n` is a draw's where the rows that share what stands before it have one prompt; ids
/// that came so with the data (`repo#7`) stand for different ones.
private func repetitionBases(of rows: [Row]) -> [String] {
  let stripped = rows.map { withoutRepetition($0.id) }
  var prompts: [UTF8Key: String] = [:]
  var isShared: [UTF8Key: Bool] = [:]
  for (row, base) in zip(rows, stripped) {
    let prompt = row["prompt"]?.text() ?? ""
    let known = prompts[UTF8Key(base)]
    if known == nil { prompts[UTF8Key(base)] = prompt }
    let isSame = known.map { $0.utf8.elementsEqual(prompt.utf8) } ?? true
    isShared[UTF8Key(base)] = isSame && isShared[UTF8Key(base), default: true]
  }
  return zip(rows, stripped).map { row, base in isShared[UTF8Key(base)] == true ? base : row.id }
}

/// `a` for `a#2`; an `#1` or `#02` is none of a draw's.
private func withoutRepetition(_ id: String) -> String {
  guard let mark = id.utf8.lastIndex(of: UInt8(ascii: "#")) else { return id }
  let digits = id.utf8[id.utf8.index(after: mark)...]
  guard let first = digits.first, (0x31...0x39).contains(first),
    digits.allSatisfy({ (0x30...0x39).contains($0) }),
    digits.count > 1 || first > 0x31
  else { return id }
  return String(decoding: id.utf8[..<mark], as: UTF8.self)
}

private func inRandomOrder(_ rows: [Row], seed: UInt64) -> [Row] {
  shuffledOrder(rows.map(\.id), seed: seed).map { rows[$0] }
}

extension DrawStage {
  static let estimate: StageEstimate.Function = { input in
    var rows = input.input("rows")
    if let count = input.options[DrawStage.count], let all = rows.rows, all > 0 {
      let share = Double(count) / Double(all)
      rows = ArtifactSize(
        rows: count, items: rows.items.flatMap { Estimates.integer(Double($0) * share) },
        bytes: rows.bytes.flatMap { Estimates.integer(Double($0) * share) })
    }
    return StageEstimate(outputs: ["rows": rows], seconds: Estimates.reading(rows))
  }
}

// `draw`: some of the rows, at random.

import JSON
import Models
import Runner

/// Source: METHODS 1.2, `shuf -n COUNT` in every iteration: without replacement inside an iteration,
/// independent across iterations. Deviation: seeded; the order of the input does not matter.
package struct DrawStage: Stage {
  package init() {}

  package static let declaration = StageDeclaration(
    name: "draw",
    summary: "Draws rows at random, in random order; each iteration of a loop draws anew.",
    version: 2,
    inputs: [InputPort("rows", .rows, summary: "rows to draw from")],
    outputs: [
      OutputPort("rows", .rows, passesThrough: "rows", summary: "the rows drawn, in the order drawn")
    ],
    options: [
      OptionField(
        "count", .either([.integer(1...Int.max), .choice(["all"])]),
        aliases: ["n", "size", "k", "num_samples", "num_rows"],
        summary: "how many rows, or `all` of them"),
      OptionField(
        "replacement", .bool, default: false, aliases: ["replace", "with_replacement"],
        summary: "whether a row may be drawn again; a repeated row gets an id of its own, `ID#2`"),
    ],
    isRandom: true, estimate: Estimates.draw)

  package func run(_ context: StageContext) throws {
    let rows = try readRows(context.input("rows").path, requiring: [])
    let count = context.options.value("count").intValue
    let drawn: [Row]
    if context.options.bool("replacement") {
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
  var taken = Set(rows.map { UTF8Key($0.id) })
  var repeats: [Int: Int] = [:]
  var result: [Row] = []
  for position in 0..<count {
    let block = philox.block(
      UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32), 0,
      RandomPurpose.drawWithReplacement.rawValue)
    let number = UInt64(block.0) << 32 | UInt64(block.1)
    // Scaling 64 random bits: off from uniform by less than rows.count / 2^64.
    let index = Int(number.multipliedFullWidth(by: UInt64(rows.count)).high)
    var row = rows[index]
    var repetition = repeats[index, default: 0] + 1
    if repetition > 1 {
      var id = "\(row.id)#\(repetition)"
      while !taken.insert(UTF8Key(id)).inserted {
        repetition += 1
        id = "\(row.id)#\(repetition)"
      }
      row["id"] = .string(id)
    }
    repeats[index] = repetition
    result.append(row)
  }
  return result
}

private func inRandomOrder(_ rows: [Row], seed: UInt64) -> [Row] {
  rows.map { (number: randomNumber(seed: seed, .shuffleRows, id: $0.id, element: 0), row: $0) }
    .sorted {
      $0.number != $1.number
        ? $0.number < $1.number : $0.row.id.utf8.lexicographicallyPrecedes($1.row.id.utf8)
    }
    .map(\.row)
}

// Loops that end early: after which iteration, as a function of the results alone, so that a run that resumes or finds
// everything cached decides the same.

import JSON

package struct EarlyEnds {
  package struct Ending: Sendable {
    package let loop: String
    /// The last that runs.
    package let iteration: Int
    /// The numbers that ended it.
    package let words: [String]
  }

  private let loops: [PlanEarlyEnd]
  /// By loop: how many iterations have been judged, and whether the last of them ended it.
  private var judged: [(count: Int, hasEnded: Bool)]
  private var endings: [Ending] = []

  init(_ plan: Plan) {
    loops = plan.earlyEnds
    judged = loops.map { _ in (0, false) }
  }

  /// Whether a loop around the node ended before the node's iteration. What is judged by must be finished or skipped,
  /// which holds when the node's upstream is.
  mutating func hasEnded(
    before node: PlanNode, records: [Int: NodeRecord], skipped: Set<Int>, store: Store
  ) throws -> Bool {
    for place in node.conditions {
      while !judged[place.loop].hasEnded, judged[place.loop].count < place.iteration - 1 {
        let conditions = loops[place.loop].conditions[judged[place.loop].count]
        let reader = MetricReader(records: records, skipped: skipped, store: store)
        let verdicts = try conditions.map { try reader.judge($0) }
        judged[place.loop].count += 1
        judged[place.loop].hasEnded = verdicts.allSatisfy(\.holds)
        if judged[place.loop].hasEnded {
          endings.append(
            Ending(
              loop: loops[place.loop].loop, iteration: judged[place.loop].count,
              words: verdicts.flatMap(\.words)))
        }
      }
      // A node of an iteration that runs may be decided after the loop was found to have ended.
      if judged[place.loop].hasEnded, place.iteration > judged[place.loop].count { return true }
    }
    return false
  }

  /// The loop around a node that ended before the node's iteration, and the last iteration that ran.
  func ending(before node: PlanNode) -> (loop: String, iteration: Int)? {
    for place in node.conditions where judged[place.loop].hasEnded {
      let last = judged[place.loop].count
      if place.iteration > last { return (loops[place.loop].loop, last) }
    }
    return nil
  }

  mutating func takeEndings() -> [Ending] {
    defer { endings = [] }
    return endings
  }
}

// `finish`: why the generations ended.

import Experiments
import JSON

struct FinishMetric: Metric {
  static let name = "finish"
  static let summary =
    "shares of generations by why they ended, of `finish`: `finish_end` at the end token, `finish_stop` at a stop text, `finish_length` cut at the limit, `finish_other`"
  let columns = [(name: "finish", source: "`sample` gives it")]

  private let shares = Shares(column: "finish", values: ["end", "stop", "length"])

  init(_ options: StageOptions) {}

  func numbers(for options: JSON) -> [String] { shares.numbers(for: options) }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    try shares.measure(generations, context)
  }
}

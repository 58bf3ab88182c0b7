// `overlap`: how many of the prompts stand in the rows that models were trained on.

import Experiments
import JSON

/// Compared by text, white space and case aside.
struct OverlapMetric: Metric {
  static let name = "overlap"
  static let summary =
    "of the prompts how many stand in the rows at `training` too, but for white space and case (`prompts_trained_on`), beside how many there are (`prompts`)"
  static let inputs = [
    InputPort(
      "training", .rows, required: false, columns: ["prompt"], collects: true,
      summary: "rows that models were trained on")
  ]

  init(_ options: StageOptions) {}

  func numbers(for options: JSON) -> [String] { ["prompts", "prompts_trained_on"] }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    func numbers(_ rows: [Row]) throws -> Set<UInt64> {
      Set(
        try rows.map { row in
          guard let prompt = row["prompt"]?.stringValue else {
            throw InputError("row `\(row.id)`: `prompt` is not a string")
          }
          return PromptNumber(prompt).value
        })
    }
    let prompts = try numbers(generations.rows)
    let trained = try context.artifacts("training").reduce(into: Set<UInt64>()) { all, artifact in
      all.formUnion(try numbers(readRows(artifact.path, requiring: ["prompt"])))
    }
    return [.int(Int64(prompts.count)), .int(Int64(prompts.intersection(trained).count))]
  }
}

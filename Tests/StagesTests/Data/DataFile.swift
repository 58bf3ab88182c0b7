// Runs `data` on a text.

import JSON
import Runner
import Stages

extension StageBench {
  /// The rows that `data` makes of a file of JSON Lines.
  func dataRows(_ text: String, _ options: JSON) throws -> [Row] {
    var all = JSONObject([("path", .string(try file("data.jsonl", text)))])
    for (name, value) in options.objectValue?.members ?? [] { all[name] = value }
    return try run(DataStage(), .object(all))["rows"] ?? []
  }

  func dataFailure(_ text: String, _ options: JSON) -> String {
    inputError { _ = try dataRows(text, options) }.replacing(directory + "/", with: "")
  }

  /// `left_out_…` of the last run, in the order of their names.
  var leftOut: [String] {
    reporter.measures.withLock { measures in
      measures.sorted { $0.key < $1.key }.filter { $0.key.hasPrefix("left_out_") }.map {
        "\($0.key.dropFirst(9)): \(Int($0.value))"
      }
    }
  }
}

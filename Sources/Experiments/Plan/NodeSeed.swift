// The random seed of a node: what enters it, and nothing else.

import JSON
import System

enum NodeSeed {
  /// A function of the experiment's seed (or the stage's own `seed:`, which takes its place), the plug-in and the
  /// iterations around the node. Names and shards do not enter, so that renaming changes nothing, and two stages
  /// of one plug-in in one iteration share their random numbers unless `seed:` separates them.
  static func derive(seed: UInt64, plugIn: String, iterations: [Int]) -> UInt64 {
    let text = JSON.object(
      JSONObject([
        ("iterations", .array(iterations.map { .int(Int64($0)) })), ("plug-in", .string(plugIn)),
        ("seed", .string(String(seed))),
      ])
    ).text(.canonical)
    return UInt64(Digest.of(text: text).hex.prefix(16), radix: 16) ?? 0
  }
}

// How much disk the weights of a sweep take: each trial trains models of its own, and all of them stay.

import JSON
import System

struct SweepDisk {
  private let bytes: Int
  private let models: Int
  private let stages: [String]
  private let free: Int?

  /// Less is not worth a line.
  private static let leastBytes = 1 << 30

  /// - Parameters:
  ///   - runs: those that are not finished.
  ///   - plan: of one of them, with the facts of its models.
  init(_ runs: [TrialRun], like plan: Plan, _ store: Store, _ stages: [any Stage.Type]) throws {
    var resolution = try Resolution(plan: plan, store: store, stages: stages)
    let decisions = try resolution.decideAll()
    let estimate = PlanEstimate(resolution, decisions)
    var sizes: [UTF8Key: Int] = [:]
    for node in plan.nodes {
      let record = resolution.records[node.index]
      guard let bytes = try KeptWeights.bytes(of: node, record, estimate, resolution) else { continue }
      sizes[UTF8Key(PlanAddress.withoutIterations(node.address))] = bytes
    }
    var seen: Set<String> = []
    var (sum, count) = (0, 0)
    var names: [String] = []
    for node in runs.flatMap(\.plan.nodes) {
      let stage = PlanAddress.withoutIterations(node.address)
      guard let size = sizes[UTF8Key(stage)], seen.insert(node.recipeKey).inserted else { continue }
      sum &+= size
      count += 1
      if !names.contains(stage) { names.append(stage) }
    }
    (bytes, models, self.stages) = (sum, count, names)
    free = try? File.freeBytes(at: store.temporaries)
  }

  /// Nil where it is little.
  var words: String? {
    guard bytes >= Self.leastBytes else { return nil }
    let names = stages.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
    let text = "the weights of \(models) models (\(names)) take about \(ByteCount(bytes).text) of disk"
    guard let free, free < bytes else { return TerminalText.escaped("note: \(text)") }
    return TerminalText.escaped(
      "warning: \(text), and \(ByteCount(free).text) are free; with `keep: none` beside these stages `\(Program.name) cache gc` makes room, and the sweep goes on where it was"
    )
  }
}

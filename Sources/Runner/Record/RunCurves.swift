// The curves of a run: what a metric was from iteration to iteration, or from step to step of a training.

import JSON
import System

package struct RunCurve: Sendable {
  package struct Point: Sendable {
    package let x: Double
    package let y: Double
    /// Its standard error, where the stage says one.
    package let error: Double?
  }

  package let name: String
  /// `iteration`, `step` or `cell`.
  package let xName: String
  package let points: [Point]
}

package struct RunCurves {
  private let nodes: [RunNode]
  /// Declared metrics with their addresses.
  private let declared: [(name: String, addresses: [String])]
  private let store: Store

  /// Of a run that is finished, runs, or was interrupted.
  package init(_ run: RunSummary, store: Store) throws {
    nodes = try RunNode.read(run.path)
    let plan = try JSON(parsing: try File.read("\(run.path)/plan.json"))
    declared = (plan["metrics"]?.objectValue?.members ?? []).map { name, addresses in
      (name, (addresses.arrayValue ?? []).compactMap(\.stringValue))
    }
    self.store = store
  }

  /// Names that `curves` takes, of what this run has measured.
  package var names: [String] { declared.map(\.name) }

  /// Of a declared metric or of an address with a metric behind it. What leaves iterations open, `quark.evaluate.reward`, is a curve over
  /// them for each cell of a matrix; of a training each iteration is a curve over its steps.
  /// - Throws: `RunError` (2) for a name that means nothing here.
  package func curves(_ name: String) throws -> [RunCurve] {
    let addresses = addresses(of: name)
    var found: [RunCurve] = []
    var points: [(family: String, points: [RunCurve.Point])] = []
    var isKnown = false
    for address in addresses {
      for (node, metric) in matches(address) {
        isKnown = true
        for json in try metrics(of: node) {
          guard let value = MetricReader.find(metric, in: json) else { continue }
          if let series = value.arrayValue {
            found.append(
              RunCurve(name: "\(node.address).\(metric)", xName: "step", points: Self.points(series)))
            continue
          }
          guard let number = value.doubleValue else { continue }
          let family = PlanAddress.withoutIterations(node.address)
          let place = points.firstIndex { UTF8Key($0.family) == UTF8Key(family) } ?? points.count
          if place == points.count { points.append(("\(family)", [])) }
          let error = MetricReader.find(metric + StageContext.standardError, in: json)?.doubleValue
          points[place].points.append(
            RunCurve.Point(
              x: Double(PlanAddress.iteration(node.address) ?? points[place].points.count + 1), y: number,
              error: error))
        }
      }
    }
    guard isKnown else {
      let known = names + nodes.map(\.address)
      let help =
        Suggestion.nearest(to: name, among: known).map { "did you mean `\($0)`?" }
        ?? "write a declared metric, or an address with a metric behind it, as in `quark.evaluate.reward`"
      throw RunError(.commandLine, "the run has no metric `\(name)`; \(help)")
    }
    let isLoop = points.contains { $0.points.count > 1 }
    return found
      + points.map { family, points in
        RunCurve(
          name: points.count > 1 || addresses.count > 1 ? family : name, xName: isLoop ? "iteration" : "run",
          points: points)
      }
  }

  /// Of a declared metric, or of one of its cells as tables call it: `each@count=8`.
  private func addresses(of name: String) -> [String] {
    for (declared, addresses) in declared where name.utf8.starts(with: declared.utf8) {
      let cell = String(Substring(name.utf8.dropFirst(declared.utf8.count)))
      if cell.isEmpty { return addresses }
      guard cell.utf8.first == UInt8(ascii: "@") else { continue }
      let found = addresses.filter { $0.contains("\(cell).") || $0.contains("\(cell)@") }
      if !found.isEmpty { return found }
    }
    return [name]
  }

  private static func points(_ series: [JSON]) -> [RunCurve.Point] {
    series.enumerated().compactMap { step, value in
      value.doubleValue.map { RunCurve.Point(x: Double(step + 1), y: $0, error: nil) }
    }
  }

  /// Nodes with what stands behind their addresses; the longest address wins.
  private func matches(_ name: String) -> [(node: RunNode, metric: String)] {
    let dots = name.utf8.indices.filter { name.utf8[$0] == UInt8(ascii: ".") }
    for dot in dots.reversed() {
      let (prefix, metric) = (String(name[..<dot]), String(name[name.utf8.index(after: dot)...]))
      let isLast = prefix.contains("@last")
      let parts = AddressPart.parts(of: prefix.replacing("@last", with: ""))
      let found = nodes.filter { node in
        let others = AddressPart.parts(of: node.address)
        return parts.count == others.count && zip(parts, others).allSatisfy { $0.admits($1) }
      }
      guard !found.isEmpty else { continue }
      let last = found.compactMap { $0.hasBegun ? PlanAddress.iteration($0.address) : nil }.max()
      return found.filter { !isLast || PlanAddress.iteration($0.address) == last }.map { ($0, metric) }
    }
    return []
  }

  private func metrics(of node: RunNode) throws -> [JSON] {
    guard let key = node.key, let record = try store.unverifiedRecord(key) else { return [] }
    return try record.outputs.filter { $0.type == .metrics }.map {
      try JSON(parsing: try File.read(try store.readingPath($0)))
    }
  }
}

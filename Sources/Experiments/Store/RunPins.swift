// What runs keep: which keys each used, and whose bytes its `keep:` wants to stay.

import JSON
import System

package struct RunPins: Sendable {
  package let experiment: String
  package let run: String
  /// By address, in the order of the plan.
  package let nodes: [(address: String, key: String, keepsBytes: Bool)]

  package init(experiment: String, run: String, nodes: [(address: String, key: String, keepsBytes: Bool)]) {
    self.experiment = experiment
    self.run = run
    self.nodes = nodes
  }

  /// The finished nodes of a run. `keep: last` keeps the bytes of the last of the iterations that are finished.
  package init(run: String, of plan: Plan, records: [Int: NodeRecord]) {
    var last: [UTF8Key: Int] = [:]
    for node in plan.nodes where records[node.index] != nil {
      last[UTF8Key(PlanAddress.withoutIterations(node.address))] = node.index
    }
    let nodes = plan.nodes.compactMap { node -> (address: String, key: String, keepsBytes: Bool)? in
      guard let record = records[node.index] else { return nil }
      let keeps =
        switch node.execution.keep {
        case "none": false
        case "last": last[UTF8Key(PlanAddress.withoutIterations(node.address))] == node.index
        default: true
        }
      return (node.address, record.key, keeps)
    }
    self.init(experiment: plan.experimentName, run: run, nodes: nodes)
  }

  var json: JSON {
    [
      "experiment": .string(experiment), "run": .string(run),
      "nodes": .array(
        nodes.map { ["address": .string($0.address), "key": .string($0.key), "bytes": .bool($0.keepsBytes)] }),
    ]
  }

  init?(json: JSON) {
    guard let experiment = json["experiment"]?.stringValue, let run = json["run"]?.stringValue,
      let list = json["nodes"]?.arrayValue
    else { return nil }
    let nodes = list.compactMap { node -> (address: String, key: String, keepsBytes: Bool)? in
      guard let address = node["address"]?.stringValue, let key = node["key"]?.stringValue,
        let keeps = node["bytes"]?.boolValue
      else { return nil }
      return (address, key, keeps)
    }
    guard nodes.count == list.count else { return nil }
    self.init(experiment: experiment, run: run, nodes: nodes)
  }
}

extension Store {
  package func write(_ pins: RunPins) throws {
    let folder = "\(root)/pins/\(Digest.of(text: pins.experiment).hex)"
    try File.makeDirectory(folder, isDurable: true)
    try File.writeDurably(
      SealedText.text(of: pins.json), to: "\(folder)/\(pins.run)", temporaries: temporaries)
  }

  /// Every run's, the newest first within an experiment. One that does not read back pins nothing and is left out.
  package func pins() throws -> [(pins: RunPins, seconds: Double)] {
    var all: [(pins: RunPins, seconds: Double)] = []
    for folder in try File.names(in: "\(root)/pins") {
      var runs: [(pins: RunPins, seconds: Double)] = []
      for name in try File.names(in: "\(root)/pins/\(folder)") {
        let path = "\(root)/pins/\(folder)/\(name)"
        guard let json = try? SealedText.read(path), let pins = RunPins(json: json) else { continue }
        runs.append((pins, Double(try FileStatus.orThrow(path).modifiedNanoseconds) / 1e9))
      }
      all += runs.sorted { $0.seconds > $1.seconds }
    }
    return all
  }
}

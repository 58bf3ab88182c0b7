// A plan as a run keeps it: JSON, one node a line. Made once, since a run writes it twice: before its keys are known and after.

import JSON

struct PlanText {
  private let head: String
  /// Each without its key.
  private let nodes: [String]
  private let tail: String

  init(_ plan: Plan) {
    let models = plan.models.map { model -> JSON in
      [
        "name": .string(model.name), "source": .string(model.sourceText),
        "sha256": model.sha256.map { .string($0) } ?? .null, "licence": model.facts["licence"] ?? .null,
      ]
    }
    let metrics = plan.metrics.map { metric in
      (metric.name, JSON.array(metric.nodes.map { .string("\(plan.nodes[$0].address).\(metric.metric)") }))
    }
    tail =
      "\n],\n\"models\":\(JSON.array(models).text()),\n\"metrics\":\(JSON.object(JSONObject(metrics)).text())}\n"

    head = "{\"experiment\":\(JSON.string(plan.experimentName).text()),\"nodes\":["
    nodes = plan.nodes.map { node in
      let json: JSON = [
        "address": .string(node.address), "stage": .string(node.stage), "options": node.options,
        "inputs": .object(PlanText.inputs(of: node, in: plan)),
        "seed": .string("0x" + String(node.seed, radix: 16)), "recipe_key": .string(node.recipeKey),
        "shards": .int(Int64(node.execution.shards)),
        "observed": .array(node.servers.map { .string($0) }),
      ]
      return json.text()
    }
  }

  func text(keys: [Int: String]) -> String {
    var text = head
    for (index, node) in nodes.enumerated() {
      text += index == 0 ? "\n" : ",\n"
      text += node[..<node.utf8.index(before: node.endIndex)]
      text += ",\"key\":"
      text += keys[index].map { JSON.string($0).text() } ?? "null"
      text += "}"
    }
    return text + tail
  }

  /// What each port reads: an address, and of one that collects a list of labels and addresses.
  private static func inputs(of node: PlanNode, in plan: Plan) -> JSONObject {
    var inputs = JSONObject()
    for input in node.inputs {
      let source: JSON
      switch input.source {
      case .node(let index, let port): source = .string("\(plan.nodes[index].address).\(port)")
      case .model(let name): source = .string("model \(name)")
      }
      if let label = input.label {
        let entry: JSON = ["label": .string(label), "source": source]
        inputs[input.port] = .array((inputs[input.port]?.arrayValue ?? []) + [entry])
      } else {
        inputs[input.port] = source
      }
    }
    return inputs
  }
}

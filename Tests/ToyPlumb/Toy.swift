// A runner with toy stages, for tests of the runner as a process: `ToyPlumb run PLAN.json`, `plan`, `worker`.

import Glibc
import JSON
import Runner
import System

@main struct Toy {
  static let stages: [any Stage.Type] = [
    RowsStage.self, StartStage.self, UnsteadyStage.self, MixStage.self, TrainStage.self, SumStage.self,
    MisbehaveStage.self, ReadFileStage.self, GatherStage.self, CountStage.self, SecretStage.self,
  ]

  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3 else { exit(2) }
    do {
      switch arguments[1] {
      case "worker": exit(runWorker(taskPath: arguments[2], stages: stages))
      case "run":
        let (plan, text) = try ToyPlan.read(arguments[2])
        let options = ToyOptions(arguments.dropFirst(3))
        var session = RunSession(
          plan: plan, stages: stages, store: options.values("--store").last ?? ".plumb", runs: "runs",
          experimentText: text, command: "ToyPlumb run \(arguments[2])")
        session.lockWaitSeconds = options.values("--wait").last.flatMap { Double($0) }
        session.isStrict = options.has("--strict")
        if options.has("--detached") { session.executor = DetachedExecutor.self }
        session.threads = options.number("--threads")
        session.jobs = options.number("--jobs")
        session.keepsGoing = options.has("--keep-going")
        session.selection = try options.selection(in: plan)
        session.reproducing = { "ToyPlumb spin \(arguments[2]) \($0)" }
        exit(session.run().rawValue)
      case "plan":
        let (plan, _) = try ToyPlan.read(arguments[2])
        let table = try PlanTable(plan, store: try Store(at: ".plumb"), stages: stages)
        print(try table.text(showsCauses: arguments.contains("--why")), terminator: "")
      case "explain":
        let (plan, _) = try ToyPlan.read(arguments[2])
        var resolution = try Resolution(plan: plan, store: try Store(at: ".plumb"), stages: stages)
        let (node, _) = try resolution.find(arguments[3], stages: StageRegistry(stages))
        print(try NodeExplanation(node, in: &resolution, history: []).text, terminator: "")
      default: exit(2)
      }
    } catch {
      File.standardError("\(error)\n")
      exit(ExitCode(for: error).rawValue)
    }
  }
}

/// What follows the plan: `--jobs 2 --only a --only b`.
struct ToyOptions {
  private let words: [String]
  init(_ words: some Sequence<String>) { self.words = Array(words) }
  func has(_ name: String) -> Bool { words.contains(name) }
  func values(_ name: String) -> [String] {
    zip(words, words.dropFirst()).filter { $0.0 == name }.map(\.1)
  }
  func number(_ name: String) -> Int? { values(name).last.flatMap { Int($0) } }
  func selection(in plan: Plan) throws -> Selection {
    try Selection(
      only: values("--only"), from: values("--from"), until: values("--until"), force: values("--force"),
      in: plan)
  }
}

extension File {
  static func standardError(_ text: String) { try? File(descriptor: 2, path: "stderr").writeAll(text) }
}

/// A plan written by hand, or an experiment in YAML: `{"nodes": [{"address", "stage", "options", "inputs": {PORT: "ADDRESS:PORT"}, "shards", …}]}`.
enum ToyPlan {
  private static func execution(_ value: JSON) -> ExecutionSettings {
    var settings = ExecutionSettings(
      shards: value["shards"]?.intValue ?? 1, threads: value["threads"]?.intValue,
      retries: value["retries"]?.intValue ?? 0, timeoutSeconds: value["timeout"]?.doubleValue,
      checkpointSeconds: 0.05)
    settings.resources = Resources(
      cpus: value["cpus"]?.intValue, memoryBytes: value["memory"]?.intValue, gpus: value["gpus"]?.intValue)
    settings.keep = value["keep"]?.stringValue ?? "all"
    return settings
  }

  static func read(_ path: String) throws -> (Plan, String) {
    if path.hasSuffix(".yaml") {
      let (experiment, plan) = try Planner.plan(path: path, stages: StageRegistry(Toy.stages)).get()
      return (plan, String(decoding: experiment.source.bytes, as: UTF8.self))
    }
    let bytes = try File.read(path)
    let json = try JSON(parsing: bytes)
    var nodes: [PlanNode] = []
    for value in json["nodes"]?.arrayValue ?? [] {
      let stage = value["stage"]?.stringValue ?? ""
      guard let declaration = Toy.stages.first(where: { $0.declaration.name == stage })?.declaration else {
        throw RunError(.commandLine, "no toy stage \(stage)")
      }
      var options = JSONObject()
      for field in declaration.options {
        options[field.name] = value["options"]?[field.name] ?? field.defaultValue
      }
      var inputs: [PlanInput] = []
      for port in declaration.inputs {
        guard let source = value["inputs"]?[port.name]?.stringValue else { continue }
        let parts = source.split(separator: ":").map(String.init)
        if parts[0] == "model" {
          inputs.append(PlanInput(port: port.name, type: port.type, source: .model(parts[1])))
        } else if let index = nodes.firstIndex(where: { $0.address == parts[0] }) {
          inputs.append(PlanInput(port: port.name, type: port.type, source: .node(index, output: parts[1])))
        }
      }
      nodes.append(
        PlanNode(
          index: nodes.count, address: value["address"]?.stringValue ?? "", stage: stage,
          options: .object(options),
          files: stage == "read-file" ? [OptionFiles("path", [options["path"]?.stringValue ?? ""])] : [],
          inputs: inputs,
          seed: 7,
          numericMode: "bf16",
          execution: execution(value),
          recipeKey: ""))
    }
    let models = (json["models"]?.objectValue?.members ?? []).map { name, value in
      ModelReference(name: name, source: .path(value.stringValue ?? ""), sha256: nil)
    }
    let metrics = nodes.filter { $0.stage == "sum" }.map {
      PlanMetric(name: $0.address, nodes: [$0.index], metric: "sum")
    }
    return (
      Plan(experimentName: "toy", nodes: nodes, models: models, metrics: metrics),
      String(decoding: bytes, as: UTF8.self)
    )
  }
}

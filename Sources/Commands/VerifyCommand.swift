// `plumb verify RUN [ADDRESS…]`: computes finished stages again and says whether their bytes are the stored ones.

import ArgumentParser
import JSON
import Models
import Runner
import System

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compute finished stages again, and say whether their bytes are the stored ones.",
    discussion: """
      Each stage runs alone on its stored inputs, one after the other, and nothing is kept: neither the stored bytes nor their \
      records change. Standard output gets a line for each stage; the exit code is 0 when all bytes agree and 13 when some differ. \
      A run is computed again from its own copy of the experiment, with the parameters that it had; a stage whose data or program \
      has changed since has another key and is not computed, and the exit code is 11. (`\(Program.name) cache verify` reads what is stored and computes nothing.)

        \(Program.name) verify @last --sample 5
        \(Program.name) verify quickstart@last quark@last.train
        \(Program.name) verify experiments/quickstart.yaml 'before*'
      """)

  @Argument(
    help: ArgumentHelp(
      "A run: an id or the beginning of one, `@last`, `NAME@last`, its folder; or an experiment's file.",
      valueName: "run"), completion: Completion.runs)
  var source: String

  @Argument(
    help: ArgumentHelp("Only these stages; as for `run --force` (default: all).", valueName: "address"),
    completion: Completion.addresses)
  var addresses: [String] = []

  @Option(help: ArgumentHelp("Only so many of them, drawn with --seed.", valueName: "n"))
  var sample: Int?

  @Option(help: "The same seed draws the same stages.")
  var seed: UInt64 = 0

  @Option(help: "Threads a stage may use (default: all processors). Changes no result.")
  var threads: Int?

  @Flag(help: "Write one JSON value.")
  var json = false

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  func validate() throws {
    for (name, value) in [("--sample", sample), ("--threads", threads)] {
      if let value, value < 1 { throw ValidationError("\(name) must be at least 1, found \(value)") }
    }
  }

  func run() throws {
    finish {
      ignoreBrokenPipes()
      let (loaded, keys) = try experiment()
      let path = storage.path(projectRoot: loaded.projectRoot)
      guard FileStatus.of("\(path)/format") != nil else {
        throw RunError(.commandLine, "there is no store at `\(path)`; name the run's with `--store DIR`")
      }
      let store = try Store(at: path)
      store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
      let recomputation = try Recomputation(
        loaded.plan, store: store, stages: stageRegistry.stages, threads: threads)
      let report = try VerifyReport(isJSON: json)
      for node in try chosen(loaded.plan, recomputation) {
        let key = recomputation.record(node.index)?.key
        let earlier = keys.map { $0[UTF8Key(node.address)] } ?? key
        guard let earlier else {
          try report.add(node.address, .unfinished)
          continue
        }
        guard key == earlier else {
          try report.add(node.address, .changed)
          continue
        }
        report.start(node.address)
        let start = monotonicSeconds()
        let outcome = try recomputation.outcome(of: node.index)
        if case .stopped = outcome { return .interrupted }
        try report.add(node.address, .computed(outcome, seconds: monotonicSeconds() - start))
      }
      return try report.end(file: loaded.plan.experimentName)
    }
  }

  /// The plan, and of a run the key that each of its stages had.
  private func experiment() throws -> (LoadedExperiment, keys: [UTF8Key: String]?) {
    let isExperiment =
      source.hasSuffix(".yaml") || source.hasSuffix(".yml")
      || FileStatus.of(source)?.isRegularFile == true
    if isExperiment { return (load(try parameters.experiment(source)), nil) }
    guard parameters.set.isEmpty else {
      throw RunError(
        .commandLine, "--set goes with an experiment's file; a run has the parameters that it had")
    }
    let run = try place.findOrRead(source)
    let loaded = load(try Commands.experiment(of: run, place))
    var keys: [UTF8Key: String] = [:]
    for node in try RunNode.read(run.path) { keys[UTF8Key(node.address)] = node.key }
    return (loaded, keys)
  }

  private func chosen(_ plan: Plan, _ recomputation: Recomputation) throws -> [PlanNode] {
    let wanted = try addresses.reduce(into: Set<Int>()) { $0.formUnion(try plan.nodes(matching: $1)) }
    let nodes = plan.nodes.filter {
      addresses.isEmpty ? !recomputation.isSkipped($0.index) : wanted.contains($0.index)
    }
    guard let sample, sample < nodes.count else { return nodes }
    return shuffledOrder(nodes.map(\.address), seed: seed).prefix(sample).sorted().map { nodes[$0] }
  }
}

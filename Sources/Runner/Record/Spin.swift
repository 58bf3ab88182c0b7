// One node run alone on what is stored of its inputs; nothing of it is kept in the store. How a stage is looked at.

import Glibc
import JSON
import System

package struct Spin {
  package var plan: Plan
  package var stages: [any Stage.Type]
  /// The `.plumb` folder.
  package var store: String
  /// `@last` and its like are as they turned out.
  package var address: String
  /// Where the outputs are left; nil leaves none.
  package var outputDirectory: String?
  package var threads: Int?

  package init(plan: Plan, stages: [any Stage.Type], store: String, address: String) {
    self.plan = plan
    self.stages = stages
    self.store = store
    self.address = address
  }

  /// The log goes to stderr as it comes; stdout gets a line for each output: its place or digest, and whether these are
  /// the stored bytes.
  package func run() throws -> ExitCode {
    ignoreBrokenPipes()
    let signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP])
    let store = try Store(at: store)
    store.onWarning = { RunSession.report("warning: \(TerminalText.escaped($0))") }
    let (resolution, node) = try resolved(in: store)
    let computation = NodeComputation(node, of: resolution, signals, threads: threads)
    let log = File(descriptor: 2, path: "stderr")
    let end = try computation.run(
      leaving: outputDirectory.map(emptyDirectory),
      // Nobody reads a closed stderr.
      log: { try? $0.withUnsafeBytes { try log.writeAll($0) } },
      then: { try report($0, stored: try store.unverifiedRecord($1)) })
    switch end {
    case .done: return .done
    case .stopped: return .interrupted
    case .failed(let failure):
      RunSession.report("failed  \(TerminalText.escaped("\(node.address): \(failure.message)"))")
      return failure.code
    case .lost(let message), .preempted(let message):
      RunSession.report("failed  \(TerminalText.escaped("\(node.address): \(message)"))")
      return .lost
    }
  }

  /// - Throws: `RunError` (11) when something the node needs is not finished, (2) when it will not run.
  private func resolved(in store: Store) throws -> (Resolution, PlanNode) {
    var resolution = try Resolution(plan: plan, store: store, stages: stages)
    let node = try resolution.find(address, stages: StageRegistry(stages)).node
    try resolution.requireNotSkipped(node)
    if let missing = resolution.unfinishedUpstream(of: node).first {
      throw RunError(
        .workFound,
        "`\(node.address)` needs `\(plan.nodes[missing].address)`, which is not finished; run `\(Program.name) run` with `--until \(plan.nodes[missing].address)` first"
      )
    }
    return (resolution, node)
  }

  /// Runs the stage in this process up to where `probe` ends it.
  /// - Throws: `RunError` (2) when a stage of another kind is meant, and what the stage throws.
  package func look(_ probe: any StageProbe, where fits: (StageDeclaration) -> Bool, otherwise: String) throws
  {
    let store = try Store(at: store)
    store.onWarning = { RunSession.report("warning: \(TerminalText.escaped($0))") }
    let (resolution, node) = try resolved(in: store)
    guard fits(try resolution.declaration(of: node)) else {
      throw RunError(.commandLine, "`\(address)` \(otherwise)")
    }
    // Nothing is written before the probe ends the stage.
    let scratch = "\(store.root)/tmp/look.\(TemporaryName.make())"
    let task = try NodeComputation(
      node, of: resolution, try SignalDescriptor([SIGINT, SIGTERM, SIGHUP]), threads: threads
    ).task(scratch: scratch, output: "\(scratch)/output")
    try task.stage(among: stages).init().run(task.context(probe, keepsJournal: false))
  }

  private func emptyDirectory(_ path: String) throws -> String {
    try File.makeDirectory(path)
    guard try File.names(in: path).isEmpty else {
      throw RunError(.commandLine, "`\(path)` is not empty; name a new folder for the outputs")
    }
    return Path.absolute(path)
  }

  private func report(_ outputs: [ComputedOutput], stored: NodeRecord?) throws {
    let lines = outputs.map { output in
      let comparison: String
      switch stored?.output(output.port).map({ $0.digest == output.digest }) {
      case true?: comparison = "identical to the stored result"
      case false?: comparison = "different from the stored result: not deterministic"
      case nil: comparison = "no stored result to compare with"
      }
      return [
        output.port, outputDirectory == nil ? String(output.digest.hex.prefix(16)) : output.path, comparison,
      ]
    }
    try File(descriptor: 1, path: "standard output").writeAll(TextTable.aligned(lines))
  }
}

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
    let declaration = try resolution.declaration(of: node)
    let scratch = "\(store.root)/tmp/spin.\(TemporaryName.make())"
    try File.makeDirectory(scratch)
    // Held for as long as this process lives: no collection takes the folder away, from whatever container it looks.
    let lock = try File.open("\(scratch)/lock", O_RDWR | O_CREAT)
    defer { lock.closeQuietly() }
    _ = try lock.tryLock()
    // What cannot be removed now is removed with the store's other leftovers.
    defer { try? File.removeTree(scratch) }
    let output = try outputDirectory.map(emptyDirectory) ?? "\(scratch)/output"
    let task = try task(for: node, of: resolution, scratch: scratch, output: output, store, signals)
    let taskPath = "\(scratch)/task.json"
    try File.writeWhole(task.json.text(.pretty) + "\n", to: taskPath)
    let executor = LocalExecutor()
    let job = Job(taskPath: taskPath, environment: declaration.environment, secrets: node.environment)
    switch try wait(for: try executor.submit(job), of: executor, signals) {
    case .done:
      try report(declaration, output, stored: try store.unverifiedRecord(task.key), store)
      return .done
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

  /// What a worker would be given; a model that is not here is fetched.
  private func task(
    for node: PlanNode, of resolution: Resolution, scratch: String, output: String, _ store: Store,
    _ signals: SignalDescriptor
  ) throws -> WorkerTask {
    var modelPaths: [UTF8Key: String] = [:]
    for case .model(let name) in node.inputs.map(\.source) {
      guard let resolved = resolution.models[UTF8Key(name)] else { continue }
      modelPaths[UTF8Key(name)] = try ModelSource.localPath(
        of: resolved.model, store: store, signals: signals
      ) {
        RunSession.report(TerminalText.escaped($0))
      }
    }
    var dataPaths: [Digest: [String]] = [:]
    for (set, digest) in node.files.flatMap(\.dataSets) {
      dataPaths[digest] = try DataSetSource.standard().local(set, digest, store: store, signals: signals) {
        RunSession.report(TerminalText.escaped($0))
      }.paths
    }
    return WorkerTask(
      address: node.address, stage: node.stage, key: try resolution.key(of: node).hex,
      options: node.options.replacing(dataSetsOf: node.files) { dataPaths[$1] },
      inputs: try resolution.workerInputs(of: node) { modelPaths[UTF8Key($0)] }, seed: node.seed,
      numericMode: node.numericMode, threads: max(1, threads ?? node.execution.threads ?? processorCount()),
      engine: node.execution.engine, shard: nil, store: "", scratch: "\(scratch)/scratch", output: output,
      checkpointDirectory: "\(scratch)/checkpoint", checkpointSeconds: node.execution.checkpointSeconds,
      journalDirectory: "\(scratch)/journal")
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
    let task = try task(
      for: node, of: resolution, scratch: scratch, output: "\(scratch)/output", store,
      try SignalDescriptor([SIGINT, SIGTERM, SIGHUP]))
    try task.stage(among: stages).init().run(task.context(probe, keepsJournal: false))
  }

  private func emptyDirectory(_ path: String) throws -> String {
    try File.makeDirectory(path)
    guard try File.names(in: path).isEmpty else {
      throw RunError(.commandLine, "`\(path)` is not empty; name a new folder for the outputs")
    }
    return Path.absolute(path)
  }

  private func wait(for job: JobHandle, of executor: LocalExecutor, _ signals: SignalDescriptor) throws
    -> JobEnd
  {
    let log = File(descriptor: 2, path: "stderr")
    var isStopRequested = false
    while true {
      while signals.next() != nil {
        executor.cancel(job, isStopRequested ? .kill : .stop)
        isStopRequested = true
      }
      let report = executor.poll([job])[job]
      // Nobody reads a closed stderr.
      try? executor.logs(of: job).withUnsafeBytes { try log.writeAll($0) }
      switch report?.end {
      case .failed(let failure)? where isStopRequested && !failure.isReported: return .stopped
      case let end?: return end
      case nil: break
      }
      let (descriptors, milliseconds) = executor.wait(for: [job])
      var waits = ([signals.descriptor] + descriptors).map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
      if poll(&waits, nfds_t(waits.count), milliseconds) < 0, errno != EINTR {
        throw SystemError("wait for", "the worker", code: errno)
      }
    }
  }

  private func report(_ declaration: StageDeclaration, _ output: String, stored: NodeRecord?, _ store: Store)
    throws
  {
    var lines: [[String]] = []
    for port in declaration.outputs {
      let path = port.path(in: output)
      let digest = try store.digestOfModel(path)
      let comparison: String
      switch stored?.output(port.name).map({ $0.digest == digest }) {
      case true?: comparison = "identical to the stored result"
      case false?: comparison = "different from the stored result: not deterministic"
      case nil: comparison = "no stored result to compare with"
      }
      lines.append([port.name, outputDirectory == nil ? String(digest.hex.prefix(16)) : path, comparison])
    }
    try File(descriptor: 1, path: "standard output").writeAll(TextTable.aligned(lines))
  }
}

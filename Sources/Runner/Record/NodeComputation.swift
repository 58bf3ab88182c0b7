// One node computed alone on what is stored of its inputs, in a scratch folder; the store keeps nothing of it.

import Glibc
import HTTP
import JSON
import System

/// What came out at one port.
struct ComputedOutput {
  let port: String
  let path: String
  let digest: Digest
}

struct NodeComputation {
  private let node: PlanNode
  private let resolution: Resolution
  private let signals: SignalDescriptor
  private let threads: Int?
  private let mayAsk: Bool

  /// - Parameters:
  ///   - resolution: one in which everything upstream of the node is finished.
  ///   - mayAsk: whether a server is asked for what is not among the kept replies.
  init(
    _ node: PlanNode, of resolution: Resolution, _ signals: SignalDescriptor, threads: Int?,
    mayAsk: Bool = true
  ) {
    self.node = node
    self.mayAsk = mayAsk
    self.resolution = resolution
    self.signals = signals
    self.threads = threads
  }

  /// - Parameters:
  ///   - folder: empty; the outputs are left there. Nil leaves none.
  ///   - log: gets what the stage prints, as it comes.
  ///   - body: gets the outputs, and the key of the node, when it is done.
  func run(
    leaving folder: String?, log: ([UInt8]) -> Void,
    then body: (_ outputs: [ComputedOutput], _ key: String) throws -> Void
  ) throws -> JobEnd {
    let store = resolution.store
    let scratch = "\(store.root)/tmp/spin.\(TemporaryName.make())"
    try File.makeDirectory(scratch)
    // Held for as long as this runs: no collection takes the folder away, from whatever container it looks.
    let lock = try File.open("\(scratch)/lock", O_RDWR | O_CREAT)
    defer { lock.closeQuietly() }
    _ = try lock.tryLock()
    // What cannot be removed now is removed with the store's other leftovers.
    defer { try? File.removeTree(scratch) }
    let output = folder ?? "\(scratch)/output"
    let task = try task(scratch: scratch, output: output)
    let taskPath = "\(scratch)/task.json"
    try File.writeWhole(task.json.text(.pretty) + "\n", to: taskPath)
    if !node.servers.isEmpty { try File.makeDirectory(store.repliesDirectory) }
    let declaration = try resolution.declaration(of: node)
    let executor = LocalExecutor()
    let job = Job(
      taskPath: taskPath,
      environment: declaration.environment
        + (node.servers.isEmpty || !mayAsk ? [] : NetworkEnvironment.variables),
      secrets: node.environment)
    let end = try wait(for: try executor.submit(job), of: executor, log: log)
    if case .done = end {
      try body(
        try declaration.outputs.map { port in
          let path = port.path(in: output)
          return ComputedOutput(
            port: port.name, path: path,
            digest: try Manifest.digest(of: path) { try Digest.ofFile($0).digest })
        }, task.key)
    }
    return end
  }

  /// What a worker would be given; a model that is not here is fetched.
  func task(scratch: String, output: String) throws -> WorkerTask {
    var modelPaths: [UTF8Key: String] = [:]
    for case .model(let name) in node.inputs.map(\.source) {
      guard let resolved = resolution.models[UTF8Key(name)] else { continue }
      modelPaths[UTF8Key(name)] = try ModelSource.localPath(
        of: resolved.model, store: resolution.store, signals: signals
      ) {
        RunSession.report(TerminalText.escaped($0))
      }
    }
    var dataPaths: [Digest: [String]] = [:]
    for (set, digest) in node.files.flatMap(\.dataSets) {
      dataPaths[digest] = try DataSetSource.standard().local(
        set, digest, store: resolution.store, signals: signals
      ) {
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
      journalDirectory: "\(scratch)/journal", repliesDirectory: resolution.store.repliesDirectory,
      mayAsk: mayAsk)
  }

  private func wait(for job: JobHandle, of executor: LocalExecutor, log: ([UInt8]) -> Void) throws -> JobEnd {
    var isStopRequested = false
    while true {
      while signals.next() != nil {
        executor.cancel(job, isStopRequested ? .kill : .stop)
        isStopRequested = true
      }
      let report = executor.poll([job])[job]
      log(executor.logs(of: job))
      switch report?.end {
      case .failed(let failure)? where isStopRequested && !failure.isReported: return .stopped
      case let end?: return end
      case nil: break
      }
      let waits = executor.waits(for: [job])
      try signals.wait(or: waits.reports + waits.ends, within: waits.milliseconds)
    }
  }
}

// The worker process: runs one stage, reports, and takes what it wrote into the store.

import Glibc
import System

/// The worker's end of the descriptors a run gives it.
package enum WorkerDescriptor {
  /// Closed by the kernel when the run dies.
  package static let lifeline: Int32 = 0
  package static let events: Int32 = 3
  /// The node's lock, held for as long as this process lives.
  package static let lock: Int32 = 4
}

/// Runs the task in the file and gives the process's exit status. Everything the run must know goes to descriptor 3
/// as well; what is printed is the log.
package func runWorker(taskPath: String, stages: [any Stage.Type]) -> Int32 {
  ignoreBrokenPipes()
  nameProcess()
  for descriptor in [WorkerDescriptor.events, WorkerDescriptor.lock] {
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }
  let reporter = WorkerReporter()
  var task: WorkerTask?
  var confinement: Confinement?
  do {
    let given = try WorkerTask(path: taskPath)
    task = given
    let stage = try given.stage(among: stages)
    try given.makeFolders()
    confinement = given.confine(reporter)
    try reporter.watch()
    let context = given.context(reporter)
    guard chdir(given.scratch) == 0 else {
      throw SystemError("change the folder to", given.scratch, code: errno)
    }
    try stage.init().run(context)
    let outputs = given.shard == nil ? try given.storeOutputs(of: stage, context) : []
    reporter.reportPeakMemory()
    reporter.send(.done(outputs: outputs))
    return 0
  } catch is CancellationError where reporter.isStopRequested {
    reporter.send(.stopped)
    return ExitCode.stopped.rawValue
  } catch {
    let denial = confinement?.explanation(of: error)
    let isOwn = error is CancellationError || denial != nil
    let code = isOwn ? ExitCode.stageFailed : ExitCode(for: error)
    let problem =
      error is CancellationError
      ? "the stage cancelled itself without a request to stop" : denial ?? "\(error)"
    let message = task?.named(problem) ?? problem
    reporter.log("error: \(message)")
    reporter.send(.failed(code, message: message))
    return code.rawValue
  }
}

extension WorkerTask {
  func stage(among stages: [any Stage.Type]) throws -> any Stage.Type {
    guard let found = stages.first(where: { $0.declaration.name.utf8.elementsEqual(stage.utf8) }) else {
      throw RunError(.bug, "this executable has no stage `\(stage)`")
    }
    return found
  }

  fileprivate func makeFolders() throws {
    try File.makeDirectory(scratch)
    try File.makeDirectory(output)
    if shard == nil { try File.makeDirectory(checkpointDirectory) }
  }

  /// Nil where the kernel cannot confine this process.
  fileprivate func confine(_ reporter: WorkerReporter) -> Confinement? {
    let confinement = Confinement(self)
    if confinement.enforce() { return confinement }
    reporter.log("this kernel has no Landlock: the stage is not prevented from writing outside its folders")
    return nil
  }

  /// Before the folder is changed: paths of a task are relative to that of the run.
  func context(_ reporter: any StageReporter, keepsJournal: Bool = true) -> StageContext {
    var single: [String: Artifact] = [:]
    var collections: [String: [Artifact]] = [:]
    for input in inputs {
      let path = input.server == nil ? Path.absolute(input.path) : input.path
      if let label = input.label {
        collections[input.port, default: []].append(
          Artifact(
            type: input.type, path: path, label: label, columns: input.columns, server: input.server))
      } else {
        single[input.port] = Artifact(
          type: input.type, path: path, columns: input.columns, server: input.server)
      }
    }
    return StageContext(
      options: StageOptions(options), inputs: single, collections: collections, seed: seed,
      numericMode: numericMode, threads: threads, engine: engine, scratch: scratch,
      checkpointDirectory: checkpointDirectory, checkpointSeconds: checkpointSeconds, shard: shard,
      journalDirectory: keepsJournal ? journalDirectory : nil, repliesDirectory: repliesDirectory,
      mayAsk: mayAsk, outputDirectory: output, reporter: reporter)
  }

  /// Takes what the stage wrote into the store. Without a store nothing is kept: the outputs stay where they were written.
  fileprivate func storeOutputs(of stage: any Stage.Type, _ context: StageContext) throws -> [StoredOutput] {
    let store = store.isEmpty ? nil : try Store(at: store)
    var outputs: [StoredOutput] = []
    for port in stage.declaration(for: options).outputs {
      let path = context.output(port.name, port.type)
      guard FileStatus.of(path) != nil else {
        throw RunError(
          .stageFailed, "stage `\(self.stage)` ended without writing its output `\(port.name)`")
      }
      guard let store else { continue }
      let columns = try context.columns(
        of: port, inputs: inputs.map { ($0.port, $0.label ?? "", $0.columns) })
      outputs.append(try store.adopt(path, port: port.name, type: port.type).with(columns))
    }
    return outputs
  }
}

/// Started by way of /proc, it would be called `exe` where processes are listed.
private func nameProcess() {
  guard let file = try? File.open("/proc/self/comm", O_WRONLY) else { return }
  try? file.writeAll(Program.name)
  file.closeQuietly()
}

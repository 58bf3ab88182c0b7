// Collecting: what the workers say, and what follows from how a node ended.

import System

extension Scheduler {
  func collect() throws {
    let reports = try executor.poll(running.flatMap(\.handles))
    for run in running {
      let before = run.progress
      let state = try run.advance(reports, now: monotonicSeconds())
      if let progress = run.progress, progress != before { report(.nodeProgress(run.node.index, progress)) }
      guard let state else { continue }
      running.removeAll { $0 === run }
      slots.release(run.grant)
      defer { run.close() }
      if run.hasLeftProcesses {
        report(.warning("`\(run.node.address)` left processes running when it ended; they were killed"))
      }
      switch state {
      case .done(let outputs): try finish(run, outputs)
      case .stopped: report(.nodeStopped(run.node.index))
      case .failed(let failure): try fail(run, failure)
      case .lost(let message): try fail(run, JobFailure(.lost, message, showsLog: true))
      case .preempted(let message): try startAgain(run, message)
      }
    }
  }

  private func finish(_ run: RunningNode, _ outputs: [StoredOutput]) throws {
    let node = run.node
    if let model = try resolution.changedModel(of: node) {
      return try fail(
        run,
        JobFailure(
          .input, "the model `\(model)` changed while `\(node.address)` ran; its result is not kept",
          showsLog: false))
    }
    let digests = try resolution.fileDigests(of: node)
    if let (file, _) = zip(node.files, zip(digests, run.fileDigests)).first(where: { $1.0 != $1.1 }) {
      let name = file.paths.count == 1 ? "`\(file.paths[0])`" : "a file of the option `\(file.option)`"
      return try fail(
        run,
        JobFailure(
          .input, "\(name) changed while `\(node.address)` ran; its result is not kept", showsLog: false))
    }
    var provenance = resolution.provenance(of: node)
    provenance.files = resolution.fileStates(of: node)
    let record = NodeRecord(
      key: run.ready.key.hex, preimage: run.ready.key.preimage, outputs: outputs, address: node.address,
      recipeKey: node.recipeKey, seconds: monotonicSeconds() - run.startTime, measures: run.measures,
      provenance: provenance, readings: try resolution.readings(of: node))
    let wasRecomputed = recomputed.remove(node.index) != nil
    if wasRecomputed || options.selection.forced.contains(node.index) { try compareWithStored(record) }
    if wasRecomputed { reconsider(dependentsOf: node.index, given: record) }
    try resolution.store.write(record)
    resolution.finish(node.index, record)
    totals.executed += 1
    report(.nodeFinished(node.index, record))
    if !wasRecomputed { release(dependentsOf: node.index) }
    // They explain and save hashing, and decide nothing: a kill may cost the last seconds of them.
    if monotonicSeconds() - lastSaving > 2 { try saveCaches() }
  }

  /// One key, other bytes: the stage does not keep the promise its key stands for.
  private func compareWithStored(_ record: NodeRecord) throws {
    guard let stored = try resolution.store.unverifiedRecord(record.key) else { return }
    for output in record.outputs {
      guard let before = stored.output(output.port), before.digest != output.digest else { continue }
      report(
        .warning(
          "non-deterministic stage: `\(record.address)` computed a different `\(output.port)` under the same key: "
            + "\(before.digest.hex.prefix(16)) before, \(output.digest.hex.prefix(16)) now; the new result is kept"
        ))
    }
  }

  /// No attempt of its own went wrong: it goes on from its journal as soon as there is room.
  private func startAgain(_ run: RunningNode, _ message: String) throws {
    if isStopping { return report(.nodeStopped(run.node.index)) }
    var again = run.ready
    again.attempts -= 1
    enqueue(again)
    report(.nodeRetried(run.node.index, attempt: run.ready.attempts, afterSeconds: 0, message: message))
  }

  private func fail(_ run: RunningNode, _ problem: JobFailure) throws {
    let index = run.node.index
    if !isStopping, [.stageFailed, .remote, .lost].contains(problem.code),
      run.ready.attempts <= run.node.execution.retries
    {
      var again = run.ready
      let delay = Double(1 << min(again.attempts - 1, 5))
      again.retryTime = monotonicSeconds() + delay
      if problem.mayBeMemory { again.memoryKills += 1 }
      enqueue(again)
      report(
        .nodeRetried(index, attempt: again.attempts, afterSeconds: delay, message: problem.message))
      return
    }
    totals.failed += 1
    lost.insert(index)
    report(
      .nodeFailed(
        index, problem.code, message: problem.message,
        logTail: problem.showsLog ? run.log.lastLines : [],
        reproduce: problem.showsLog ? options.reproducing?(run.node.address) : nil))
    if recomputed.contains(index) {
      blockThoseWaiting(forBytesOf: index)
    } else {
      block(dependentsOf: index, because: index)
    }
    guard failure == nil else { return }
    failure = problem.code
    if isStopping { for other in running { other.requestStop() } }
  }
}

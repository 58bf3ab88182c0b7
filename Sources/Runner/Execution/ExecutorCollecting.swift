// Collecting: what the workers say, and what follows from how a node ended.

import System

extension Executor {
  func collect() throws {
    for run in running {
      let before = run.progress
      let state = try run.advance(now: monotonicSeconds())
      if let progress = run.progress, progress != before { tell(.nodeProgress(run.node.index, progress)) }
      guard let state else { continue }
      running.removeAll { $0 === run }
      slots.giveBack(run.grant)
      defer { run.close() }
      if run.hasLeftProcesses {
        tell(.warning("`\(run.node.address)` left processes running when it ended; they were killed"))
      }
      switch state {
      case .done(let outputs): try finish(run, outputs)
      case .stopped: tell(.nodeStopped(run.node.index))
      case .failed(let failure): try fail(run, failure)
      }
    }
  }

  private func finish(_ run: RunningNode, _ outputs: [StoredOutput]) throws {
    let node = run.node
    if let model = try resolution.changedModel(of: node) {
      return try fail(
        run,
        NodeFailure(
          .input, "the model `\(model)` changed while `\(node.address)` ran; its result is not kept",
          showsLog: false))
    }
    for (file, digest) in zip(node.files, try resolution.fileDigests(of: node)) {
      guard run.fileDigests.contains(where: { $0.path == file.path && $0.digest == digest }) else {
        return try fail(
          run,
          NodeFailure(
            .input, "`\(file.path)` changed while `\(node.address)` ran; its result is not kept",
            showsLog: false))
      }
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
    tell(.nodeFinished(node.index, record))
    if !wasRecomputed { release(dependentsOf: node.index) }
    // They explain and save hashing, and decide nothing: a kill may cost the last seconds of them.
    if monotonicSeconds() - lastSaving > 2 { try saveCaches() }
  }

  /// One key, other bytes: the stage does not keep the promise its key stands for.
  private func compareWithStored(_ record: NodeRecord) throws {
    guard let stored = try resolution.store.unverifiedRecord(record.key) else { return }
    for output in record.outputs {
      guard let before = stored.output(output.port), before.digest != output.digest else { continue }
      tell(
        .warning(
          "non-deterministic stage: `\(record.address)` computed a different `\(output.port)` under the same key: "
            + "\(before.digest.hex.prefix(16)) before, \(output.digest.hex.prefix(16)) now; the new result is kept"
        ))
    }
  }

  private func fail(_ run: RunningNode, _ problem: NodeFailure) throws {
    let index = run.node.index
    if !isStopping, [.stageFailed, .remote].contains(problem.code),
      run.ready.attempts <= run.node.execution.retries
    {
      var again = run.ready
      let delay = Double(1 << min(again.attempts - 1, 5))
      again.retryTime = monotonicSeconds() + delay
      if problem.mayBeMemory { again.memoryKills += 1 }
      enqueue(again)
      tell(
        .nodeRetried(index, attempt: again.attempts, afterSeconds: delay, message: problem.message))
      return
    }
    totals.failed += 1
    lost.insert(index)
    tell(
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

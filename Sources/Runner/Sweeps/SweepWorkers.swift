// Trials of a sweep in processes of their own, several at a time. What is suggested and ended does not depend on how many.

import Glibc
import System

package struct SweepWorkers {
  /// At once.
  package let count: Int
  /// Of this program, for a run up to an address or whole.
  package let arguments: (_ run: TrialRun, _ trial: RunTrial, _ until: String?) -> [String]

  package init(
    count: Int, arguments: @escaping (_ run: TrialRun, _ trial: RunTrial, _ until: String?) -> [String]
  ) {
    self.count = count
    self.arguments = arguments
  }

  private struct Question: Hashable {
    let identity: String
    let iterations: Int?
  }

  /// A process with what it prints, which nobody reads unless it fails.
  private struct Worker {
    let question: Question
    let words: String
    let process: ChildProcess
    let output: File
    let start: Double
  }

  /// - Parameters:
  ///   - say: what a run is called, for a line on stderr.
  ///   - check: before a run starts.
  /// - Returns: how the first ended that is no result of its trial, nil where none did.
  func run(
    _ progress: SweepProgress, signals: SignalDescriptor, say: (SweepTrial, TrialRun, Int?) -> String,
    check: (TrialRun) throws -> Void
  ) throws -> ExitCode? {
    var workers: [Worker] = []
    var ended: Set<Question> = []
    var stopped: ExitCode?
    var unexpected = false
    defer { for worker in workers { worker.process.sendToGroup(SIGKILL) } }
    while true {
      var wanted: [(question: Question, words: String, run: TrialRun, trial: RunTrial, until: String?)] = []
      if stopped == nil {
        try progress.advance { trial, run, iterations in
          let question = Question(identity: run.identity, iterations: iterations)
          if ended.contains(question) { return true }
          guard wanted.count < count, !workers.contains(where: { $0.question == question }),
            !wanted.contains(where: { $0.question == question })
          else { return false }
          let until = try iterations.map { try run.address(of: progress.sweep.metric ?? "", iterations: $0) }
          wanted.append(
            (
              question, say(trial, run, iterations), run,
              RunTrial(number: trial.number + 1, iterations: iterations), until
            ))
          return false
        }
      }
      for each in wanted.prefix(max(0, count - workers.count)) {
        try check(each.run)
        workers.append(
          try start(each.question, each.words, arguments(each.run, each.trial, each.until), progress))
      }
      if workers.isEmpty { return stopped ?? (unexpected ? .unexpected : nil) }
      guard let place = try firstToEnd(workers, signals, &stopped) else { continue }
      let worker = workers.remove(at: place.index)
      ended.insert(worker.question)
      let code = report(worker, place.ending)
      worker.output.closeQuietly()
      unexpected = unexpected || code == .unexpected
      if stopped == nil { stopped = code.isResult ? (failsSweep(code, progress) ? code : nil) : code }
    }
  }

  private func failsSweep(_ code: ExitCode, _ progress: SweepProgress) -> Bool {
    progress.sweep.failures == .stop && ![.done, .unexpected].contains(code)
  }

  private func start(
    _ question: Question, _ words: String, _ arguments: [String], _ progress: SweepProgress
  ) throws -> Worker {
    let path = "\(progress.store.temporaries)/sweep.\(TemporaryName.make())"
    let output = try File.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    unlink(path)
    let process = try ChildProcess.start(
      ChildProcess.ownProgram, named: Program.name, arguments: arguments,
      environment: ChildProcess.ownEnvironment, descriptors: [nil, output.descriptor, output.descriptor])
    RunSession.report("start   \(words)")
    return Worker(
      question: question, words: words, process: process, output: output, start: monotonicSeconds())
  }

  /// Waits; a signal goes on to all of them, which stop where the same command resumes.
  private func firstToEnd(_ workers: [Worker], _ signals: SignalDescriptor, _ stopped: inout ExitCode?) throws
    -> (index: Int, ending: ChildProcess.Ending)?
  {
    while true {
      for (index, worker) in workers.enumerated() {
        if let ending = worker.process.ending() { return (index, ending) }
      }
      if let signal = try signals.next(within: 20) {
        for worker in workers { worker.process.send(signal) }
        if stopped == nil {
          RunSession.report("stopping (\(signalName(signal))): \(workers.count) runs save what they finished")
          stopped = signal == SIGINT ? .interrupted : .terminated
        }
      }
    }
  }

  private func report(_ worker: Worker, _ ending: ChildProcess.Ending) -> ExitCode {
    let time = duration(monotonicSeconds() - worker.start)
    var code = ExitCode.lost
    if case .exited(let number) = ending { code = ExitCode(rawValue: number) ?? .bug }
    if code == .done {
      RunSession.report("done    \(worker.words)  \(time)")
      return code
    }
    var how = "exit \(code.rawValue)"
    if case .signalled(let signal) = ending { how = signalName(signal) }
    RunSession.report("failed  \(worker.words): \(how)  \(time)")
    lseek(worker.output.descriptor, 0, SEEK_SET)
    var text: [UInt8] = []
    try? worker.output.readBlocks { text += $0 }
    for line in text.split(separator: 0x0A).suffix(10) {
      RunSession.report("        | \(TerminalText.escaped(String(decoding: line, as: UTF8.self)))")
    }
    return code
  }
}

extension ExitCode {
  /// Whether a trial that ends so has a result, if only that it failed; else the sweep goes on from there when it is run again.
  var isResult: Bool {
    switch self {
    case .done, .unexpected, .stageFailed, .input, .lost: true
    default: false
    }
  }
}

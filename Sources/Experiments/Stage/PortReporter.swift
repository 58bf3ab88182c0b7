// A stage's reports on the rows of one of its ports, told apart from those on the others.

import JSON

extension StageContext {
  /// The same context, whose log and numbers say that they are of what is at this port.
  package func reporting(on port: String) -> StageContext {
    StageContext(
      options: options, inputs: inputs, collections: collections, seed: seed, numericMode: numericMode,
      threads: threads, engine: engine, scratch: scratch, checkpointDirectory: checkpointDirectory,
      checkpointSeconds: checkpointSeconds, shard: shard, journalDirectory: journalDirectory,
      outputDirectory: outputDirectory, reporter: PortReporter(reporter, port))
  }
}

private struct PortReporter: StageReporter {
  private let reporter: any StageReporter
  private let port: String

  init(_ reporter: any StageReporter, _ port: String) {
    self.reporter = reporter
    self.port = port
  }

  func progress(done: Int, total: Int, unit: String, message: String?) {
    reporter.progress(done: done, total: total, unit: unit, message: message)
  }
  func progress(
    done: Int, total: Int, unit: String, message: String?, values: [(name: String, value: Double)]
  ) {
    reporter.progress(done: done, total: total, unit: unit, message: message, values: values)
  }
  func log(_ line: String) { reporter.log("`\(port)`: \(line)") }
  func measure(_ name: String, _ value: Double) { reporter.measure("\(name)_at_\(port)", value) }
  var isStopRequested: Bool { reporter.isStopRequested }
}

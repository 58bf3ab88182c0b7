// `plumb verify`: finished nodes computed again, and whether their bytes are the stored ones. The store keeps nothing of it.

import Glibc
import JSON
import System

package struct Recomputation {
  package struct Difference: Sendable {
    package let port: String
    package let stored: Digest
    package let computed: Digest
  }

  package enum Outcome: Sendable {
    case same
    case different([Difference])
    /// With the last lines of its log.
    case failed(ExitCode, message: String, log: [String])
    /// What it reads was evicted.
    case lacksInput(String)
    /// By a signal.
    case stopped
  }

  private let resolution: Resolution
  private let threads: Int?
  private let signals: SignalDescriptor

  package init(_ plan: Plan, store: Store, stages: [any Stage.Type], threads: Int?) throws {
    signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP])
    var resolution = try Resolution(plan: plan, store: store, stages: stages)
    for index in plan.nodes.indices { _ = try resolution.decide(index) }
    self.resolution = resolution
    self.threads = threads
  }

  /// Of a node that is finished.
  package func record(_ index: Int) -> NodeRecord? { resolution.records[index] }

  /// Whether a loop ended before it.
  package func isSkipped(_ index: Int) -> Bool { resolution.skipped.contains(index) }

  /// - Precondition: the node is finished.
  package func outcome(of index: Int) throws -> Outcome {
    guard let record = resolution.records[index] else { preconditionFailure("node \(index) is not finished") }
    let node = resolution.plan.nodes[index]
    var tail: [UInt8] = []
    var differences: [Difference] = []
    let end: JobEnd
    do {
      end = try NodeComputation(node, of: resolution, signals, threads: threads, mayAsk: false).run(
        leaving: nil,
        log: { bytes in
          tail += bytes
          if tail.count > Self.tailBytes { tail.removeFirst(tail.count - Self.tailBytes) }
        },
        then: { outputs, _ in
          differences = outputs.compactMap { output in
            guard let stored = record.output(output.port), stored.digest != output.digest else { return nil }
            return Difference(port: output.port, stored: stored.digest, computed: output.digest)
          }
        })
    } catch let error as EvictedError {
      return .lacksInput(error.description)
    }
    switch end {
    case .done: return differences.isEmpty ? .same : .different(differences)
    case .stopped: return .stopped
    case .failed(let failure):
      return .failed(
        failure.code, message: failure.message, log: failure.showsLog ? Self.lastLines(tail) : [])
    case .lost(let message), .preempted(let message): return .failed(.lost, message: message, log: [])
    }
  }

  private static let tailBytes = 4096
  private static let tailLines = 10

  private static func lastLines(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: 0x0A).suffix(tailLines).map { String(decoding: $0, as: UTF8.self) }
  }
}

// What is new of runs that run, for pages that are open.

import Charts
import JSON
import Report
import RunIndex
import Runner
import Synchronization
import System

/// Of the list: how far each running run is, and a word that changes when a run begins or ends.
final class RunsEvents: Sendable {
  private let runs: String
  private let last = Mutex("")

  init(_ runs: String) { self.runs = runs }

  @Sendable func next() throws -> String? {
    let all = try RunIndex(runs: runs).runs()
    let states = Digest.of(text: all.map { "\($0.id) \($0.state.rawValue)" }.joined(separator: "\n")).hex
    let running = try all.filter { $0.state == .running }.map { run -> (String, JSON) in
      let progress = try RunProgress(run)
      return (
        run.id,
        [
          "done": .int(Int64(progress.done)), "total": .int(Int64(progress.total)),
          "text": .string(progress.lines.first ?? ""),
        ]
      )
    }
    let news = JSON.object(
      JSONObject([("states", .string(String(states.prefix(16)))), ("running", .object(JSONObject(running)))])
    ).text()
    return last.withLock { last in
      guard last != news else { return nil }
      last = news
      return news
    }
  }
}

/// Of one run: its running stages with their curves, and a word that changes when a stage has finished.
final class ProgressEvents: Sendable {
  private let run: String
  private let last = Mutex((news: "", hasEnded: false))

  init(_ run: RunSummary) { self.run = run.path }

  @Sendable func next() throws -> String? {
    guard let run = try RunSummary(directory: run) else { throw EndOfEvents() }
    if last.withLock({ $0.hasEnded }) { throw EndOfEvents() }
    let progress = try RunProgress(run)
    let state = run.state
    let news = JSON.object(
      JSONObject([
        ("state", .string(state.rawValue)), ("finished", .int(Int64(progress.done))),
        ("lines", .array(progress.lines.map { .string(Markup.visible($0)) })),
        ("curves", .string(progress.curves.markup)),
      ])
    ).text()
    return last.withLock { last in
      last.hasEnded = state != .running
      guard last.news != news else { return nil }
      last.news = news
      return news
    }
  }
}

/// Of a sweep: what its runs do, and a word that changes when one begins or ends.
final class SweepEvents: Sendable {
  private let runs: String
  private let experiment: String
  private let last = Mutex("")

  init(_ runs: String, experiment: String) {
    self.runs = runs
    self.experiment = experiment
  }

  @Sendable func next() throws -> String? {
    let all = try RunIndex(runs: runs).runs().filter { UTF8Key($0.experiment) == UTF8Key(experiment) }
    let running = all.filter { $0.state == .running }
    let lines = try running.flatMap { run in
      try RunProgress(run).lines.map { "\(run.trial.map { "trial \($0.number): " } ?? "")\($0)" }
    }
    let news = JSON.object(
      JSONObject([
        ("state", "running"), ("finished", .int(Int64(all.count - running.count))),
        ("lines", .array(lines.map { .string(Markup.visible($0)) })),
      ])
    ).text()
    return last.withLock { last in
      guard last != news else { return nil }
      last = news
      return news
    }
  }
}

/// How far a run is.
private struct RunProgress {
  let done: Int
  let total: Int
  /// One for each stage that runs.
  let lines: [String]
  /// All of each, so that a page that was away misses nothing.
  let curves: LiveCurves

  init(_ run: RunSummary) throws {
    let nodes = try RunNode.read(run.path)
    done = nodes.count { [.done, .cached, .skipped].contains($0.state) }
    total = max(1, run.nodes)
    curves = LiveCurves(nodes)
    lines = nodes.filter { $0.state == .running }.map { node in
      let progress = node.progress.map { progress in
        " \(progress.done)/\(progress.total) \(progress.unit)" + (progress.message.map { " · \($0)" } ?? "")
      }
      return node.address + (progress ?? "")
    }
  }
}

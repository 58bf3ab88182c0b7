// Which page stands at which path.

import JSON
import Report
import RunIndex
import Runner
import System

package struct Site: Sendable {
  /// The folder of the runs.
  private let runs: String
  private let store: String
  /// The page of the sweep that a run is a trial of; nil where it cannot be made.
  private let sweepPage: @Sendable (RunSummary) throws -> Page?

  package init(
    runs: String, store: String, sweepPage: @escaping @Sendable (RunSummary) throws -> Page?
  ) {
    self.runs = runs
    self.store = store
    self.sweepPage = sweepPage
  }

  /// - Returns: of what fails, its words.
  @Sendable package func answer(_ request: HTTPRequest) -> HTTPAnswer {
    do {
      return try page(request) ?? .text(404, "there is no page `\(request.path)`")
    } catch let error as RunError where error.exitCode == .commandLine {
      return .text(404, error.description)
    } catch {
      return .text(500, "\(error)")
    }
  }

  private func page(_ request: HTTPRequest) throws -> HTTPAnswer? {
    let parts = request.path.split(separator: "/").map(String.init)
    switch parts.first {
    case nil: return .html(try RunsPage(all()).html)
    case "events"? where parts.count == 1: return .events(RunsEvents(runs).next)
    case "compare"? where parts.count == 1:
      let ids = request.query.filter { $0.name == "run" }.map(\.value)
      let chosen = try ids.map { try find($0) }
      let page = try ComparedPage(chosen, store: Store(at: store)).page
      return .html(PageHTML(page, frame: PageFrame(links: [PageFrame.home])).text)
    case "sweep"? where parts.count == 2:
      let run = try find(parts[1])
      guard let page = try sweepPage(run) else { return nil }
      let events = "/sweep/\(HTTPRequest.encoded(run.id))/events"
      return .html(PageHTML(page, frame: PageFrame(links: [PageFrame.home], events: events)).text)
    case "sweep"? where parts.count == 3 && parts[2] == "events":
      return .events(SweepEvents(runs, experiment: try find(parts[1]).experiment).next)
    case "run"? where parts.count == 2:
      let run = try find(parts[1])
      let events = run.state == .running ? "/run/\(HTTPRequest.encoded(run.id))/events" : nil
      return .html(
        PageHTML(
          try RunPage(run, store: Store(at: store)).page,
          frame: PageFrame(
            links: links(run), logs: try logs(run), events: events,
            curves: LiveCurves(events == nil ? [] : try RunNode.read(run.path)))
        ).text)
    case "run"? where parts.count == 3 && parts[2] == "events":
      return .events(ProgressEvents(try find(parts[1])).next)
    case "run"? where parts.count == 4 && parts[2] == "logs":
      return try log(try find(parts[1]), parts[3])
    default: return nil
    }
  }

  private func all() throws -> [RunSummary] { try RunIndex(runs: runs).runs() }

  private func find(_ id: String) throws -> RunSummary { try RunSelector.find(id, in: try all()) }

  private func links(_ run: RunSummary) -> [PageFrame.Link] {
    let sweep = PageFrame.Link("the sweep", "/sweep/\(HTTPRequest.encoded(run.id))")
    return [PageFrame.home] + (run.trial == nil ? [] : [sweep])
  }

  /// Of stages that printed something.
  private func logs(_ run: RunSummary) throws -> [PageFrame.Link] {
    try RunNode.read(run.path).filter { node in
      FileStatus.of(RunNode.logPath(run.path, node.address)).map { $0.size > 0 } ?? false
    }.map { node in
      PageFrame.Link(
        node.address, "/run/\(HTTPRequest.encoded(run.id))/logs/\(HTTPRequest.encoded(node.address))")
    }
  }

  /// What a stage printed, as a text whatever it holds.
  private func log(_ run: RunSummary, _ address: String) throws -> HTTPAnswer? {
    // The address is one of the plan: what is asked for names no file.
    guard let node = try RunNode.read(run.path).first(where: { UTF8Key($0.address) == UTF8Key(address) }),
      let bytes = try? File.read(RunNode.logPath(run.path, node.address))
    else { return nil }
    return .whole(
      status: 200, type: "text/plain; charset=utf-8", body: String(decoding: bytes, as: UTF8.self))
  }
}

// Runs side by side: what differs among their parameters, their metrics, and their curves in one picture.

import Charts
import Report
import Runner
import System

struct ComparedPage {
  private let runs: [RunSummary]
  private let store: Store

  /// - Throws: `RunError` (2) for fewer than two.
  init(_ runs: [RunSummary], store: Store) throws {
    guard runs.count > 1 else { throw RunError(.commandLine, "at least two runs are compared") }
    self.runs = runs
    self.store = store
  }

  private static let mostCharts = 24

  var page: Page {
    get throws {
      let comparison = try RunComparison(runs, by: nil, over: nil, metrics: nil, sort: nil)
      return Page(
        "Compared runs", subtitle: runs.map { "\($0.experiment) \($0.id)" }.joined(separator: ", "),
        state: "\(runs.count) runs",
        [
          Page.Section(
            "Metrics",
            [.table(comparison.table)] + comparison.notes.map { Page.Block.paragraph($0) }),
          Page.Section("Curves", try curves()),
        ])
    }
  }

  /// Declared metrics that have a curve in one of them.
  private func curves() throws -> [Page.Block] {
    let all = try runs.map { ($0, try RunCurves($0, store: store)) }
    let pictures = all.flatMap { $0.1.names }.distinct().compactMap { name -> Page.Picture? in
      var xName = ""
      let series = all.flatMap { run, curves in
        ((try? curves.curves(name)) ?? []).filter { $0.points.count > 1 }.map { curve -> Chart.Series in
          xName = curve.xName
          return Chart.Series(run.id, curve.points.map { Chart.Point(x: $0.x, y: $0.y, error: $0.error) })
        }
      }
      guard !series.isEmpty else { return nil }
      return Page.Picture(
        "curve-\(name)", ChartSVG(Chart(name, x: xName, y: name, series), width: 420, height: 300))
    }
    return pictures.isEmpty ? [] : [.pictures(Array(pictures.prefix(Self.mostCharts)))]
  }
}

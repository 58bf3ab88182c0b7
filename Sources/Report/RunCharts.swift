// What can be drawn of a run's numbers: evaluations over iterations, trainings over steps, classes as histograms.

import Charts
import JSON
import Runner
import System

struct RunCharts {
  private let contents: RunContents
  private let evaluations: [(address: String, values: JSONObject)]

  private static let (width, height) = (360, 260)
  private static let mostCharts = 24
  private static let mostPoints = 300

  init(_ contents: RunContents) throws {
    self.contents = contents
    let stages = Dictionary(
      contents.nodes.map { (UTF8Key($0.address), $0.stage) }, uniquingKeysWith: { a, _ in a })
    evaluations = EvaluationTable(of: contents.run).rows.filter {
      stages[UTF8Key($0.address)] == "evaluate"
    }
  }

  // MARK: evaluations

  /// Each metric from iteration to iteration, or before and after where there is no loop; reward against KL.
  func measured() -> [Page.Block] {
    let names = evaluations.flatMap { _, values in
      values.keys.filter { values["\($0)\(StageContext.standardError)"] != nil }
    }.distinct()
    let isLoop = evaluations.contains { PlanAddress.withoutIterations($0.address) != $0.address }
    var pictures = names.compactMap { name -> Page.Picture? in
      isLoop ? overIterations(name) : beside(name)
    }
    if let tradeOff = rewardAgainstKL() { pictures.append(tradeOff) }
    guard !pictures.isEmpty else { return [] }
    return [
      .pictures(Array(pictures.prefix(Self.mostCharts))),
      .paragraph("Whiskers: one standard error over prompts."),
    ]
  }

  /// What was evaluated before the loop stands at 0.
  private func overIterations(_ name: String) -> Page.Picture? {
    var families: [(name: String, points: [Chart.Point])] = []
    var before: [Chart.Point] = []
    for (address, values) in evaluations {
      guard let y = values[name]?.doubleValue else { continue }
      let error = values["\(name)\(StageContext.standardError)"]?.doubleValue
      guard let iteration = PlanAddress.iteration(address) else {
        if families.isEmpty { before = [Chart.Point(x: 0, y: y, error: error)] }
        continue
      }
      let family = PlanAddress.withoutIterations(address)
      let place = families.firstIndex { UTF8Key($0.name) == UTF8Key(family) } ?? families.count
      if place == families.count { families.append((family, [])) }
      families[place].points.append(Chart.Point(x: Double(iteration), y: y, error: error))
    }
    guard families.contains(where: { $0.points.count + before.count > 1 }) else { return beside(name) }
    let chart = Chart(
      name, x: before.isEmpty ? "iteration" : "iteration (0: before)", y: name,
      families.map { Chart.Series($0.name, before + $0.points) })
    return Page.Picture("curve-\(fileName(name))", ChartSVG(chart, width: Self.width, height: Self.height))
  }

  private func beside(_ name: String) -> Page.Picture? {
    let found = evaluations.filter { $0.values[name]?.doubleValue != nil }
    let isFlat = found.allSatisfy { $0.values[name]?.doubleValue == 0 }
    guard found.count > 1, found.count <= 12, !isFlat else { return nil }
    let bars = BarChart(
      name, x: "", y: name, categories: found.map(\.address),
      [
        BarChart.Series(
          name, found.map { $0.values[name]?.doubleValue },
          errors: found.map { $0.values["\(name)\(StageContext.standardError)"]?.doubleValue })
      ], width: Self.width, height: Self.height)
    return Page.Picture("bars-\(fileName(name))", bars)
  }

  private func rewardAgainstKL() -> Page.Picture? {
    let points = evaluations.compactMap { _, values -> Chart.Point? in
      guard let x = values["kl"]?.doubleValue, let y = values["reward"]?.doubleValue else { return nil }
      return Chart.Point(x: x, y: y, error: values["reward\(StageContext.standardError)"]?.doubleValue)
    }
    guard points.count > 1 else { return nil }
    let chart = Chart(
      "reward against KL", x: "KL to the reference (nats)", y: "reward",
      [Chart.Series("iterations", points, isJoined: false)])
    return Page.Picture("reward-kl", ChartSVG(chart, width: Self.width, height: Self.height))
  }

  // MARK: training

  /// Loss, its terms and what else a training writes for each step; the iterations of one stage in one picture.
  func training() -> [Page.Block] {
    var charts: [(family: String, name: String, series: [Chart.Series])] = []
    var isCondensed = false
    // The policy first, which a loop trains, then what was trained once.
    let places = contents.nodes.indices.filter { contents.nodes[$0].stage == "train" }
    let (looped, once) = (
      places.filter { PlanAddress.iteration(contents.nodes[$0].address) != nil },
      places.filter { PlanAddress.iteration(contents.nodes[$0].address) == nil }
    )
    for place in looped + once {
      let address = contents.nodes[place].address
      let family = PlanAddress.withoutIterations(address)
      for (name, value) in contents.metrics(place)?.members ?? [] {
        guard let values = value.arrayValue?.map({ $0.doubleValue ?? .nan }), values.count > 1 else {
          continue
        }
        let points = Self.condensed(values)
        isCondensed = isCondensed || points.count < values.count
        let index =
          charts.firstIndex { UTF8Key($0.family) == UTF8Key(family) && UTF8Key($0.name) == UTF8Key(name) }
          ?? charts.count
        if index == charts.count { charts.append((family, name, [])) }
        charts[index].series.append(Chart.Series(address, points))
      }
    }
    let pictures = charts.prefix(2 * Self.mostCharts).map { family, name, series in
      Page.Picture(
        "train-\(fileName(family))-\(fileName(name))",
        ChartSVG(
          Chart("\(family): \(name)", x: "step", y: name, Array(series.suffix(6))), width: Self.width,
          height: Self.height))
    }
    guard !pictures.isEmpty else { return [] }
    return [.pictures(Array(pictures))]
      + (isCondensed
        ? [.paragraph("Of long trainings each point is a mean of steps that follow each other.")] : [])
  }

  private static func condensed(_ values: [Double]) -> [Chart.Point] {
    let count = min(mostPoints, values.count)
    return (0..<count).map { part in
      let range = (part * values.count / count)..<((part + 1) * values.count / count)
      let finite = values[range].filter(\.isFinite)
      return Chart.Point(
        x: Double(range.upperBound),
        y: finite.isEmpty ? .nan : finite.reduce(0, +) / Double(finite.count))
    }
  }

  // MARK: classes

  /// How the rewards of each class are spread, in what the last iteration sorted.
  func classes() throws -> [Page.Block] {
    guard
      let place = contents.nodes.indices.last(where: {
        contents.nodes[$0].stage == "quantize" && contents.records[$0] != nil
      }),
      let output = contents.records[place]?.outputs.first(where: { $0.type == .rows }),
      output.size <= 64 << 20, output.columns.samples.contains("quantiles"),
      output.columns.samples.contains("rewards"), let path = try? contents.store.readingPath(output)
    else { return [] }
    let rows = try readRows(path, requiring: [], reading: ["quantiles", "rewards"])
    var byClass: [Int: [Double]] = [:]
    for row in rows {
      let rewards = row["rewards"]?.arrayValue ?? []
      for (index, number) in (row["quantiles"]?.arrayValue ?? []).enumerated() where index < rewards.count {
        guard let number = number.intValue, let reward = rewards[index].doubleValue else { continue }
        byClass[number, default: []].append(reward)
      }
    }
    guard byClass.count > 1 else { return [] }
    let numbers = byClass.keys.sorted()
    let histogram = Histogram(numbers.map { byClass[$0] ?? [] }, bins: 16)
    let chart = BarChart(
      "rewards by class", x: "reward", y: "samples", categories: histogram.bins,
      zip(numbers, histogram.counts).map { BarChart.Series("class \($0)", $1.map { $0 }) }, isStacked: true,
      width: 560,
      height: 300)
    let table = numbers.map { number -> [String] in
      let values = byClass[number] ?? []
      let mean = values.reduce(0, +) / Double(max(1, values.count))
      return ["\(number)", "\(values.count)", TextTable.number(mean)]
    }
    return [
      .paragraph("Samples of \(contents.nodes[place].address), 0 the best class."),
      .widePicture(Page.Picture("classes", chart)), .table([["class", "samples", "mean reward"]] + table),
    ]
  }

  /// Of what a metric or an address is called.
  private func fileName(_ name: String) -> String {
    String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") ? $0 : "-" })
  }
}

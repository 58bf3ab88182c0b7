// How far a sweep came: its trials one after the other, what each measured, and which were ended. Runs nothing by itself.

import JSON
import Search
import System

package struct SweepTrial {
  package enum State: Equatable {
    case done
    /// After so many iterations.
    case ended(Int)
    case failed
    /// By a person.
    case removed
    /// First failed, and finished since.
    case recovered
    /// Some of its runs, or some iterations, are measured.
    case begun
    case waiting
  }

  /// From 0.
  package let number: Int
  package let values: JSONObject
  package let runs: [TrialRun]
  package internal(set) var state = State.waiting
  /// What suggestions and ends follow from; nil while it is not known.
  package internal(set) var outcome: Outcome?
}

/// A class because its trials are met in turn, by whoever runs them and by whoever only looks.
package final class SweepProgress {
  package let sweep: Sweep
  /// Names the sweep in the record.
  package let id: String
  package private(set) var trials: [SweepTrial] = []
  let record: TrialRecord
  /// Whether what failed is run again.
  package var retriesFailed = false
  let store: Store
  let stages: [any Stage.Type]
  private let planner: TrialPlanner
  private var sequence: TrialSequence
  private var planned: [[String]: TrialRun] = [:]
  /// Whole runs that the store was found to have.
  private var finished: [String: TrialRecord.Measurement] = [:]

  /// Runs a trial's run so far that its metric after these iterations, or all of it, is known; false to leave it as it is.
  package typealias Runner = (_ trial: SweepTrial, _ run: TrialRun, _ iterations: Int?) throws -> Bool

  package init(
    _ sweep: Sweep, record: TrialRecord, store: Store, stages: [any Stage.Type],
    planner: @escaping TrialPlanner
  ) throws {
    self.sweep = sweep
    self.record = record
    self.store = store
    self.stages = stages
    self.planner = planner
    id = String(Digest.of(text: sweep.definition.text(.canonical)).hex.prefix(16))
    sequence = try sweep.sequence()
  }

  /// How many trials it has.
  package var count: Int { sequence.count ?? sweep.trials ?? 0 }

  /// Whether later trials are suggested from earlier ones, so that they are known only when those are.
  var hasOutcomesToWaitFor: Bool { if case .tpe = sweep.method { true } else { false } }

  private var metric: String { sweep.metric ?? "" }
  private var goal: Goal { sweep.goal ?? .minimize }

  /// From 0.
  package func remove(trial: Int) throws { try record.remove(id, trial: trial) }

  /// Writes what the sweep is beside what it measures.
  func note() throws { try record.note(id, sweep.definition) }

  /// Stages of all runs of the trials met so far, and how many of them are different.
  package var stageCounts: (all: Int, different: Int) {
    let keys = trials.flatMap(\.runs).flatMap { $0.plan.nodes.map(\.recipeKey) }
    return (keys.count, Set(keys).count)
  }

  // MARK: going on

  /// Goes through the trials from the first on. With a runner that runs nothing it comes as far as their outcomes are known.
  package func advance(_ run: Runner) throws {
    trials = []
    sequence = try sweep.sequence()
    while trials.count < count {
      let first = trials.count
      let size = sweep.earlyEnd?.kind == .halving ? halving.cohort(of: first, among: count).count : 1
      while trials.count < first + size {
        guard case .trial(let trial) = try sequence.next() else { return }
        try append(trial)
      }
      switch sweep.earlyEnd?.kind {
      case nil: try finish(first, run)
      case .halving: try halve(first..<first + size, run)
      case .median: try endByMedian(first, run)
      case .asha: try endByArrivals(first, run)
      }
      for index in first..<first + size {
        if let outcome = trials[index].outcome { sequence.record(outcome, of: index) }
      }
    }
  }

  private func append(_ trial: Trial) throws {
    let runs = try sweep.repetitions.map { repetition -> TrialRun in
      let key = (trial.values.members + repetition.members).map { "\($0.key)=\($0.value.text())" }
      if let known = planned[key] { return known }
      let run = try TrialRun(trial.values, repetition, planner) { plan in
        let models = try Resolution(plan: plan, store: store, stages: stages).models
        return plan.models.compactMap { models[UTF8Key($0.name)]?.digest.hex }
      }
      planned[key] = run
      return run
    }
    trials.append(SweepTrial(number: trial.number, values: trial.values, runs: runs))
    if record.isRemoved(id, trial: trial.number) { trials[trial.number].state = .removed }
  }

  /// All iterations of a trial.
  private func finish(_ index: Int, _ run: Runner) throws {
    guard let measured = try measure(index, iterations: nil, run) else { return }
    settle(index, measured.outcome)
  }

  private func settle(_ index: Int, _ outcome: Outcome) {
    trials[index].outcome = outcome
    switch (trials[index].state, outcome) {
    case (.removed, _): break
    case (_, .ended(let iterations, _)): trials[index].state = .ended(iterations)
    case (_, .value): trials[index].state = .done
    case (.recovered, .failed): break
    case (_, .failed): trials[index].state = .failed
    }
  }

  // MARK: measuring

  /// The mean over a trial's repetitions, failed where one is; nil where it is not known. A trial that was removed before it was
  /// known counts as failed.
  private func measure(_ index: Int, iterations: Int?, _ run: Runner) throws -> TrialRecord.Measurement? {
    let isRemoved = trials[index].state == .removed
    var values: [Double] = []
    var (hasFailed, isRecovered) = (false, true)
    for each in trials[index].runs {
      let (first, now) = try measure(index, each, iterations: iterations, run)
      isRecovered = isRecovered && now != nil && now != .failed
      switch first {
      case .value(let value)?: values.append(value)
      case .failed?: hasFailed = true
      case nil: break
      }
      // The others would not change it.
      if hasFailed, !isRecovered { return .failed }
      if first != nil, trials[index].state == .waiting { trials[index].state = .begun }
    }
    if hasFailed {
      if isRecovered, !isRemoved, iterations == nil { trials[index].state = .recovered }
      return .failed
    }
    guard values.count == trials[index].runs.count else { return isRemoved ? .failed : nil }
    return .value(values.reduce(0, +) / Double(values.count))
  }

  /// What was measured first, and what the store says now.
  private func measure(
    _ index: Int, _ each: TrialRun, iterations: Int?, _ run: Runner
  ) throws -> (first: TrialRecord.Measurement?, now: TrialRecord.Measurement?) {
    let first = record.first(each.identity, metric, iterations: iterations)
    // What came after so many iterations is asked for again only by decisions.
    if iterations != nil, let first { return (first, first) }
    if let now = finished[each.identity], iterations == nil { return (first ?? now, now) }
    var now = try stored(each, iterations: iterations)
    if now == nil, trials[index].state != .removed, first != .failed || retriesFailed,
      try run(trials[index], each, iterations)
    {
      now = try stored(each, iterations: iterations) ?? .failed
    }
    if let now, first == nil {
      try record.add(now, each.identity, metric, iterations: iterations, settings: each.settings)
    }
    if iterations == nil, let now, now != .failed { finished[each.identity] = now }
    return (first ?? now, now)
  }

  /// As the store has it; nil where a stage that it needs is not finished.
  func stored(_ each: TrialRun, iterations: Int?) throws -> TrialRecord.Measurement? {
    var resolution = try Resolution(plan: each.plan, store: store, stages: stages)
    let metric = try sweep.metric.map { try each.metric($0, isSeries: iterations != nil) }
    let selection = try each.selection(of: self.metric, iterations: iterations)
    for node in each.plan.nodes where selection.contains(node.index) {
      switch try resolution.decide(node.index) {
      case .cached, .skipped: continue
      case .willRun, .waits: return nil
      }
    }
    guard let metric else { return .value(0) }
    let reader = MetricReader(records: resolution.records, skipped: resolution.skipped, store: store)
    let values = try reader.values(of: metric)
    // A loop that ended by itself has no later values.
    guard let value = values.last?.value.doubleValue, value.isFinite else { return .failed }
    return .value(value)
  }

  /// Of a trial that was measured whole, the metrics of its runs as the store has them now.
  package func metrics(of run: TrialRun) throws -> MetricValues? {
    var resolution = try Resolution(plan: run.plan, store: store, stages: stages)
    for node in run.plan.nodes { _ = try resolution.decide(node.index) }
    guard !resolution.records.isEmpty else { return nil }
    return try MetricValues(
      of: run.plan, records: resolution.records, skipped: resolution.skipped, store: store)
  }

  // MARK: early ends

  private var halving: SuccessiveHalving {
    let end = sweep.earlyEnd
    return SuccessiveHalving(
      least: end?.least ?? 1, factor: end?.factor ?? 3, cohortSize: end?.cohort ?? 9)
  }

  /// How many iterations the metric has.
  private func iterations(_ index: Int) throws -> Int {
    try trials[index].runs[0].metric(metric, isSeries: true).nodes.count
  }

  private func halve(_ cohort: Range<Int>, _ run: Runner) throws {
    var going = Array(cohort)
    for rung in halving.rungs(of: try iterations(cohort.lowerBound)) {
      var arrived: [(trial: Int, outcome: Outcome)] = []
      for index in going {
        // Where one is not known, all of the cohort wait; the others of this rung can run.
        guard let measured = try measure(index, iterations: rung, run) else { continue }
        arrived.append((index, measured.outcome))
      }
      guard arrived.count == going.count else { return }
      let on = halving.goingOn(arrived, goal)
      for (index, outcome) in arrived where !on.contains(index) {
        if case .value(let value) = outcome {
          settle(index, .ended(iterations: rung, value: value))
        } else {
          try fail(index, run)
        }
      }
      going = on
    }
    for index in going { try finish(index, run) }
  }

  /// Of a trial that failed before a comparison: it is out of it for good, and run whole where failed trials are run again.
  private func fail(_ index: Int, _ run: Runner) throws {
    let whole = try measure(index, iterations: nil, retriesFailed ? run : { _, _, _ in false })
    if case .value? = whole, trials[index].state != .removed { trials[index].state = .recovered }
    settle(index, .failed)
  }

  private func endByMedian(_ index: Int, _ run: Runner) throws {
    let rule = MedianRule(
      leastIterations: sweep.earlyEnd?.least ?? 1, leastTrials: sweep.earlyEnd?.leastTrials ?? 5)
    let count = try iterations(index)
    var others: [[Double]] = []
    for other in trials.prefix(max(0, index - sweep.lag + 1)) {
      guard case .value? = other.outcome else {
        if other.outcome == nil { return }
        continue
      }
      others.append(try curve(other.number, upTo: count))
    }
    for iteration in 1..<max(count, 1) {
      guard let measured = try measure(index, iterations: iteration, run) else { return }
      guard case .value(let value) = measured else { return try fail(index, run) }
      if rule.ends(try curve(index, upTo: iteration), others: others, goal) {
        return settle(index, .ended(iterations: iteration, value: value))
      }
    }
    try finish(index, run)
  }

  /// The metric after each iteration, as far as it is known.
  private func curve(_ index: Int, upTo count: Int) throws -> [Double] {
    var values: [Double] = []
    for iteration in 1...max(count, 1) {
      guard case .value(let value)? = try measure(index, iterations: iteration, { _, _, _ in false }) else {
        break
      }
      values.append(value)
    }
    return values
  }

  private func endByArrivals(_ index: Int, _ run: Runner) throws {
    let identity = Digest.of(text: trials[index].runs.map(\.identity).joined(separator: " ")).hex
    for rung in halving.rungs(of: try iterations(index)) {
      guard let measured = try measure(index, iterations: rung, run) else { return }
      guard case .value(let value) = measured else { return try fail(index, run) }
      try record.arrive(id, identity, iterations: rung, value: value)
      let arrived = record.arrivals(id, iterations: rung)
      let place = arrived.firstIndex { $0.identity == identity } ?? arrived.endIndex - 1
      let before = arrived.prefix(place + 1).enumerated().map {
        (trial: $0.offset, outcome: $0.element.value.map { Outcome.value($0) } ?? .failed)
      }
      guard halving.goingOn(before, goal).contains(place) else {
        return settle(index, .ended(iterations: rung, value: value))
      }
    }
    try finish(index, run)
  }
}

extension TrialRecord.Measurement {
  fileprivate var outcome: Outcome {
    switch self {
    case .value(let value): .value(value)
    case .failed: .failed
    }
  }
}

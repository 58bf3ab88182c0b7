// Loops unrolled: one instance for each stage and iteration, and the edges between them.

/// The instances of an experiment, numbered in the order of the file, iteration by iteration.
struct PlanGraph {
  struct Instance {
    var stage: Experiment.StageEntry
    /// Position of the loop among the members; nil outside.
    var loop: Int?
    /// 1-based; nil outside loops.
    var iteration: Int?
    var address: String
  }
  struct Edge {
    var target: Int
    /// Where the reference is written.
    var span: SourceSpan
  }
  enum Target: Equatable {
    case node(Int, output: String)
    case model(Int)
    case null
    /// Reported already.
    case unknown
  }

  static let maximumNodes = 100_000

  let experiment: Experiment
  private(set) var instances: [Instance] = []
  /// Number of the first instance of each member.
  private var bases: [Int] = []

  /// Nil when the loops unroll to more than can be planned.
  init?(_ experiment: Experiment) {
    self.experiment = experiment
    var count = 0
    for member in experiment.members {
      switch member {
      case .stage: count += 1
      case .loop(let loop): count += loop.times * loop.stages.count
      }
      guard count <= Self.maximumNodes else { return nil }
    }
    for (index, member) in experiment.members.enumerated() {
      bases.append(instances.count)
      switch member {
      case .stage(let stage): instances.append(Instance(stage: stage, address: stage.name))
      case .loop(let loop):
        for iteration in 1...max(1, loop.times) {
          for stage in loop.stages {
            instances.append(
              Instance(
                stage: stage, loop: index, iteration: iteration,
                address: "\(loop.name)@\(iteration).\(stage.name)"))
          }
        }
      }
    }
  }

  /// What a reference means for an instance in this loop and iteration.
  func target(_ reference: Reference, loop: Int?, iteration: Int?) -> Target {
    var reference = reference
    var iteration = iteration
    while case .carried(let index) = reference {
      guard let loop, case .loop(let entry) = experiment.members[loop], let current = iteration else {
        return .unknown
      }
      if current > 1 {
        reference = entry.carries[index].next
        iteration = current - 1
      } else {
        return target(entry.carries[index].first, loop: nil, iteration: nil)
      }
    }
    switch reference {
    case .null: return .null
    case .invalid, .carried: return .unknown
    case .model(let index): return .model(index)
    case .stage(let member, let output): return .node(bases[member], output: output)
    case .sibling(let stage, let output):
      guard let loop, let iteration else { return .unknown }
      return .node(number(loop: loop, iteration: iteration, stage: stage), output: output)
    case .iteration(let loop, let which, let stage, let output):
      return .node(
        number(loop: loop, iteration: self.iteration(which, of: loop), stage: stage), output: output)
    }
  }

  private func number(loop: Int, iteration: Int, stage: Int) -> Int {
    guard case .loop(let entry) = experiment.members[loop] else {
      preconditionFailure("member \(loop) is not a loop")
    }
    return bases[loop] + (iteration - 1) * entry.stages.count + stage
  }

  private func iteration(_ which: Reference.Iteration, of loop: Int) -> Int {
    guard case .loop(let entry) = experiment.members[loop] else { return 1 }
    switch which {
    case .last: return max(1, entry.times)
    case .number(let number): return number
    }
  }

  /// How often the loop of a member runs; 1 for a stage.
  func iterationCount(of member: Int) -> Int {
    if case .loop(let entry) = experiment.members[member] { max(1, entry.times) } else { 1 }
  }

  func edges(of index: Int) -> [Edge] {
    let instance = instances[index]
    return (instance.stage.inputs + instance.stage.needs).compactMap { binding in
      if case .node(let target, _) = target(
        binding.reference, loop: instance.loop, iteration: instance.iteration)
      {
        Edge(target: target, span: binding.span)
      } else {
        nil
      }
    }
  }

  /// Instances in an order in which each comes after what it needs, otherwise in the order of the file; every
  /// cycle found on the way is reported once, with all its edges.
  func order(_ collector: DiagnosticCollector) -> [Int] {
    enum Mark { case new, open, done }
    struct Frame {
      var node: Int
      var edges: [Edge]
      var next = 0
    }
    var marks = [Mark](repeating: .new, count: instances.count)
    var order: [Int] = []
    order.reserveCapacity(instances.count)
    var reported: Set<[Int]> = []
    for root in instances.indices where marks[root] == .new {
      // An explicit stack: a chain may be as long as there are nodes.
      var stack = [Frame(node: root, edges: edges(of: root))]
      marks[root] = .open
      while let frame = stack.last {
        guard frame.next < frame.edges.count else {
          marks[frame.node] = .done
          order.append(frame.node)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let target = frame.edges[frame.next].target
        switch marks[target] {
        case .done: break
        case .new:
          marks[target] = .open
          stack.append(Frame(node: target, edges: edges(of: target)))
        case .open:
          let start = stack.firstIndex { $0.node == target } ?? 0
          let cycle = stack[start...].map { (node: $0.node, edge: $0.edges[$0.next - 1]) }
          if reported.insert(cycle.map(\.edge.span.start).sorted()).inserted { report(cycle, collector) }
        }
      }
    }
    return order
  }

  private func report(_ cycle: [(node: Int, edge: Edge)], _ collector: DiagnosticCollector) {
    let names = cycle.map { instances[$0.node].address }
    let path = (names + [names[0]]).map { "`\($0)`" }.joined(separator: " -> ")
    let sentences = cycle.map { step in
      "`\(instances[step.node].address)` waits for `\(instances[step.edge.target].address)`"
    }
    collector.error(
      "cycle",
      cycle.count == 1 ? "stage `\(names[0])` waits for itself" : "stages wait for each other: \(path)",
      at: cycle[0].edge.span, label: sentences[0],
      notes: zip(sentences, cycle).dropFirst().map { .init("\($0)", at: $1.edge.span) },
      help: "hand a value to the next iteration with `carry`, or remove one of these references")
  }
}

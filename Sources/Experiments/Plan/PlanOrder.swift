// The order of a plan: each instance after what it needs; and the cycles that leave none.

extension PlanGraph {
  struct Edge {
    var target: Int
    /// Where the reference is written.
    var span: SourceSpan
  }

  /// What must be done before an instance: its inputs, its `needs`, and what decides whether its iteration runs.
  func edges(of number: Int) -> [Edge] {
    let instance = instances[number]
    var edges: [Edge] = []
    func add(_ reference: Reference, in body: Int, _ span: SourceSpan) {
      guard case .targets(let targets) = meaning(of: reference, in: body) else { return }
      for target in targets {
        for candidate in target.candidates { edges.append(Edge(target: candidate, span: span)) }
      }
    }
    for binding in instance.stage.inputs + instance.stage.needs {
      add(binding.reference, in: instance.body, binding.span)
    }
    for condition in bodies[instance.body].conditions {
      let end = earlyEnds[condition.loop]
      for test in end.until {
        for metric in test.metrics { add(metric.stage, in: end.bodies[condition.iteration - 2], metric.span) }
      }
    }
    return edges
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
      "`\(instances[step.node].address)` depends on `\(instances[step.edge.target].address)`"
    }
    collector.error(
      .cycle,
      cycle.count == 1 ? "stage `\(names[0])` depends on itself" : "stages depend on each other: \(path)",
      at: cycle[0].edge.span, label: sentences[0],
      notes: zip(sentences, cycle).dropFirst().map { .init("\($0)", at: $1.edge.span) },
      help: "pass a value to the next iteration with `carry`, or remove one of these references")
  }
}

extension Experiment.Condition {
  /// Everything it reads.
  var metrics: [Experiment.MetricEntry] {
    [metric] + tests.compactMap { if case .metric(let metric) = $0.operand { metric } else { nil } }
  }
}

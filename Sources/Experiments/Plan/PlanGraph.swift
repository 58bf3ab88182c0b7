// An experiment unrolled: one instance of each stage for every iteration and cell around it.

/// The instances of an experiment, numbered in the order of the file, iteration by iteration, cell by cell.
struct PlanGraph {
  struct Instance {
    var stage: Experiment.StageEntry
    /// Number of the body it stands in.
    var body: Int
    var address: String
  }

  /// Members that stand together: those at the top, or of one iteration of a group.
  struct Body {
    /// Nil at the top.
    var parent: Int?
    /// The same loop's iteration before; nil in the first.
    var previous: Int?
    /// What the loop carries, if it is one.
    var carries: [Experiment.Carry] = []
    /// Of all loops around, the outermost first; 1-based.
    var iterations: [Int] = []
    /// Iterations around that run only if a loop did not end before.
    var conditions: [PlanIteration] = []
    var slots: [Slot] = []
  }

  /// What a member has become.
  enum Slot {
    case instance(Int)
    /// The bodies of a group's iterations; `mayEndEarly` if it has an `until`.
    case bodies([Int], mayEndEarly: Bool)
    case cells(axes: [String], [(labels: [String], slot: Slot)])
  }

  /// A loop with `until`, where it is unrolled.
  struct EarlyEnd {
    var loop: String
    var until: [Experiment.Condition]
    var bodies: [Int]
  }

  let experiment: Experiment
  private(set) var instances: [Instance] = []
  private(set) var bodies: [Body] = []
  private(set) var earlyEnds: [EarlyEnd] = []

  /// Nil when it unrolls to more than can be planned.
  init?(_ experiment: Experiment) {
    self.experiment = experiment
    guard Self.size(experiment.members) <= Experiment.maximumStages else { return nil }
    bodies = [Body()]
    unroll(experiment.members, into: 0, prefix: "")
  }

  /// Instances, or some number above the limit.
  private static func size(_ members: [Experiment.Member]) -> Int {
    var sum = 0
    for member in members where sum <= Experiment.maximumStages { sum += size(member) }
    return sum
  }

  private static func size(_ member: Experiment.Member) -> Int {
    switch member {
    case .stage: 1
    // Both factors are bounded: `times` by the language, the size by the sum above.
    case .group(let group):
      max(1, group.loop?.times ?? 1) * min(size(group.members), Experiment.maximumStages + 1)
    case .matrix(let matrix): size(matrix.cells.map(\.member))
    }
  }

  private mutating func unroll(_ members: [Experiment.Member], into body: Int, prefix: String) {
    let slots = members.map { slot($0, in: body, name: prefix + $0.name) }
    bodies[body].slots = slots
  }

  /// `name` is the address so far.
  private mutating func slot(_ member: Experiment.Member, in body: Int, name: String) -> Slot {
    switch member {
    case .stage(let stage):
      instances.append(Instance(stage: stage, body: body, address: name))
      return .instance(instances.count - 1)
    case .matrix(let matrix):
      return .cells(
        axes: matrix.axes,
        matrix.cells.map { cell in
          let labels = zip(matrix.axes, cell.labels).map { "\($0)=\($1)" }.joined(separator: ",")
          return (cell.labels, slot(cell.member, in: body, name: "\(name)@\(labels)"))
        })
    case .group(let group): return unroll(group, in: body, name: name)
    }
  }

  private mutating func unroll(_ group: Experiment.GroupEntry, in parent: Int, name: String) -> Slot {
    guard let loop = group.loop else {
      bodies.append(
        Body(
          parent: parent, iterations: bodies[parent].iterations, conditions: bodies[parent].conditions))
      let number = bodies.count - 1
      unroll(group.members, into: number, prefix: name + ".")
      return .bodies([number], mayEndEarly: false)
    }
    let mayEndEarly = !loop.until.isEmpty && loop.times > 1
    let end = earlyEnds.count
    if mayEndEarly { earlyEnds.append(EarlyEnd(loop: name, until: loop.until, bodies: [])) }
    var numbers: [Int] = []
    for iteration in 1...max(1, loop.times) {
      var body = Body(
        parent: parent, previous: numbers.last, carries: loop.carries,
        iterations: bodies[parent].iterations + [iteration], conditions: bodies[parent].conditions)
      if mayEndEarly, iteration > 1 {
        body.conditions.append(PlanIteration(loop: end, iteration: iteration))
      }
      bodies.append(body)
      numbers.append(bodies.count - 1)
      unroll(group.members, into: bodies.count - 1, prefix: "\(name)@\(iteration).")
    }
    if mayEndEarly { earlyEnds[end].bodies = numbers }
    return .bodies(numbers, mayEndEarly: mayEndEarly)
  }
}

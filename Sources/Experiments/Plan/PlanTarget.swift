// What a reference means for one instance: the instances at the end of its way, or a model.

extension PlanGraph {
  /// One artifact that a reference means.
  struct Target: Equatable {
    enum Source: Equatable {
      case instance(Int, output: String)
      case model(Int)
    }
    var source: Source
    /// `@last` of a loop that may end early: the same stage in earlier iterations, the latest first.
    var alternatives: [Int] = []
    /// The cells and iterations that tell it from the others of a collection: `rm=a`, `2`, `rm=a@2`.
    var label = ""
    /// The cells alone.
    var cell = ""

    /// In order of preference.
    var candidates: [Int] {
      if case .instance(let number, _) = source { [number] + alternatives } else { [] }
    }
  }

  enum Meaning: Equatable {
    /// In the order of cells and iterations.
    case targets([Target])
    case null
    /// Reported already.
    case unknown
  }

  /// As seen from a body.
  func meaning(of reference: Reference, in body: Int) -> Meaning {
    var reference = reference
    var place = body
    while case .carried(let up, let index) = reference {
      guard let loop = leaving(place, up), let parent = bodies[loop].parent,
        bodies[loop].carries.indices.contains(index)
      else { return .unknown }
      let carry = bodies[loop].carries[index]
      if let previous = bodies[loop].previous {
        (reference, place) = (carry.next, previous)
      } else {
        (reference, place) = (carry.first, parent)
      }
    }
    switch reference {
    case .null: return .null
    case .invalid, .carried: return .unknown
    case .model(let index): return .targets([Target(source: .model(index))])
    case .stages(let path, let output):
      guard let start = leaving(place, path.up) else { return .unknown }
      // Nearly every reference is to a stage beside it.
      if path.steps.count == 1, case .member(let index) = path.steps[0],
        bodies[start].slots.indices.contains(index), case .instance(let number) = bodies[start].slots[index]
      {
        return .targets([Target(source: .instance(number, output: output))])
      }
      let targets = ends(of: path, from: start).map { end in
        Target(
          source: .instance(end.instances[0], output: output), alternatives: Array(end.instances.dropFirst()),
          label: end.labels.joined(separator: "@"),
          cell: end.labels.filter { $0.utf8.contains(UInt8(ascii: "=")) }.joined(separator: "@"))
      }
      return targets.isEmpty ? .unknown : .targets(targets)
    }
  }

  private func leaving(_ body: Int, _ count: Int) -> Int? {
    var place: Int? = body
    for _ in 0..<count { place = place.flatMap { bodies[$0].parent } }
    return place
  }

  /// A way followed some steps: where it stands, in order of preference, and what was chosen to get there.
  private struct Branch {
    var slots: [Slot]
    var labels: [String]
  }

  private func ends(of path: StagePath, from start: Int) -> [(instances: [Int], labels: [String])] {
    var branches = [Branch(slots: [.bodies([start], mayEndEarly: false)], labels: [])]
    for step in path.steps { branches = branches.flatMap { follow(step, $0) } }
    return branches.compactMap { branch in
      let instances = branch.slots.compactMap { if case .instance(let number) = $0 { number } else { nil } }
      return instances.isEmpty ? nil : (instances, branch.labels)
    }
  }

  private func follow(_ step: StagePath.Step, _ branch: Branch) -> [Branch] {
    switch step {
    case .member(let index):
      return [
        Branch(
          slots: branch.slots.compactMap { slot in
            guard case .bodies(let numbers, _) = slot, let number = numbers.first else { return nil }
            return bodies[number].slots.indices.contains(index) ? bodies[number].slots[index] : nil
          }, labels: branch.labels)
      ]
    case .iteration(let which): return follow(which, branch)
    case .cells(let chosen):
      guard case .cells(let axes, let cells)? = branch.slots.first else { return [] }
      return cells.indices.compactMap { index in
        let labels = cells[index].labels
        guard StagePath.matches(chosen, axes: axes, labels: labels) else { return nil }
        let slots = branch.slots.compactMap { slot -> Slot? in
          if case .cells(_, let cells) = slot, cells.indices.contains(index) {
            cells[index].slot
          } else {
            nil
          }
        }
        let label = zip(axes, labels).map { "\($0)=\($1)" }.joined(separator: ",")
        // A cell that the address names tells nothing apart.
        return Branch(
          slots: slots, labels: chosen.count == axes.count ? branch.labels : branch.labels + [label])
      }
    }
  }

  private func follow(_ which: StagePath.Iteration, _ branch: Branch) -> [Branch] {
    func at(_ index: Int, _ slot: Slot) -> Slot? {
      guard case .bodies(let numbers, _) = slot, numbers.indices.contains(index) else { return nil }
      return .bodies([numbers[index]], mayEndEarly: false)
    }
    switch which {
    case .number(let number):
      return [Branch(slots: branch.slots.compactMap { at(number - 1, $0) }, labels: branch.labels)]
    case .last:
      let slots = branch.slots.flatMap { slot -> [Slot] in
        guard case .bodies(let numbers, let mayEndEarly) = slot else { return [] }
        let indices = mayEndEarly ? Array(numbers.indices.reversed()) : Array(numbers.indices.suffix(1))
        return indices.compactMap { at($0, slot) }
      }
      return [Branch(slots: slots, labels: branch.labels)]
    case .all:
      let count = branch.slots.map { if case .bodies(let numbers, _) = $0 { numbers.count } else { 0 } }.max()
      return (0..<(count ?? 0)).map { index in
        Branch(
          slots: branch.slots.compactMap { at(index, $0) }, labels: branch.labels + [String(index + 1)])
      }
    }
  }
}

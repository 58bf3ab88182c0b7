// A regular expression as instructions for `TextPattern`.

enum PatternInstruction: Sendable {
  case one(PatternClass)
  case place(PatternPlace)
  case jump(Int)
  /// The first is tried before the second.
  case split(Int, Int)
  /// The place is that of this slot: two for each named group.
  case save(Int)
  case match
}

struct PatternProgram: Sendable {
  private(set) var instructions: [PatternInstruction] = []
  /// Also counts what makes no instruction, so that repetitions of nothing end.
  private var steps = 0

  static let mostInstructions = 10_000

  /// - Throws: `PatternError` for one that becomes too large.
  init(_ node: PatternNode) throws(PatternError) {
    try emit(node)
    instructions.append(.match)
  }

  private mutating func add(_ instruction: PatternInstruction) { instructions.append(instruction) }

  private mutating func emit(_ node: PatternNode) throws(PatternError) {
    steps += 1
    guard steps <= 10 * Self.mostInstructions, instructions.count < Self.mostInstructions else {
      throw PatternError(
        description:
          "it becomes more than \(Self.mostInstructions) steps, since a counted repetition stands for as many copies; repeat less"
      )
    }
    switch node {
    case .empty: break
    case .one(let characters): add(.one(characters))
    case .place(let place): add(.place(place))
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .group(let number, let inner):
      add(.save(2 * number))
      try emit(inner)
      add(.save(2 * number + 1))
    case .either(let nodes): try emit(either: nodes)
    case .repeated(let inner, let least, let most, let isGreedy):
      for _ in 0..<least { try emit(inner) }
      if let most {
        try emit(optional: inner, count: most - least, isGreedy)
      } else {
        try emit(loop: inner, isGreedy)
      }
    }
  }

  private mutating func emit(either nodes: [PatternNode]) throws(PatternError) {
    var jumps: [Int] = []
    for (index, node) in nodes.enumerated() {
      guard index + 1 < nodes.count else {
        try emit(node)
        continue
      }
      let split = instructions.count
      add(.split(split + 1, 0))
      try emit(node)
      jumps.append(instructions.count)
      add(.jump(0))
      instructions[split] = .split(split + 1, instructions.count)
    }
    for jump in jumps { instructions[jump] = .jump(instructions.count) }
  }

  private mutating func emit(loop inner: PatternNode, _ isGreedy: Bool) throws(PatternError) {
    let split = instructions.count
    add(.split(0, 0))
    try emit(inner)
    add(.jump(split))
    setSplit(split, exit: instructions.count, isGreedy)
  }

  /// Each further copy only after the one before.
  private mutating func emit(optional inner: PatternNode, count: Int, _ isGreedy: Bool) throws(PatternError) {
    var splits: [Int] = []
    for _ in 0..<count {
      splits.append(instructions.count)
      add(.split(0, 0))
      try emit(inner)
    }
    for split in splits { setSplit(split, exit: instructions.count, isGreedy) }
  }

  private mutating func setSplit(_ split: Int, exit: Int, _ isGreedy: Bool) {
    instructions[split] = isGreedy ? .split(split + 1, exit) : .split(exit, split + 1)
  }
}

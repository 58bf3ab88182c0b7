// A regular expression with named groups, matched in time linear in the text.

/// Of all matches the one that begins first, and of these the one that Python's `re` finds.
///
/// Source: Pike's machine, https://swtch.com/~rsc/regexp/regexp2.html. Deviation from `re`: a repetition of what may be empty does not
/// go round once more with nothing.
package struct TextPattern: Sendable {
  package let source: String
  /// In the order in which they are written.
  package let groupNames: [String]
  private let program: [PatternInstruction]

  private let mostSteps: Int

  /// - Parameter mostSteps: of a search; each character takes at most as many as the expression has parts. As many as these take some
  ///   seconds.
  /// - Throws: `PatternError` saying what of it is wrong, or not possible in linear time.
  package init(_ source: String, mostSteps: Int = 50_000_000) throws(PatternError) {
    self.mostSteps = mostSteps
    let (node, names) = try PatternSyntax.parse(source)
    program = try PatternProgram(node).instructions
    groupNames = names
    self.source = source
  }

  /// A text, and where a match of the expression stands in it.
  package struct Match: Sendable {
    private let scalars: [Unicode.Scalar]
    /// Of characters.
    package let range: Range<Int>
    /// By group; nil for one that has no part in the match.
    private let groups: [Range<Int>?]

    fileprivate init(_ scalars: [Unicode.Scalar], _ range: Range<Int>, _ groups: [Range<Int>?]) {
      (self.scalars, self.range, self.groups) = (scalars, range, groups)
    }

    /// By the group's number in `groupNames`.
    package func text(ofGroup number: Int) -> String? { groups[number].map(text) }
    package var text: String { text(range) }

    private func text(_ range: Range<Int>) -> String {
      String(String.UnicodeScalarView(scalars[range]))
    }
  }

  /// The text is so long, and the expression so large, that the search was ended.
  package struct TooManySteps: Error, CustomStringConvertible {
    fileprivate let most: Int
    package var description: String { "matching the regular expression takes more than \(most) steps" }
  }

  /// - Throws: `TooManySteps`.
  package func firstMatch(in text: String) throws(TooManySteps) -> Match? {
    var steps = 0
    return try firstMatch(in: Array(text.unicodeScalars), from: 0, &steps)
  }

  /// How many matches that are not empty stand in the text, from the left, none inside another. All searches together take as many
  /// steps as one may.
  /// - Throws: `TooManySteps`.
  package func matchCount(in text: String) throws(TooManySteps) -> Int {
    let scalars = Array(text.unicodeScalars)
    var (steps, count, start) = (0, 0, 0)
    while start <= scalars.count, let match = try firstMatch(in: scalars, from: start, &steps) {
      if match.range.isEmpty {
        start = match.range.upperBound + 1
      } else {
        count += 1
        start = match.range.upperBound
      }
    }
    return count
  }

  /// - Parameter start: what stands before it is seen by `^` and `\b`, and is in no match.
  private func firstMatch(in scalars: [Unicode.Scalar], from start: Int, _ steps: inout Int)
    throws(TooManySteps) -> Match?
  {
    var (now, next) = (Threads(program.count), Threads(program.count))
    // Two for the match itself stand last.
    let noSlots = [Int](repeating: -1, count: 2 * groupNames.count + 2)
    var found: [Int]?
    for position in start...scalars.count {
      if found == nil {
        var slots = noSlots
        slots[slots.count - 2] = position
        try enter(0, slots, at: position, scalars, &now, &steps)
      } else if now.list.isEmpty {
        break
      }
      next.clear()
      threads: for thread in now.list {
        switch program[thread.instruction] {
        case .match:
          found = thread.slots
          found?[noSlots.count - 1] = position
          // What is preferred less no longer counts.
          break threads
        case .one(let characters):
          steps += 1
          if position < scalars.count, characters.contains(scalars[position]) {
            try enter(thread.instruction + 1, thread.slots, at: position + 1, scalars, &next, &steps)
          }
        case .place, .jump, .split, .save: break
        }
      }
      swap(&now, &next)
    }
    return found.map { match(scalars, slots: $0) }
  }

  private func match(_ scalars: [Unicode.Scalar], slots: [Int]) -> Match {
    func range(_ number: Int) -> Range<Int>? {
      let (low, high) = (slots[2 * number], slots[2 * number + 1])
      return low >= 0 && high >= low ? low..<high : nil
    }
    return Match(scalars, range(groupNames.count) ?? 0..<0, groupNames.indices.map { range($0) })
  }

  // MARK: the machine

  /// Ways in which the text so far may be the start of a match, the preferred ones first; each instruction stands in it once.
  private struct Threads {
    var list: [(instruction: Int, slots: [Int])] = []
    private var marks: [Int]
    private var mark = 1

    init(_ count: Int) { marks = [Int](repeating: 0, count: count) }

    mutating func clear() {
      list.removeAll(keepingCapacity: true)
      mark += 1
    }

    /// Whether it was not there.
    mutating func enter(_ instruction: Int) -> Bool {
      if marks[instruction] == mark { return false }
      marks[instruction] = mark
      return true
    }
  }

  /// Adds a thread, and in its place all those that follow from it without a character.
  private func enter(
    _ instruction: Int, _ slots: [Int], at position: Int, _ scalars: [Unicode.Scalar],
    _ threads: inout Threads, _ steps: inout Int
  ) throws(TooManySteps) {
    var pending = [(instruction: instruction, slots: slots)]
    while var (instruction, slots) = pending.popLast() {
      while threads.enter(instruction) {
        steps += 1
        if steps > mostSteps { throw TooManySteps(most: mostSteps) }
        switch program[instruction] {
        case .one, .match: threads.list.append((instruction, slots))
        case .jump(let target):
          instruction = target
          continue
        case .split(let first, let second):
          pending.append((second, slots))
          instruction = first
          continue
        case .save(let slot):
          slots[slot] = position
          instruction += 1
          continue
        case .place(let place):
          if !holds(place, position, scalars) { break }
          instruction += 1
          continue
        }
        break
      }
    }
  }

  private func holds(_ place: PatternPlace, _ position: Int, _ scalars: [Unicode.Scalar]) -> Bool {
    let newline: Unicode.Scalar = "\n"
    switch place {
    case .start: return position == 0
    case .end: return position == scalars.count
    case .lastEnd:
      return position == scalars.count || (position == scalars.count - 1 && scalars[position] == newline)
    case .lineStart: return position == 0 || scalars[position - 1] == newline
    case .lineEnd: return position == scalars.count || scalars[position] == newline
    case .wordEdge, .noWordEdge:
      let before = position > 0 && scalars[position - 1].isPatternWord
      let after = position < scalars.count && scalars[position].isPatternWord
      return (before != after) == (place == .wordEdge)
    }
  }
}

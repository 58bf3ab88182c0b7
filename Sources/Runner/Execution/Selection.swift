// Which part of a plan a person wants: `--only`, `--from`, `--until`, and what to compute again, `--force`.

import JSON
import System

package struct Selection: Sendable {
  /// Nil for all of the plan.
  package var nodes: Set<Int>?
  /// Computed whether finished or not.
  package var forced: Set<Int> = []
  /// What is not selected but needed must be finished already.
  package var isExact = false

  package init() {}

  package func contains(_ index: Int) -> Bool { nodes?.contains(index) ?? true }

  /// From patterns: an address (`quark@2.train`, `quark@last.train`), one that leaves iterations, cells or what is inside open
  /// (`quark.train`, `quark@2`, `try@n=8.count`), or either with `*` for any characters.
  ///
  /// `only`: these nodes and no others. `from`: these, all that depends on them, and what that needs. `until`: these and
  /// all they need. Several of one kind add up, several kinds narrow each other. `force` selects nothing by itself.
  /// - Throws: `RunError` (2) for a pattern that fits no node, naming what is near.
  package init(
    only: [String] = [], from: [String] = [], until: [String] = [], force: [String] = [], in plan: Plan
  ) throws {
    func find(_ patterns: [String]) throws -> Set<Int> {
      try patterns.reduce(into: []) { $0.formUnion(try plan.nodes(matching: $1)) }
    }
    var wanted = Set(plan.nodes.indices)
    if !from.isEmpty { wanted.formIntersection(plan.downstream(of: try find(from))) }
    if !until.isEmpty { wanted.formIntersection(plan.upstream(of: try find(until))) }
    if !from.isEmpty { wanted = plan.upstream(of: wanted) }
    if !only.isEmpty { wanted.formIntersection(try find(only)) }
    isExact = !only.isEmpty
    forced = try find(force)
    if !(only + from + until).isEmpty {
      nodes = wanted
      if let index = forced.subtracting(wanted).min() {
        throw RunError(
          .commandLine,
          "`--force` names `\(plan.nodes[index].address)`, which is not among the selected stages")
      }
      guard !wanted.isEmpty else {
        throw RunError(.commandLine, "no stage matches all of `--only`, `--from` and `--until`")
      }
    }
  }
}

extension Plan {
  /// Nodes whose results each node needs, each once.
  package func needs(of index: Int) -> [Int] {
    var found: [Int] = []
    for input in nodes[index].inputs {
      if case .node(let source, _) = input.source, !found.contains(source) { found.append(source) }
    }
    for source in nodes[index].after where !found.contains(source) { found.append(source) }
    return found
  }

  /// These and all they need.
  func upstream(of set: Set<Int>) -> Set<Int> {
    var result = set
    for index in nodes.indices.reversed() where result.contains(index) { result.formUnion(needs(of: index)) }
    return result
  }

  /// These and all that needs them.
  func downstream(of set: Set<Int>) -> Set<Int> {
    var result = set
    for index in nodes.indices where !result.contains(index) {
      if needs(of: index).contains(where: result.contains) { result.insert(index) }
    }
    return result
  }

  /// - Throws: `RunError` (2) when there is none.
  package func nodes(matching pattern: String) throws -> Set<Int> {
    var found: Set<Int> = []
    let isMatch = addressTest(pattern)
    for node in nodes where isMatch(node.address) { found.insert(node.index) }
    if found.isEmpty, let node = nodes(at: pattern).first { found = [node.index] }
    guard found.isEmpty else { return found }
    let groups = nodes.flatMap { node in
      node.address.utf8.indices.filter {
        [UInt8(ascii: "."), UInt8(ascii: "@")].contains(node.address.utf8[$0])
      }
      .map { String(Substring(node.address.utf8[..<$0])) }
    }
    let help =
      Suggestion.nearest(to: pattern, among: nodes.map(\.address) + Array(Set(groups)).sorted()).map {
        "did you mean `\($0)`?"
      } ?? "`\(Program.name) plan` lists the stages"
    throw RunError(.commandLine, "`\(experimentName)` has no stage at `\(pattern)`; \(help)")
  }
}

/// Whether an address, or one that it lies inside, is meant by a pattern.
private func addressTest(_ pattern: String) -> (_ address: String) -> Bool {
  guard pattern.utf8.contains(UInt8(ascii: "*")) else {
    let parts = AddressPart.parts(of: pattern)
    return { address in
      let others = AddressPart.parts(of: address)
      return parts.count <= others.count && zip(parts, others).allSatisfy { $0.admits($1) }
    }
  }
  let glob = Array(pattern.utf8)
  return { address in
    let text = Array(address.utf8)
    let ends = text.indices.filter { text[$0] == UInt8(ascii: ".") || text[$0] == UInt8(ascii: "@") }
    return (ends + [text.count]).contains { matches(glob[...], text[..<$0]) }
  }
}

/// Whether the whole text fits; `*` stands for any bytes. In time proportional to the product of both lengths at worst.
private func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
  var (p, t) = (pattern.startIndex, text.startIndex)
  var star: (pattern: Int, text: Int)?
  while t < text.endIndex {
    if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
      star = (p + 1, t)
      p += 1
    } else if p < pattern.endIndex, pattern[p] == text[t] {
      p += 1
      t += 1
    } else if let last = star {
      star = (last.pattern, last.text + 1)
      p = last.pattern
      t = last.text + 1
    } else {
      return false
    }
  }
  return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
}

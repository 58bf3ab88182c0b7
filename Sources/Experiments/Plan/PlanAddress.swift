// Finding the node that a person names: `before`, `quark@2.judge`, `quark@last.judge`, `quark@2.pool.state`.

import JSON
import System

extension Plan {
  /// The nodes that an address may mean, in order of preference, and the output named after it: one, or with `@last` that of each
  /// iteration, the last first, of which some may be skipped.
  /// - Returns: at least one.
  /// - Throws: `RunError` (2) naming what is near.
  package func candidates(_ address: String, stages: StageRegistry) throws -> (
    nodes: [PlanNode], output: OutputPort?
  ) {
    let found = nodes(at: address)
    if !found.isEmpty { return (found, nil) }
    let bytes = Array(address.utf8)
    if let dot = bytes.lastIndex(of: UInt8(ascii: ".")) {
      let head = String(decoding: bytes[..<dot], as: UTF8.self)
      let tail = UTF8Key(String(decoding: bytes[(dot + 1)...], as: UTF8.self))
      let found = nodes(at: head)
      let outputs =
        found.first.flatMap { stages.stage(named: $0.stage)?.declaration(for: $0.options).outputs } ?? []
      if let output = outputs.first(where: { UTF8Key($0.name) == tail }) { return (found, output) }
      if !outputs.isEmpty {
        let names = outputs.map { "`\(head).\($0.name)`" }.joined(separator: ", ")
        throw RunError(.commandLine, "`\(address)` does not exist; the outputs of `\(head)` are \(names)")
      }
    }
    let addresses = nodes.map(\.address)
    let help =
      Suggestion.nearest(to: address, among: addresses).map { "did you mean `\($0)`?" }
      ?? "`\(Program.name) plan` lists its stages, such as \(addresses.suffix(3).map { "`\($0)`" }.joined(separator: ", "))"
    throw RunError(.commandLine, "`\(experimentName)` has no stage at `\(address)`; \(help)")
  }

  package func nodes(at address: String) -> [PlanNode] {
    PlanAddress.positions(of: address, among: nodes.map(\.address)).map { nodes[$0] }
  }
}

/// The parts of an address.
package enum PlanAddress {
  /// Of the innermost loop: 3 for `quark@3.train`; nil of what stands in none.
  package static func iteration(_ address: String) -> Int? {
    parts(of: address).reversed().lazy.compactMap { part in
      part.split(separator: "@").dropFirst().compactMap { Int($0) }.last
    }.first
  }

  /// `quark@3.train` is `quark.train`; cells of a matrix stay.
  package static func withoutIterations(_ address: String) -> String {
    let bytes = Array(address.utf8)
    var kept: [UInt8] = []
    var place = 0
    while place < bytes.count {
      let digits = bytes[(place + 1)...].prefix { (0x30...0x39).contains($0) }
      let isIteration =
        bytes[place] == UInt8(ascii: "@") && !digits.isEmpty
        && (digits.endIndex == bytes.count || ".@".utf8.contains(bytes[digits.endIndex]))
      if isIteration {
        place = digits.endIndex
      } else {
        kept.append(bytes[place])
        place += 1
      }
    }
    return String(decoding: kept, as: UTF8.self)
  }

  /// Which of these addresses are meant: one, or for `@last` those of all iterations, the last first.
  package static func positions(of address: String, among addresses: [String]) -> [Int] {
    let wanted = UTF8Key(address)
    if let position = addresses.firstIndex(where: { UTF8Key($0) == wanted }) { return [position] }
    let pattern = Array(address.utf8)
    return addresses.enumerated().compactMap { position, address -> (iterations: [Int], position: Int)? in
      guard let iterations = iterations(in: Array(address.utf8), where: pattern), !iterations.isEmpty else {
        return nil
      }
      return (iterations, position)
    }.sorted { $1.iterations.lexicographicallyPrecedes($0.iterations) }.map(\.position)
  }

  /// The numbers that stand where a pattern has `last`; nil when the address is not like the pattern.
  private static func iterations(in address: [UInt8], where pattern: [UInt8]) -> [Int]? {
    let selector = Array("@last".utf8)
    var iterations: [Int] = []
    var place = 0
    var index = 0
    while index < pattern.count {
      let isEnd = index + selector.count == pattern.count
      if pattern[index...].starts(with: selector),
        isEnd || pattern[index + selector.count] == UInt8(ascii: ".")
      {
        guard place < address.count, address[place] == UInt8(ascii: "@") else { return nil }
        let digits = address[(place + 1)...].prefix { (0x30...0x39).contains($0) }
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        iterations.append(number)
        place = digits.endIndex
        index += selector.count
      } else {
        guard place < address.count, address[place] == pattern[index] else { return nil }
        place += 1
        index += 1
      }
    }
    return place == address.count ? iterations : nil
  }

  /// `quark@2.train` is `quark@2` and `train`; a dot inside a matrix value, as in `score@lr=0.1`, parts nothing.
  package static func parts(of address: String) -> [String] {
    var parts: [[UInt8]] = [[]]
    let bytes = Array(address.utf8)
    for (index, byte) in bytes.enumerated() {
      let isDigitNext = index + 1 < bytes.count && (0x30...0x39).contains(bytes[index + 1])
      let isInValue = parts[parts.count - 1].contains(UInt8(ascii: "=")) && isDigitNext
      if byte == UInt8(ascii: "."), !isInValue {
        parts.append([])
      } else {
        parts[parts.count - 1].append(byte)
      }
    }
    return parts.map { String(decoding: $0, as: UTF8.self) }
  }
}

/// One part of an address: a name and, of a matrix or a loop, the choice behind it.
package struct AddressPart {
  private let name: UTF8Key
  /// `n=8`, each by itself.
  private let cells: Set<UTF8Key>
  private let iteration: UTF8Key?

  package static func parts(of address: String) -> [AddressPart] {
    PlanAddress.parts(of: address).map { part in
      let pieces = part.split(separator: "@", omittingEmptySubsequences: false)
      let choices = pieces.dropFirst()
      return AddressPart(
        name: UTF8Key(String(pieces[0])),
        cells: Set(
          choices.filter { $0.contains("=") }.flatMap { $0.split(separator: ",") }.map { UTF8Key(String($0)) }
        ),
        iteration: choices.first { !$0.contains("=") && $0 != "all" }.map { UTF8Key(String($0)) })
    }
  }

  /// Whether the other is one of those that this leaves open.
  package func admits(_ other: AddressPart) -> Bool {
    name == other.name && cells.isSubset(of: other.cells)
      && (iteration == nil || iteration == other.iteration)
  }
}

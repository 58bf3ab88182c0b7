// A condition that the values of every suggested trial meet.

import JSON

/// A comparison of two products of parameters and numbers, or a condition that the caller computes. A comparison with a parameter that a
/// trial does not have is met.
package enum Constraint: Sendable, CustomStringConvertible {
  case comparison(Product, Relation, Product)
  /// Called with all values of a trial; must depend on them alone.
  case condition(name: String, @Sendable (JSONObject) -> Bool)

  /// `factor` times the values of the parameters; a number alone has no parameters.
  package struct Product: Sendable, CustomStringConvertible {
    package let factor: Double
    package let parameters: [String]

    package init(_ factor: Double = 1, times parameters: [String] = []) {
      self.factor = factor
      self.parameters = parameters
    }

    package var description: String {
      let number = JSON.double(factor).intValue.map(String.init) ?? "\(factor)"
      return ((factor == 1 && !parameters.isEmpty ? [] : [number]) + parameters).joined(separator: " * ")
    }

    /// Nil where a parameter does not exist.
    fileprivate func value(in values: JSONObject) -> Double? {
      var product = factor
      for name in parameters {
        guard let value = values[name]?.doubleValue else { return nil }
        product *= value
      }
      return product
    }
  }

  package enum Relation: String, Sendable, CaseIterable {
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case greater = ">"

    fileprivate func holds(_ a: Double, _ b: Double) -> Bool {
      switch self {
      case .lessOrEqual: a <= b
      case .greaterOrEqual: a >= b
      case .equal: a == b
      case .notEqual: a != b
      case .less: a < b
      case .greater: a > b
      }
    }
  }

  package var description: String {
    switch self {
    case .comparison(let left, let relation, let right): "\(left) \(relation.rawValue) \(right)"
    case .condition(let name, _): name
    }
  }

  var comparedParameters: [String] {
    switch self {
    case .comparison(let left, _, let right): left.parameters + right.parameters
    case .condition: []
    }
  }

  /// Whether the values meet it. A condition of the caller is asked only about whole trials.
  func isMet(by values: JSONObject, areComplete: Bool) -> Bool {
    switch self {
    case .comparison(let left, let relation, let right):
      guard let a = left.value(in: values), let b = right.value(in: values) else { return true }
      return relation.holds(a, b)
    case .condition(_, let holds): return !areComplete || holds(values)
    }
  }

  // MARK: from text

  /// Reads `warmup < steps` or `2 * batch * length <= 65536`. A parameter whose name has a sign of these, or reads as a number, cannot be
  /// written so.
  /// - Throws: `SearchError.unreadableConstraint`.
  package init(reading text: String) throws(SearchError) {
    let bytes = Array(text.utf8)
    let signs = Set("<>=!".utf8)
    guard let start = bytes.firstIndex(where: signs.contains) else { throw .unreadableConstraint(text) }
    let end = bytes[start...].firstIndex { !signs.contains($0) } ?? bytes.count
    guard let relation = Relation(rawValue: String(decoding: bytes[start..<end], as: UTF8.self)),
      !bytes[end...].contains(where: signs.contains),
      let left = Self.product(bytes[..<start]), let right = Self.product(bytes[end...])
    else { throw .unreadableConstraint(text) }
    self = .comparison(left, relation, right)
  }

  private static func product(_ bytes: ArraySlice<UInt8>) -> Product? {
    var factor = 1.0
    var names: [String] = []
    for part in bytes.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false) {
      let spaces = Set(" \t".utf8)
      let trimmed = part.drop(while: spaces.contains).reversed().drop(while: spaces.contains).reversed()
      let name = String(decoding: Array(trimmed), as: UTF8.self)
      guard !name.isEmpty, !trimmed.contains(where: spaces.contains) else { return nil }
      if let number = Double(name) { factor *= number } else { names.append(name) }
    }
    return factor.isFinite ? Product(factor, times: names) : nil
  }
}

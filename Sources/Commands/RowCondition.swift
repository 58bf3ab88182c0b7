// `--where FIELD=VALUE`: which rows are meant.

import ArgumentParser
import JSON
import Stages
import System

struct RowCondition {
  enum Test: String, CaseIterable {
    // Those of two signs first: `!=` also holds a `=`.
    case differs = "!="
    case atMost = "<="
    case atLeast = ">="
    case equals = "="
    case less = "<"
    case greater = ">"
    case contains = "~"
  }

  let field: String
  private let test: Test
  private let text: String
  /// `text` as JSON, where it is a number, a boolean or null.
  private let value: JSON?

  /// - Throws: `ValidationError`.
  init(_ argument: String) throws {
    let bytes = Array(argument.utf8)
    func sign(at place: Int) -> Test? {
      Test.allCases.first { bytes[place...].starts(with: $0.rawValue.utf8) }
    }
    guard let place = bytes.indices.first(where: { sign(at: $0) != nil }), place > 0,
      let test = sign(at: place)
    else {
      throw ValidationError(
        "--where takes FIELD=VALUE, or another of \(Test.allCases.map(\.rawValue).joined(separator: " ")) between the two; found \(argument)"
      )
    }
    field = String(decoding: bytes[..<place], as: UTF8.self)
    self.test = test
    text = String(decoding: bytes[(place + test.rawValue.utf8.count)...], as: UTF8.self)
    value = (try? JSON(parsing: text)).flatMap { $0.arrayValue == nil && $0.objectValue == nil ? $0 : nil }
    guard ![.less, .greater, .atMost, .atLeast].contains(test) || value?.doubleValue != nil else {
      throw ValidationError("--where \(field)\(test.rawValue) needs a number, found \(text)")
    }
  }

  /// Of a list: whether it holds of an element. `!=` is the contrary of `=`, so that it also holds where the field is missing.
  func holds(of found: JSON?) -> Bool {
    if test == .differs { return !holds(of: found, .equals) }
    return holds(of: found, test)
  }

  private func holds(of found: JSON?, _ test: Test) -> Bool {
    guard let found else { return false }
    if let elements = found.arrayValue { return elements.contains { holds(of: $0, test) } }
    switch test {
    case .equals: return found == value || found.stringValue?.utf8.elementsEqual(text.utf8) == true
    case .contains:
      let whole = found.stringValue ?? found.text()
      return text.isEmpty
        || whole.utf8.count >= text.utf8.count && Array(whole.utf8).contains(Array(text.utf8))
    case .less, .greater, .atMost, .atLeast, .differs:
      // In CSV every value is a text.
      guard let number = found.doubleValue ?? found.stringValue.flatMap(Double.init),
        let bound = value?.doubleValue
      else { return false }
      switch test {
      case .less: return number < bound
      case .greater: return number > bound
      case .atMost: return number <= bound
      default: return number >= bound
      }
    }
  }
}

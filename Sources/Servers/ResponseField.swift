// A member of a response, read with its type: what is wrong is named by its path.

import JSON

struct ResponseField {
  let value: JSON?
  let path: String

  init(_ response: JSON) { (value, path) = (response, "") }

  private init(_ value: JSON?, _ path: String) { (self.value, self.path) = (value, path) }

  /// `null` is as if it were not there.
  var isThere: Bool { value?.isNull == false }

  /// - Throws: where this is there and no object.
  func member(_ name: String) throws(ServerFailure) -> ResponseField {
    let inner = path.isEmpty ? name : "\(path).\(name)"
    guard isThere, let value else { return ResponseField(nil, inner) }
    guard let object = value.objectValue else { throw wrong("an object") }
    return ResponseField(object[name], inner)
  }

  /// - Throws: where this is no list.
  func elements() throws(ServerFailure) -> [ResponseField] {
    guard let elements = value?.arrayValue else { throw wrong("a list") }
    return elements.enumerated().map { ResponseField($1, "\(path)[\($0)]") }
  }

  func text() throws(ServerFailure) -> String {
    guard let text = value?.stringValue else { throw wrong("text") }
    return text
  }

  func textIfThere() throws(ServerFailure) -> String? { isThere ? try text() : nil }

  func number() throws(ServerFailure) -> Double {
    guard let number = value?.doubleValue, number.isFinite else { throw wrong("a number") }
    return number
  }

  func integer() throws(ServerFailure) -> Int {
    guard let number = value?.intValue else { throw wrong("an integer") }
    return number
  }

  /// A count that can be believed; nil for anything else, since a reply is not lost over it.
  var count: Int? { value?.intValue.flatMap { (0...1_000_000_000).contains($0) ? $0 : nil } }

  private func wrong(_ wanted: String) -> ServerFailure {
    let found = value.map { $0.isNull ? "null" : $0.kind } ?? "missing"
    let name = path.isEmpty ? "the response" : "`\(path)`"
    return .unusable("\(name) is \(found); expected \(wanted)")
  }
}

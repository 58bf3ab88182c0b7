// Where something stands in a response: names and numbers joined by dots, with `*` for each element of a list.

import JSON

struct ReplyPath {
  let text: String
  private let steps: [String]

  init(_ text: String) {
    self.text = text
    steps = text.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
  }

  private static let each = "*"

  /// Whether each of its steps says something, and no more than one is `*`.
  var isWhole: Bool { !steps.contains("") && steps.count { $0 == Self.each } <= 1 }

  var isOfList: Bool { steps.contains(Self.each) }

  /// The steps to the list.
  var list: [String] { Array(steps.prefix { $0 != Self.each }) }

  /// Of one without `*`.
  func field(of response: JSON) throws(ServerFailure) -> ResponseField {
    try Self.follow(steps[...], from: ResponseField(response))
  }

  /// Of one with `*`: an entry for each element.
  func fields(of response: JSON) throws(ServerFailure) -> [ResponseField] {
    var fields: [ResponseField] = []
    let rest = steps.dropFirst(list.count + 1)
    for element in try Self.follow(steps.prefix(list.count), from: ResponseField(response)).elements() {
      fields.append(try Self.follow(rest, from: element))
    }
    return fields
  }

  private static func follow(_ steps: ArraySlice<String>, from start: ResponseField) throws(ServerFailure)
    -> ResponseField
  {
    var field = start
    for name in steps {
      if field.value?.arrayValue != nil, let index = Int(name) {
        let elements = try field.elements()
        guard elements.indices.contains(index) else {
          throw .unusable("`\(field.path)` has \(elements.count) elements, and none of index \(index)")
        }
        field = elements[index]
      } else {
        field = try field.member(name)
      }
    }
    return field
  }
}

// A template of one value: `feedback: {value} input: `.

import Experiments
import JSON

/// What stands before a prompt, made of a value that a row has. Special tokens are read in the template, and not in the value.
package struct ValueTemplate: Sendable, Equatable {
  package let source: String
  private let template: PromptTemplate

  /// - Throws: `InputError` where it is no template, or names another field.
  package init(_ source: String) throws {
    self.source = source
    do {
      template = try PromptTemplate(source)
    } catch { throw InputError("`template`: \(error)") }
    guard template.fieldNames == ["value"] else {
      throw InputError("`template` is \(source.debugDescription); expected one that names `{value}`, once")
    }
  }

  /// Text, a number or a boolean.
  /// - Throws: `InputError` for another value, without a place.
  func text(_ value: JSON) throws -> ModelText {
    do {
      return try template.filled { _ in value }.text
    } catch { throw InputError("\(error)") }
  }

  /// What its author wrote.
  package var literal: ModelText { template.literal }

  package static func == (a: Self, b: Self) -> Bool { a.source.utf8.elementsEqual(b.source.utf8) }
}

extension StageFindings {
  /// A template must name its value.
  mutating func want(template: String?, at option: String) {
    guard let template else { return }
    do {
      _ = try ValueTemplate(template)
    } catch {
      self.error(
        .badTemplate, "\(error)", at: .option(option), help: "for example `\"feedback: {value} input: \"`")
    }
  }
}

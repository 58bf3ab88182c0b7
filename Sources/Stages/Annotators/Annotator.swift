// What an annotator is: one way in which `annotate` gets a reply about each generation, with its own options and inputs.

import Experiments
import JSON

/// One value of `annotator.kind`. An annotator is made from its options alone; what it says of a generation may depend on these, its
/// inputs, the seed and the generation's row, and on nothing else.
package protocol Annotator: Sendable {
  /// The word that is written.
  static var kind: String { get }
  static var summary: String { get }
  /// Its options beside `kind`.
  static var options: [OptionField] { get }
  /// Its inputs beside `rows`.
  static var inputs: [InputPort] { get }
  /// Whether it computes in floating point with a model; only then does the numeric mode enter the key.
  static var computes: Bool { get }
  /// The columns that it gives beside those of the parser: `replies`, `outcomes`.
  static var columns: [String] { get }

  init(_ options: StageOptions)

  /// The columns that it reads of every row.
  var columnsRead: [String] { get }
  /// Whether it draws random numbers.
  var isRandom: Bool { get }

  /// What is wrong before anything has run. Its options stand below `annotator`: `.option("annotator.template")`.
  func check(_ stage: StageCheck, _ findings: inout StageFindings)

  /// Memory and time for all samples of the rows; its outputs are not looked at.
  func estimate(_ input: StageEstimate.Input) -> StageEstimate
  /// What a reply has in the mean.
  var bytesPerReply: Int { get }

  /// A reply to each item, handed to `take` as soon as it is there, in any order. `take` says whether it can be used; an annotator may ask
  /// again for one that cannot, unless it said that the reply is its last.
  /// - Throws: `InputError` naming the row.
  func reply(to items: [RowItem], _ context: StageContext, take: (RowItem, Reply) throws -> Bool) throws
}

extension Annotator {
  package var isRandom: Bool { false }
  package func check(_ stage: StageCheck, _ findings: inout StageFindings) {}
}

/// What an annotator says of a generation.
package struct Reply: Sendable {
  package enum Content: Sendable {
    case text(String)
    /// It is none that a parser is given. The reason follows "the reply ".
    case unusable(String, String)
    /// It was not asked, since there is nothing to say.
    case none
    /// It was asked and did not reply. The reason is a clause.
    case failure(String)
  }
  package let content: Content
  /// How often it was asked.
  package let attempts: Int
  /// Whether it will not be asked again.
  package let isLast: Bool
  /// Whether it ended at `max_new_tokens`.
  package let isTruncated: Bool

  package init(_ content: Content, attempts: Int = 1, isLast: Bool = true, isTruncated: Bool = false) {
    (self.content, self.attempts, self.isLast, self.isTruncated) = (content, attempts, isLast, isTruncated)
  }
}

/// In the order in which pages list them.
package let annotators: [any Annotator.Type] = [
  RuleAnnotator.self, ModelAnnotator.self, ReplyAnnotator.self,
]

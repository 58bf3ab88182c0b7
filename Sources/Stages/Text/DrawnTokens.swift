// The tokens of generations for a model that reads them: those that were drawn, where they are its own, otherwise those of the text.

import Experiments
import JSON
import Models

/// What a model reads of a generation: `targets:`.
enum TargetSource: String, CaseIterable {
  case tokens, text
  case spacedText = "spaced_text"

  static let option = StageOption(
    "targets", .choice(TargetSource.self), default: "tokens", addedLater: true,
    summary:
      "what is read of generations: `tokens`, the tokens that were drawn, where the rows have them and they are of this model's tokenizer; `text`, the text, tokenized anew, as for generations without tokens; `spaced_text`, one blank and the text without white space at its ends, as ALT trains on"
  )

  /// What is read of a generation's text. Source of `spacedText`: METHODS 1.8.
  func text(_ generation: String) -> String {
    self == .spacedText ? " " + generation.strippedOfWhitespace : generation
  }
}

/// One generation, as it was drawn.
package struct DrawnTokens: Sendable, Equatable {
  /// Without the end token.
  package let ids: [Int32]
  /// The end token that ended it.
  package let end: Int32?

  package init(_ ids: [Int32], end: Int32? = nil) {
    self.ids = ids
    self.end = end
  }

  /// The ids of a text: all of them where they are that text, otherwise the whole ones of which its first part consists, and the rest of
  /// the text, which ends inside an id; nil where they are of another text.
  ///
  /// A sample's text ends inside its ids where a stop text does, where the bytes of its last character are not complete, and where it is
  /// cut to what a model reads.
  package func part(_ text: String, _ tokenizer: Tokenizer) -> (ids: [Int32], rest: String)? {
    guard let boundaries = boundaries(text, tokenizer) else { return nil }
    var position = 0
    var whole = (count: 0, written: 0)
    for (index, id) in ids.enumerated() {
      position += tokenizer.isSpecial(id) ? 0 : tokenizer.tokenBytes(id).count
      if let written = boundaries[position] { whole = (index + 1, written) }
    }
    return (
      Array(ids.prefix(whole.count)), String(decoding: Array(text.utf8)[whole.written...], as: UTF8.self)
    )
  }

  /// Where characters end, up to the end of the text: bytes of the ids to bytes of the text. Bytes that are no character were replaced by
  /// U+FFFD when the text was written. Nil where the ids are of another text, or of one that ends before it.
  private func boundaries(_ text: String, _ tokenizer: Tokenizer) -> [Int: Int]? {
    var rest = Array(text.utf8)[...]
    var bytes = tokenizer.decodeBytes(ids).makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    var boundaries = [0: 0]
    var read = 0
    while !rest.isEmpty {
      let character: [UInt8]
      switch parser.parseScalar(from: &bytes) {
      case .valid(let encoded):
        character = Array(encoded)
        read += encoded.count
      case .error(let length):
        character = Array("\u{FFFD}".utf8)
        read += length
      case .emptyInput: return nil
      }
      guard rest.starts(with: character) else { return nil }
      rest = rest.dropFirst(character.count)
      boundaries[read] = rest.startIndex
    }
    return boundaries
  }
}

/// Gives drawn tokens to a stage, and counts.
struct DrawnTokensReader {
  private let source: TargetSource
  private let tokenizer: Tokenizer
  /// Ids below it are of the tokenizer as it was before training added to it; 0 where no tokens are to be used.
  private var baseCount = 0
  /// Whether the rows have tokens.
  private let isCounted: Bool
  private var drawn = 0
  private var partly = 0
  private var encoded = 0
  /// Why no tokens are used of rows that have some.
  private var reason: String?

  static let column = "tokens"

  /// - Parameter checkpoint: of the model that reads.
  /// - Throws: `InputError` when its `plumb.json` is not ours.
  init(_ source: TargetSource, _ table: ColumnTable, _ checkpoint: Checkpoint, _ tokenizer: Tokenizer) throws
  {
    self.source = source
    self.tokenizer = tokenizer
    isCounted = table[Self.column] == .sample
    guard source == .tokens, isCounted else { return }
    let added = try TrainedTokens(checkpoint).all
    let own = try checkpoint.requireTokenizer()
    switch table.tokenizer(of: Self.column) {
    case own.identity(without: added):
      baseCount = added.compactMap { own.id(of: $0) }.map { Int($0) }.min() ?? own.count
    case nil: reason = "it is not known which tokenizer the rows' `tokens` are of"
    default: reason = "the rows' `tokens` are of another tokenizer than this model's"
    }
  }

  /// What stands for a generation.
  func text(_ generation: String) -> String { source.text(generation) }

  /// Nil where its text is to be tokenized.
  /// - Throws: `InputError` naming the row where the column holds no lists of ids.
  mutating func tokens(
    _ samples: @autoclosure () throws -> SampleLists, _ index: Int, of row: Row, text: String
  ) throws -> DrawnTokens? {
    guard baseCount > 0, let found = try read(samples(), index, of: row, text) else {
      encoded += 1
      return nil
    }
    drawn += 1
    if found.isPart { partly += 1 }
    return found.tokens
  }

  private func read(_ samples: SampleLists, _ index: Int, of row: Row, _ text: String) throws -> (
    tokens: DrawnTokens, isPart: Bool
  )? {
    guard let value = samples[Self.column]?[index], !value.isNull else { return nil }
    func failure() -> InputError {
      InputError("row `\(row.id)`: entry \(index) of `\(Self.column)` is not a list of token ids")
    }
    guard let values = value.arrayValue else { throw failure() }
    var ids = try values.map { value in
      guard let id = value.intValue else { throw failure() }
      return id
    }
    guard ids.allSatisfy({ (0..<baseCount).contains($0) }) else { return nil }
    var end: Int32?
    if try SampleFinish(samples, index, of: row) == .end, let last = ids.popLast() {
      end = Int32(truncatingIfNeeded: last)
    }
    let drawn = DrawnTokens(ids.map { Int32(truncatingIfNeeded: $0) }, end: end)
    guard let part = drawn.part(text, tokenizer) else { return nil }
    let isPart = part.ids.count < drawn.ids.count
    return (isPart ? DrawnTokens(drawn.ids) : drawn, isPart)
  }

  /// How many were read in which way, for the log and the record; nothing of rows without tokens.
  func report(to context: StageContext) {
    guard isCounted, drawn + encoded > 0 else { return }
    context.measure("drawn_generations", Double(drawn))
    context.measure("tokenized_generations", Double(encoded))
    if let reason { context.log("\(reason), so the text of all generations is tokenized") }
    if baseCount == 0 { return }
    context.log(
      "\(drawn) of \(drawn + encoded) generations are read as the tokens that were drawn"
        + (partly > 0 ? ", \(partly) of them up to the token in which their text ends" : "")
        + (encoded > 0
          ? "; the text of \(encoded) is tokenized, since their tokens are missing or of another text" : ""))
  }
}

// A text for a model: what the author of an experiment wrote and what rows hold, joined as characters and cut into tokens once.

import Experiments
import JSON
import Models

/// Pieces that make one text are joined before they are cut, so that the ids are those of the text and not of its pieces: `Review: ` and
/// `The film` give ` The`, as everywhere else. Special tokens are read in what the author wrote, and nowhere else.
package struct ModelText: Sendable, Equatable {
  package private(set) var text = ""
  /// UTF-8 ranges of what the author wrote, ascending; pieces that touch stay apart.
  package private(set) var literals: [Range<Int>] = []
  /// UTF-8 ranges of the field that may be cut where the text is too long, ascending: see `TextCut`.
  package private(set) var cuttable: [Range<Int>] = []

  package init() {}

  /// All of it as the author wrote it.
  package init(literal: String) { append(literal: literal) }

  /// All of it from a row.
  package init(field: String) { text = field }

  package mutating func append(literal: String) {
    let start = text.utf8.count
    text += literal
    if !literal.isEmpty { literals.append(start..<text.utf8.count) }
  }

  /// Text of a row: whatever it spells, it is text.
  package mutating func append(field: String) { text += field }

  package mutating func append(_ other: ModelText) {
    let start = text.utf8.count
    text += other.text
    literals += other.literals.map { $0.lowerBound + start..<$0.upperBound + start }
    cuttable += other.cuttable.map { $0.lowerBound + start..<$0.upperBound + start }
  }

  /// Of these parts as much may be cut as need be.
  /// - Precondition: they ascend, and lie in the text between characters.
  package mutating func allowCutting(_ parts: [Range<Int>]) { cuttable = parts.filter { !$0.isEmpty } }

  /// A part of it, by UTF-8 offsets.
  package subscript(range: Range<Int>) -> ModelText {
    var part = ModelText()
    part.text = String(decoding: Array(text.utf8)[range], as: UTF8.self)
    func shared(_ ranges: [Range<Int>]) -> [Range<Int>] {
      ranges.map { $0.clamped(to: range) }.filter { !$0.isEmpty }
        .map { $0.lowerBound - range.lowerBound..<$0.upperBound - range.lowerBound }
    }
    part.literals = shared(literals)
    part.cuttable = shared(cuttable)
    return part
  }

  package static func + (a: ModelText, b: ModelText) -> ModelText {
    var result = a
    result.append(b)
    return result
  }

  /// Its ids, after the token that begins every text of this tokenizer where there is one. An author who wrote that token is not given
  /// a second one.
  package func tokens(_ tokenizer: Tokenizer) -> [Int32] {
    let ids = continuationTokens(tokenizer, isContinuation: false)
    guard tokenizer.addsBeginToken, let begin = tokenizer.beginToken, ids.first != begin else { return ids }
    return [begin] + ids
  }
}

extension ModelText {
  /// Its ids where another text goes on in it.
  package func continuationTokens(_ tokenizer: Tokenizer, isContinuation: Bool = true) -> [Int32] {
    tokenizer.encode(text, specialIn: literals, isContinuation: isContinuation)
  }

  /// The column beside `prompt` that says where the author's words stand in it: `[[start, length], …]` in UTF-8 bytes.
  package static let literalsColumn = "prompt_literals"

  /// A row's prompt.
  /// - Throws: `InputError` naming the row.
  package init(promptOf row: Row) throws {
    guard let prompt = row["prompt"]?.stringValue else {
      throw InputError(
        "row `\(row.id)`: `prompt` is \(row["prompt"]?.kind ?? "missing"); expected text")
    }
    text = prompt
    guard let places = row[Self.literalsColumn], !places.isNull else { return }
    guard let ranges = ranges(places.arrayValue ?? [.null]), !ranges.contains(where: \.isEmpty) else {
      throw InputError(
        "row `\(row.id)`: `\(Self.literalsColumn)` does not fit its `prompt`; expected pairs of a start and a length in bytes"
      )
    }
    literals = ranges
  }

  /// Pairs of a start and a length in UTF-8 bytes, as rows have them; nil unless they ascend and lie in this text between characters.
  func ranges(_ places: [JSON]) -> [Range<Int>]? {
    let bytes = Array(text.utf8)
    func isBoundary(_ place: Int) -> Bool { place == bytes.count || bytes[place] & 0xC0 != 0x80 }
    var found: [Range<Int>] = []
    for place in places {
      guard let pair = place.arrayValue, pair.count == 2, let start = pair[0].intValue,
        let length = pair[1].intValue, start >= found.last?.upperBound ?? 0, start <= bytes.count,
        length >= 0, length <= bytes.count - start, isBoundary(start), isBoundary(start + length)
      else { return nil }
      found.append(start..<start + length)
    }
    return found
  }

  /// What the column beside its prompt holds; nil where no special token can stand: every one known has a `<`, `[`, `|`, `_` or a
  /// character beyond ASCII.
  package var literalsJSON: JSON? {
    if literals.isEmpty { return JSON?.none }
    let bytes = Array(text.utf8)
    let spelling = literals.filter { bytes[$0].contains { $0 >= 0x80 || Self.signs.contains($0) } }
    if spelling.isEmpty { return JSON?.none }
    return .array(spelling.map { [.int(Int64($0.lowerBound)), .int(Int64($0.count))] })
  }
}

extension ModelText {
  /// Of `markers` those that are no token of this tokenizer: they are read as letters.
  package func unreadMarkers(_ tokenizer: Tokenizer) -> [String] {
    markers.filter { !tokenizer.isAddedToken($0) }
  }

  /// What the author wrote in the manner of special tokens, each once.
  package var markers: [String] {
    let bytes = Array(text.utf8)
    var seen: Set<UTF8Key> = []
    return literals.flatMap { Self.markers(in: bytes, $0) }.compactMap { range in
      let marker = String(decoding: bytes[range], as: UTF8.self)
      return seen.insert(UTF8Key(marker)).inserted ? marker : nil
    }
  }

  /// Whether it begins or ends a turn in the chat format of some family.
  package static func marksTurns(_ marker: String) -> Bool { turnMarkers.contains(UTF8Key(marker)) }

  private static let turnMarkers = Set(
    [
      "<|im_start|>", "<|im_end|>", "[INST]", "[/INST]", "<start_of_turn>", "<end_of_turn>",
      "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|user|>", "<|assistant|>", "<|system|>",
      "<|end|>", "<|start|>", "<|message|>", "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>",
      "<|start_of_role|>", "<|end_of_role|>", "<|User|>", "<|Assistant|>",
    ].map(UTF8Key.init))

  private static let signs = Array("<[|_".utf8)

  private static let usualMarkers = [
    "<s>", "</s>", "[INST]", "[/INST]", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "[gMASK]",
  ]

  private static func markers(in bytes: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var position = range.lowerBound
    while position < range.upperBound {
      let rest = bytes[position..<range.upperBound]
      var end: Int?
      if rest.starts(with: "<|".utf8) {
        let inner = rest.dropFirst(2).prefix(64)
        if let bar = inner.firstIndex(of: UInt8(ascii: "|")), bar > inner.startIndex,
          bar + 1 < range.upperBound,
          bytes[bar + 1] == UInt8(ascii: ">"), !inner[..<bar].contains(UInt8(ascii: " "))
        {
          end = bar + 2
        }
      } else if let marker = usualMarkers.first(where: { rest.starts(with: $0.utf8) }) {
        end = position + marker.utf8.count
      }
      if let end { found.append(position..<end) }
      position = end ?? position + 1
    }
    return found
  }
}

/// Warns, once for each, of markers that the model's tokenizer reads as letters.
package func warnOfUnreadMarkers(
  _ texts: some Sequence<ModelText>, _ tokenizer: Tokenizer, log: (String) -> Void
) {
  var seen: Set<UTF8Key> = []
  for text in texts where !text.literals.isEmpty {
    for marker in text.unreadMarkers(tokenizer) where seen.insert(UTF8Key(marker)).inserted {
      log(
        "warning: `\(marker)` is not a token of this model and is read as \(tokenizer.encode(marker).count) tokens of ordinary text"
      )
    }
  }
}

// `ByteLevel`: characters become bytes, cut by GPT-2's expression or not at all.

import JSON

/// The byte alphabet itself is the vocabulary's affair (`ByteAlphabet`): pieces stay as they stand in the text.
struct ByteLevelPreTokenizer: PreTokenizer {
  static let type = "ByteLevel"
  /// Whether text that does not begin with a space gets one: each part of it between added tokens.
  let addsPrefixSpace: Bool
  let usesRegex: Bool

  init(addsPrefixSpace: Bool = false, usesRegex: Bool) {
    self.addsPrefixSpace = addsPrefixSpace
    self.usesRegex = usesRegex
  }

  init(_ json: JSON, _ path: String) throws {
    addsPrefixSpace = try TokenizerJSON.flag(json, "add_prefix_space", path, default: true)
    usesRegex = try TokenizerJSON.flag(json, "use_regex", path, default: true)
  }

  var json: JSON { Self.json(addsPrefixSpace: addsPrefixSpace, usesRegex: usesRegex) }

  static func json(addsPrefixSpace: Bool, usesRegex: Bool) -> JSON {
    .object(
      JSONObject([
        ("type", "ByteLevel"), ("add_prefix_space", .bool(addsPrefixSpace)), ("trim_offsets", true),
        ("use_regex", .bool(usesRegex)),
      ]))
  }

  var description: String {
    (addsPrefixSpace ? "a space at the start, then " : "")
      + (usesRegex ? "the expression of \(SplitPattern.gpt2)" : "bytes")
  }

  var endsInBytes: Bool { true }

  func endOfPiece(in text: ScalarText, from start: Int, to end: Int) -> Int {
    usesRegex ? SplitPattern.gpt2.endOfMatch(in: text, from: start, to: end) : end
  }
}

// Byte-pair models as `tokenizer.json` has them.

import JSON
import System

extension BytePairModel {
  package init(_ json: JSON, _ path: String) throws {
    for key in ["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"] {
      // The empty string and 0 do nothing, and old files have them.
      guard let value = json[key], !value.isNull else { continue }
      if key == "dropout"
        ? value.doubleValue == 0 : (key != "unk_token" && value.stringValue?.isEmpty == true)
      {
        continue
      }
      if key == "unk_token", Self.hasAllBytes(json) { continue }
      throw TokenizerJSON.unsupported("\(path).\(key)", value, "only `null` is")
    }
    for key in ["byte_fallback"] where try TokenizerJSON.flag(json, key, path, default: false) {
      throw TokenizerJSON.unsupported("\(path).\(key)", true, "`false` is")
    }
    let ignoreMerges = try TokenizerJSON.flag(json, "ignore_merges", path, default: false)
    try self.init(
      Vocabulary(json["vocab"], "\(path).vocab"), merges: Self.readMerges(json["merges"], "\(path).merges"),
      ignoreMerges: ignoreMerges, mergeLocation: { "\(path).merges[\($0)]" })
  }

  /// With a token for every byte nothing is ever unknown, and `unk_token` has no effect.
  private static func hasAllBytes(_ json: JSON) -> Bool {
    let keys = Set((json["vocab"]?.objectValue?.keys ?? []).map { UTF8Key($0) })
    return ByteAlphabet.scalars.allSatisfy { keys.contains(UTF8Key(String(Character($0)))) }
  }

  private static func readMerges(_ json: JSON?, _ path: String) throws -> [(left: String, right: String)] {
    guard let elements = json?.arrayValue else {
      throw TokenizerError(path, "expected a list, found \(json?.kind ?? "nothing")")
    }
    return try elements.enumerated().map { index, element in
      if let text = element.stringValue, let merge = splitMerge(text) { return merge }
      if let pair = element.arrayValue, pair.count == 2, let left = pair[0].stringValue,
        let right = pair[1].stringValue
      {
        return (left, right)
      }
      throw TokenizerError(
        "\(path)[\(index)]", "expected two tokens, found \(quoted(element.text(), limit: 80))")
    }
  }

  /// `a b` as two tokens. The byte alphabet has no space.
  static func splitMerge(_ text: String) -> (left: String, right: String)? {
    let utf8 = text.utf8
    guard let space = utf8.firstIndex(of: 0x20) else { return nil }
    let right = utf8[utf8.index(after: space)...]
    guard space > utf8.startIndex, !right.isEmpty, !right.contains(0x20),
      let left = String(utf8[..<space]), let right = String(right)
    else { return nil }
    return (left, right)
  }

  package var json: JSON {
    func spelling(_ id: Int32) -> String { vocabulary.tokens[Int(id)] }
    let pairs = mergedPairs.map { (spelling($0.left), spelling($0.right)) }
    // The form `a b` is read by every version of tokenizers; it cannot hold a token with a space.
    let hasSpace = pairs.contains { $0.0.utf8.contains(0x20) || $0.1.utf8.contains(0x20) }
    let mergesJSON: [JSON] = pairs.map {
      hasSpace ? [.string($0.0), .string($0.1)] : .string("\($0.0) \($0.1)")
    }
    return .object(
      JSONObject([
        ("type", "BPE"), ("dropout", .null), ("unk_token", .null), ("continuing_subword_prefix", .null),
        ("end_of_word_suffix", .null), ("fuse_unk", false), ("byte_fallback", false),
        ("ignore_merges", .bool(ignoresMerges)), ("vocab", vocabulary.json), ("merges", .array(mergesJSON)),
      ]))
  }
}

// `Split`: the matches of a known regular expression are the pieces.

import JSON

/// The regular expressions that published tokenizers split with.
enum SplitPattern: String, Sendable, CaseIterable {
  /// Also what `ByteLevel` uses itself (`use_regex`).
  case gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  /// Llama 3 and cl100k.
  case llama3 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  case qwen2 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// The end of the match that starts at `start`. Each of them matches everywhere, so that there are no gaps.
  func endOfMatch(in text: ScalarText, from start: Int, to end: Int) -> Int {
    let scanner = SplitScanner(text: text, end: end)
    switch self {
    case .gpt2: return scanner.gpt2Match(at: start)
    case .llama3: return scanner.llamaMatch(at: start, digitRun: 3)
    case .qwen2: return scanner.llamaMatch(at: start, digitRun: 1)
    }
  }
}

struct SplitPreTokenizer: PreTokenizer {
  static let type = "Split"
  let pattern: SplitPattern

  init(_ pattern: SplitPattern) { self.pattern = pattern }

  init(_ json: JSON, _ path: String) throws {
    guard let expression = json["pattern"]?["Regex"]?.stringValue else {
      throw TokenizerJSON.unsupported("\(path).pattern", json["pattern"] ?? .null, "`Regex` is")
    }
    guard
      let pattern = SplitPattern.allCases.first(where: { $0.rawValue.utf8.elementsEqual(expression.utf8) })
    else {
      throw TokenizerJSON.unsupported(
        "\(path).pattern.Regex", .string(expression), "the expressions of GPT-2, Llama 3 and Qwen 2 are")
    }
    // The expressions match everywhere, so keeping the matches and isolating them are the same.
    switch (json["behavior"]?.stringValue, try TokenizerJSON.flag(json, "invert", path, default: false)) {
    case ("Isolated", _), ("Removed", true): self.pattern = pattern
    default:
      throw TokenizerJSON.unsupported(
        "\(path).behavior", json["behavior"] ?? .null, "`Isolated` is, and `Removed` with `invert`")
    }
  }

  var json: JSON {
    .object(
      JSONObject([
        ("type", "Split"), ("pattern", .object(JSONObject([("Regex", .string(pattern.rawValue))]))),
        ("behavior", "Isolated"), ("invert", false),
      ]))
  }

  var description: String { "the expression of \(pattern)" }

  func endOfPiece(in text: ScalarText, from start: Int, to end: Int) -> Int {
    pattern.endOfMatch(in: text, from: start, to: end)
  }
}

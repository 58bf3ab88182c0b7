// Texts made to fit into what a model reads, one after the other, before it reads the first; those that do not fit are one error.

import Experiments
import Models

/// A text that fits.
package struct FittedText: Sendable {
  package let tokens: [Int32]
  package let isCut: Bool
}

struct LengthLimit {
  /// Tokens of a text.
  let maximum: Int
  private let policy: LengthPolicy
  private let tokenizer: Tokenizer
  private let contextLength: Int
  private let reserved: Reserved?
  /// What the texts are, in the plural.
  private let noun: String
  private var count = 0
  private var tooLong = 0
  private var longest: (name: String, count: Int)?

  /// Positions of the context that what follows a text takes.
  struct Reserved {
    let count: Int
    /// What takes them: "`max_new_tokens`".
    let name: String
    /// How they can be fewer.
    let remedy: String
  }

  /// What becomes of a text that is read.
  enum Fit: Equatable {
    case whole
    case cut(TextCut)
    case truncated
  }

  /// - Throws: `InputError` when the context does not hold what `max_length` asks for.
  init(
    _ policy: LengthPolicy, of noun: String, _ tokenizer: Tokenizer, contextLength: Int,
    reserving reserved: Reserved? = nil
  ) throws {
    self.policy = policy
    self.tokenizer = tokenizer
    self.contextLength = contextLength
    self.reserved = reserved
    self.noun = noun
    let available = contextLength - (reserved?.count ?? 0)
    let beside = reserved.map { " beside \($0.name), \($0.count)" } ?? ""
    guard available > 0 else {
      throw InputError("the model's context of \(contextLength) tokens leaves no room for a text\(beside)")
    }
    maximum = policy.maximum ?? available
    guard maximum <= available else {
      throw InputError(
        "`max_length` is \(maximum), but the model's context is \(contextLength) tokens"
          + (reserved == nil ? "" : ", which leaves \(available)\(beside)"))
    }
  }

  /// Nil for one that is left out, or too long.
  /// - Parameters:
  ///   - count: tokens that are read.
  ///   - text: with the field that may be cut.
  ///   - name: what errors call it.
  ///   - counting: after a cut, the tokens that are read; nil where nothing is left.
  mutating func fit(
    _ count: Int, _ text: ModelText, named name: String, counting: (TextCut) throws -> Int?
  ) rethrows -> Fit? {
    self.count += 1
    if count <= maximum { return .whole }
    switch policy.overflow {
    case .drop: return nil
    case .cut:
      if let side = policy.cut?.side,
        let cut = try text.cut(to: maximum, at: side, tokenizer, count: counting)
      {
        return .cut(cut)
      }
    case .truncate where policy.maximum != nil: return .truncated
    case .fail, .truncate: break
    }
    tooLong += 1
    if count > longest?.count ?? 0 { longest = (name, count) }
    return nil
  }

  /// Nil for one that is left out, or too long.
  mutating func fit(_ text: ModelText, named name: String) -> FittedText? {
    let tokenizer = tokenizer
    let tokens = text.tokens(tokenizer)
    func left(_ cut: TextCut) -> [Int32] { text.cut(cut).tokens(tokenizer) }
    let fit = fit(tokens.count, text, named: name) { cut in
      let left = left(cut)
      return left.isEmpty ? nil : left.count
    }
    return switch fit {
    case nil: nil
    case .whole: FittedText(tokens: tokens, isCut: false)
    case .cut(let cut): FittedText(tokens: left(cut), isCut: true)
    case .truncated: FittedText(tokens: truncated(tokens), isCut: true)
    }
  }

  /// The token that begins every text stays where it is, as in transformers.
  private func truncated(_ tokens: [Int32]) -> [Int32] {
    if policy.truncation == .right { return Array(tokens.prefix(maximum)) }
    let begin = tokenizer.addsBeginToken && tokens.first == tokenizer.beginToken ? 1 : 0
    return tokens.prefix(begin) + tokens.suffix(maximum - begin)
  }

  /// - Throws: `InputError` when some of the texts are too long.
  func requireFit() throws {
    guard let longest else { return }
    let verb = tooLong == 1 ? "has" : "have"
    var text = "\(tooLong) of \(count) \(noun) \(verb) more than \(maximum) tokens, \(reason)"
    if let cut = policy.cut {
      text += ", even when all of `\(cut.field ?? LengthPolicy.prompt)` is cut"
    }
    text += "; the longest, of \(longest.name), has \(longest.count)"
    throw InputError(text + "; " + remedies)
  }

  private var reason: String {
    if policy.maximum != nil { return "which is `max_length`" }
    guard let reserved else { return "which is the model's context" }
    return
      "which is what the model's context of \(contextLength) leaves beside \(reserved.name), \(reserved.count)"
  }

  private var remedies: String {
    var ways: [String] = []
    if policy.overflow == .truncate { ways.append("`max_length: \(maximum)` to read a part of each") }
    ways.append("`overflow: drop` to leave them out")
    if policy.overflow != .cut { ways.append("`overflow: cut` with `cut: {side: left}` to cut them") }
    let available = contextLength - (reserved?.count ?? 0)
    let last =
      policy.maximum != nil && maximum < available
      ? "raise `max_length`, at most to \(available)"
      : reserved?.remedy ?? "use a model with a longer context"
    return "write " + ways.joined(separator: ", or ") + ", or " + last
  }
}

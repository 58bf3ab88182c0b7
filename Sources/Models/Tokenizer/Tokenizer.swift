// The tokenizer: its tokens and their ids, and text from ids.

import JSON
import System

/// The pipeline of a `tokenizer.json`: added tokens are found, the rest is normalized, cut into pieces and encoded by the model. A value:
/// adding tokens to a copy leaves the original as it was.
package struct Tokenizer: Sendable {
  let normalizer: (any Normalizer)?
  package let preTokenizer: PreTokenizerSteps
  package let model: any TokenModel
  let decoder: any TokenDecoder
  package private(set) var addedTokens: [AddedToken]
  /// Tokens that other text markers name, where the source of the tokenizer says so.
  package var beginToken: Int32?
  package var endToken: Int32?
  package var padToken: Int32?
  package var unknownToken: Int32?
  /// Whether `encode(addSpecialTokens: true)` puts `beginToken` first.
  package let addsBeginToken: Bool
  let offsetTrim: OffsetTrim?

  /// By id, as a vocabulary file spells them: the model's, then those that were added.
  private var spellings: [String]
  private var ids: [UTF8Key: Int32]
  /// The bytes of token `id` are `blob[starts[id] ..< starts[id + 1]]`.
  private var blob: [UInt8]
  private var starts: [Int]
  private var isSpecial: [Bool]
  private var isAdded: Set<Int32> = []
  /// Looked for in the text as it stands, and in what the normalizer gives of the rest.
  private(set) var first: AddedTokenMatcher
  private(set) var second: AddedTokenMatcher

  /// - Throws: `TokenizerError` when an added token's id is neither its id in the vocabulary nor the next free one.
  package init(
    normalizer: (any Normalizer)? = nil, preTokenizer: PreTokenizerSteps, model: any TokenModel,
    decoder: any TokenDecoder = ByteLevelDecoder(), addedTokens: [AddedToken], addsBeginToken: Bool = false,
    offsetTrim: OffsetTrim? = nil
  ) throws {
    let vocabulary = model.vocabulary
    self.normalizer = normalizer
    self.preTokenizer = preTokenizer
    self.model = model
    self.decoder = decoder
    self.addsBeginToken = addsBeginToken
    self.offsetTrim = offsetTrim
    spellings = []
    ids = vocabulary.ids
    blob = []
    starts = [0]
    isSpecial = []
    self.addedTokens = []
    first = AddedTokenMatcher([])
    second = AddedTokenMatcher([])
    spellings.reserveCapacity(vocabulary.tokens.count)
    starts.reserveCapacity(vocabulary.tokens.count + 1)
    for token in vocabulary.tokens { appendToken(token, bytes: decoder.bytes(of: token)) }
    try register(addedTokens)
  }

  /// The `type` of its normalizer.
  package var normalizerType: String? { normalizer.map { type(of: $0).type } }

  /// How many ids there are: `0 ..< count` all have a token.
  package var count: Int { spellings.count }

  private mutating func appendToken(_ spelling: String, bytes: [UInt8]) {
    spellings.append(spelling)
    blob.append(contentsOf: bytes)
    starts.append(blob.count)
    isSpecial.append(false)
  }

  private mutating func register(_ tokens: [AddedToken]) throws {
    var changed: [Int32: [UInt8]] = [:]
    for (index, token) in tokens.enumerated() {
      func failure(_ problem: String) -> TokenizerError { TokenizerError("added_tokens[\(index)]", problem) }
      guard !token.content.isEmpty else { throw failure("the content of token \(token.id) is empty") }
      let normalizer = token.normalized ? normalizer : nil
      let bytes = Array((normalizer?.normalized(token.content) ?? token.content).utf8)
      if let known = ids[UTF8Key(token.content)] {
        guard known == token.id else {
          throw failure("\(quoted(token.content)) has id \(token.id) here and id \(known) in the vocabulary")
        }
        guard !isAdded.contains(token.id) else {
          throw failure("\(quoted(token.content)) appears twice")
        }
        // Added tokens stand for their own text, even where every character is of the byte alphabet.
        if !bytes.elementsEqual(tokenBytes(token.id)) { changed[token.id] = bytes }
      } else {
        if let holder = spelling(token.id) {
          throw failure(
            "\(quoted(token.content)) has id \(token.id), which is that of \(quoted(holder)); expected the next free id \(count)"
          )
        }
        guard token.id == Int32(exactly: count), count < Vocabulary.maximumCount else {
          throw failure(
            "\(quoted(token.content)) has id \(token.id), which leaves a gap; expected the next free id \(count)"
          )
        }
        ids[UTF8Key(token.content)] = token.id
        appendToken(token.content, bytes: bytes)
      }
      isSpecial[Int(token.id)] = token.special
      isAdded.insert(token.id)
      addedTokens.append(token)
    }
    if !changed.isEmpty { replaceBytes(changed) }
    first = AddedTokenMatcher(addedTokens.filter { !$0.normalized })
    second = AddedTokenMatcher(addedTokens.filter(\.normalized), in: normalizer)
  }

  private mutating func replaceBytes(_ changed: [Int32: [UInt8]]) {
    var newBlob: [UInt8] = []
    var newStarts = [0]
    for id in 0..<count {
      newBlob.append(
        contentsOf: changed[Int32(truncatingIfNeeded: id)] ?? Array(blob[starts[id]..<starts[id + 1]]))
      newStarts.append(newBlob.count)
    }
    blob = newBlob
    starts = newStarts
  }

  /// Adds tokens after the last id. One that is there already keeps its id, and becomes an added token if it was not.
  /// - Returns: their ids, in the order given.
  package mutating func addTokens(_ contents: [String], special: Bool = true) throws -> [Int32] {
    var result: [Int32] = []
    for content in contents {
      if let known = ids[UTF8Key(content)], isAdded.contains(known) {
        result.append(known)
        continue
      }
      let id = ids[UTF8Key(content)] ?? Int32(truncatingIfNeeded: count)
      try register([AddedToken(id: id, content: content, special: special)])
      result.append(id)
    }
    return result
  }

  /// The id of a token spelled as in a vocabulary file (added tokens as they stand).
  package func id(of spelling: String) -> Int32? { ids[UTF8Key(spelling)] }

  /// Whether a text is an added token, found whole in texts where it is read.
  package func isAddedToken(_ text: String) -> Bool { ids[UTF8Key(text)].map(isAdded.contains) ?? false }

  /// The spelling of a token, or nil for an id without one.
  package func spelling(_ id: Int32) -> String? { isToken(id) ? spellings[Int(id)] : nil }

  package func isSpecial(_ id: Int32) -> Bool { isToken(id) && isSpecial[Int(id)] }

  private func isToken(_ id: Int32) -> Bool { id >= 0 && Int(id) < count }

  /// The bytes a token stands for; none for an id without a token (padding rows of an embedding table).
  package func tokenBytes(_ id: Int32) -> ArraySlice<UInt8> {
    isToken(id) ? blob[starts[Int(id)]..<starts[Int(id) + 1]] : []
  }
}

extension Tokenizer {
  /// The text of ids. Bytes that are no UTF-8 become U+FFFD, one for each maximal part of a sequence.
  /// Deviation: Hugging Face also maps the characters of added tokens through the byte alphabet, which turns an added `é`
  /// into a lone byte; here an added token is its own text.
  package func decode(_ ids: [Int32], skipSpecial: Bool = true) -> String {
    String(decoding: decodeBytes(ids, skipSpecial: skipSpecial), as: UTF8.self)
  }

  package func decodeBytes(_ ids: [Int32], skipSpecial: Bool = true) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids where !(skipSpecial && isSpecial(id)) { bytes.append(contentsOf: tokenBytes(id)) }
    return bytes
  }
}

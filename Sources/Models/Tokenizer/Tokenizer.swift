// The tokenizer: text to token ids and back, byte-level BPE.

import JSON
import System

/// A value: adding tokens to a copy leaves the original as it was.
package struct Tokenizer: Sendable {
  package let preTokenizer: PreTokenizer
  package private(set) var addedTokens: [AddedToken]
  /// Tokens that other text markers name, where the source of the tokenizer says so.
  package var beginToken: Int32?
  package var endToken: Int32?
  package var padToken: Int32?
  package var unknownToken: Int32?
  /// Whether `encode(addSpecialTokens: true)` puts `beginToken` first.
  package let addsBeginToken: Bool

  let model: BytePairModel
  /// The merges by id, in rank order; kept for writing.
  let merges: [(left: Int32, right: Int32)]
  let ignoreMerges: Bool
  /// How many of the tokens belong to the model's own vocabulary; those after it were added.
  let modelCount: Int
  /// By id, as a vocabulary file spells them.
  private var spellings: [String]
  private var ids: [UTF8Key: Int32]
  /// The bytes of token `id` are `blob[starts[id] ..< starts[id + 1]]`.
  private var blob: [UInt8]
  private var starts: [Int]
  private var isSpecial: [Bool]
  private var isAdded: Set<Int32> = []
  private var first: AddedTokenMatcher
  private var second: AddedTokenMatcher

  /// - Parameters:
  ///   - vocabulary: the model's tokens by id, spelled in the byte alphabet.
  ///   - merges: in rank order, spelled likewise.
  ///   - location: names the vocabulary entry or merge of an index, for errors.
  /// - Throws: `TokenizerError` when a merge names a token that is not there, a token appears twice, or an added token's
  ///   id is neither its id in the vocabulary nor the next free one.
  package init(
    vocabulary: [String], merges: [(left: String, right: String)], preTokenizer: PreTokenizer,
    addedTokens: [AddedToken], ignoreMerges: Bool = false, addsBeginToken: Bool = false,
    vocabularyLocation: (Int) -> String = { "vocabulary[\($0)]" },
    mergeLocation: (Int) -> String = { "merges[\($0)]" }
  ) throws {
    guard vocabulary.count <= Self.maximumCount else {
      throw TokenizerError(vocabularyLocation(Self.maximumCount), "more than \(Self.maximumCount) tokens")
    }
    var ids: [UTF8Key: Int32] = [:]
    ids.reserveCapacity(vocabulary.count)
    for (index, token) in vocabulary.enumerated() {
      guard ids.updateValue(Int32(truncatingIfNeeded: index), forKey: UTF8Key(token)) == nil else {
        throw TokenizerError(vocabularyLocation(index), "the token \(quoted(token)) appears twice")
      }
    }
    var triples: [(left: Int32, right: Int32, result: Int32)] = []
    triples.reserveCapacity(merges.count)
    for (index, merge) in merges.enumerated() {
      func id(_ token: String) throws -> Int32 {
        guard let id = ids[UTF8Key(token)] else {
          throw TokenizerError(mergeLocation(index), "the token \(quoted(token)) is not in the vocabulary")
        }
        return id
      }
      triples.append((try id(merge.left), try id(merge.right), try id(merge.left + merge.right)))
    }
    let byteTokens = ByteAlphabet.scalars.map { ids[UTF8Key(String(Character($0)))] ?? -1 }
    var wholePieces: [[UInt8]: Int32]?
    if ignoreMerges {
      wholePieces = [:]
      for (index, token) in vocabulary.enumerated() {
        wholePieces?[ByteAlphabet.decode(token)] = Int32(truncatingIfNeeded: index)
      }
    }
    model = BytePairModel(byteTokens: byteTokens, merges: triples, wholePieces: wholePieces)
    self.merges = triples.map { ($0.left, $0.right) }
    self.ignoreMerges = ignoreMerges
    self.preTokenizer = preTokenizer
    self.addsBeginToken = addsBeginToken
    modelCount = vocabulary.count
    spellings = []
    self.ids = ids
    blob = []
    starts = [0]
    isSpecial = []
    self.addedTokens = []
    first = AddedTokenMatcher([])
    second = AddedTokenMatcher([])
    spellings.reserveCapacity(vocabulary.count)
    starts.reserveCapacity(vocabulary.count + 1)
    for token in vocabulary { appendToken(token, bytes: ByteAlphabet.decode(token)) }
    try register(addedTokens)
  }

  /// Far more than any vocabulary; keeps ids inside 32 bits.
  static let maximumCount = 1 << 24

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
      if let known = ids[UTF8Key(token.content)] {
        guard known == token.id else {
          throw failure("\(quoted(token.content)) has id \(token.id) here and id \(known) in the vocabulary")
        }
        guard !isAdded.contains(token.id) else {
          throw failure("\(quoted(token.content)) appears twice")
        }
        // Added tokens stand for their own text, even where every character is of the byte alphabet.
        let bytes = Array(token.content.utf8)
        if !bytes.elementsEqual(tokenBytes(token.id)) { changed[token.id] = bytes }
      } else {
        if let holder = spelling(token.id) {
          throw failure(
            "\(quoted(token.content)) has id \(token.id), which is that of \(quoted(holder)); expected the next free id \(count)"
          )
        }
        guard token.id == Int32(exactly: count), count < Self.maximumCount else {
          throw failure(
            "\(quoted(token.content)) has id \(token.id), which leaves a gap; expected the next free id \(count)"
          )
        }
        ids[UTF8Key(token.content)] = token.id
        appendToken(token.content, bytes: Array(token.content.utf8))
      }
      isSpecial[Int(token.id)] = token.special
      isAdded.insert(token.id)
      addedTokens.append(token)
    }
    if !changed.isEmpty { replaceBytes(changed) }
    first = AddedTokenMatcher(addedTokens.filter { !$0.normalized })
    second = AddedTokenMatcher(addedTokens.filter(\.normalized))
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
  /// The ids of a text.
  /// - Parameters:
  ///   - parseSpecial: whether special tokens written out in the text become those tokens. False for text from users and
  ///     data, which must not be able to end a turn or set a condition. Added tokens that are not special always count.
  ///   - addSpecialTokens: whether the begin token is put first, where this tokenizer does so.
  package func encode(_ text: String, parseSpecial: Bool = false, addSpecialTokens: Bool = false) -> [Int32] {
    let begin = addSpecialTokens && addsBeginToken ? [beginToken].compactMap { $0 } : []
    return begin + encode(text) { _ in parseSpecial }
  }

  /// The ids of a text in which special tokens are read where all of one stands inside one of these UTF-8 ranges, which ascend.
  package func encode(_ text: String, specialIn ranges: [Range<Int>]) -> [Int32] {
    var next = 0
    return encode(text) { token in
      // Tokens come in the order of the text within each of the two passes.
      if next > 0, ranges[next - 1].lowerBound > token.lowerBound { next = 0 }
      while next < ranges.count, ranges[next].upperBound < token.upperBound { next += 1 }
      return next < ranges.count && ranges[next].lowerBound <= token.lowerBound
    }
  }

  private func encode(_ text: String, readsSpecial: (Range<Int>) -> Bool) -> [Int32] {
    var output: [Int32] = []
    var text = text
    text.withUTF8 { bytes in
      let scalars = ScalarText(bytes: bytes)
      var space = BytePairModel.Workspace()
      func encodePlain(_ range: Range<Int>) {
        preTokenizer.forEachPiece(of: scalars, in: range) { piece in
          model.encode(UnsafeBufferPointer(rebasing: bytes[piece]), &space, into: &output)
        }
      }
      first.split(
        scalars, 0..<bytes.count, readsSpecial: readsSpecial,
        plain: { range in
          second.split(
            scalars, range, readsSpecial: readsSpecial, plain: encodePlain, token: { output.append($0) })
        },
        token: { output.append($0) })
    }
    return output
  }

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

// A model's tokens and their ids.

import JSON
import System

/// Tokens as a vocabulary file spells them; ids are positions.
package struct Vocabulary: Sendable {
  let tokens: [String]
  let ids: [UTF8Key: Int32]

  /// Far more than any vocabulary; keeps ids inside 32 bits.
  static let maximumCount = 1 << 24

  /// - Parameter location: names the entry of an index, for errors.
  /// - Throws: `TokenizerError` for a token that appears twice, and too many of them.
  package init(_ tokens: [String], location: (Int) -> String = { "vocabulary[\($0)]" }) throws {
    guard tokens.count <= Self.maximumCount else {
      throw TokenizerError(location(Self.maximumCount), "more than \(Self.maximumCount) tokens")
    }
    var ids: [UTF8Key: Int32] = [:]
    ids.reserveCapacity(tokens.count)
    for (index, token) in tokens.enumerated() {
      guard ids.updateValue(Int32(truncatingIfNeeded: index), forKey: UTF8Key(token)) == nil else {
        throw TokenizerError(location(index), "the token \(quoted(token)) appears twice")
      }
    }
    self.tokens = tokens
    self.ids = ids
  }

  /// An object of tokens to ids, in any order and without gaps.
  /// - Throws: `TokenizerError` naming the entry.
  init(_ json: JSON?, _ path: String) throws {
    guard let members = json?.objectValue?.members else {
      throw TokenizerError(path, "expected an object, found \(json?.kind ?? "nothing")")
    }
    guard !members.isEmpty else { throw TokenizerError(path, "the object is empty") }
    var tokens = [String?](repeating: nil, count: members.count)
    var entryOfID = [Int](repeating: 0, count: members.count)
    for (entry, (token, value)) in members.enumerated() {
      func failure(_ problem: String) -> TokenizerError {
        TokenizerError("\(path) entry \(entry)", problem)
      }
      guard case .int(let number) = value, let id = Int(exactly: number), id >= 0 else {
        throw failure(
          "\(quoted(token)): expected a token id, found \(quoted(value.text(), limit: 80))")
      }
      guard id < tokens.count else {
        throw failure(
          "\(quoted(token)) has id \(id), but there are \(tokens.count) tokens; ids must have no gap")
      }
      guard tokens[id] == nil else {
        throw failure("\(quoted(token)) and \(quoted(tokens[id] ?? "")) have the same id \(id)")
      }
      tokens[id] = token
      entryOfID[id] = entry
    }
    // As many distinct ids as places: all are filled.
    try self.init(tokens.compactMap { $0 }) { "\(path) entry \($0 < entryOfID.count ? entryOfID[$0] : $0)" }
  }

  subscript(token: String) -> Int32? { ids[UTF8Key(token)] }

  var json: JSON {
    .object(JSONObject(distinct: tokens.enumerated().map { ($1, .int(Int64($0))) }))
  }
}

// What a server says of a batch, whatever its interface, and a line of its results.

import Experiments
import JSON
import System

struct BatchState {
  enum Phase {
    case underWay
    case completed
    /// Its time was up before all of its requests had a reply.
    case expired
    /// Ended by whoever holds the key, or by the server.
    case cancelled
    /// Not begun.
    case failed([(code: String?, message: String)])
  }

  let id: String
  var phase = Phase.underWay
  /// Requests.
  var done = 0
  var total: Int?
  /// Where its results are, behind the model's address and a slash.
  var results: [String] = []

  init(id: String) { self.id = id }

  /// A name that stands in an address as it is.
  static func name(_ field: ResponseField) throws(ServerFailure) -> String {
    let text = try field.text()
    let isName = text.utf8.allSatisfy {
      ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || "-_.:".utf8.contains($0)
    }
    guard isName, 1...256 ~= text.utf8.count, text != ".", text != ".." else {
      throw .unusable("`\(field.path)` is no name")
    }
    return text
  }
}

/// `{"custom_id": …, …}`
struct BatchLine {
  let json: JSON
  /// Nil of a request of somebody else.
  let key: ReplyJournal.Key?

  /// The body of a response may be nested as deep as one that comes alone.
  private static let depth = 64 + 3

  /// Nil of a line that is none, which costs its request.
  init?(_ bytes: [UInt8]) {
    let parsed = bytes.withUnsafeBytes { JSON.parsed($0, maximumDepth: Self.depth) }
    guard case .success(let json) = parsed, let name = json["custom_id"]?.stringValue else { return nil }
    self.json = json
    key = Digest(hex: name).map { ReplyJournal.Key(digest: $0) }
  }
}

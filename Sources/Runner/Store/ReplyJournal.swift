// What servers replied, kept for good: the replies of a store, by the whole request. Replay is exact, asking again is not.

import JSON
import System

package final class ReplyJournal {
  /// What names a reply: the server's identity, the whole body of the request, and which attempt at it this is.
  package struct Key: Hashable, Sendable {
    package let digest: Digest
    package init(identity: String, body: JSON, attempt: Int) {
      digest = Digest.of(
        text: (["server": .string(identity), "body": body, "attempt": .int(Int64(attempt))] as JSON).text(
          .canonical))
    }
  }

  /// What is kept of a reply.
  package struct Entry: Sendable {
    /// The response's body.
    package let response: JSON
    /// Seconds since 1970.
    package let time: Double
    package init(response: JSON, time: Double) {
      self.response = response
      self.time = time
    }
  }

  /// - Parameter folder: `STORE/replies/IDENTITY`, made when the first reply is kept.
  package init(folder: String) {}

  /// Those of the wanted replies that are kept. Reads what others have added since.
  package func entries(_ wanted: Set<Key>) throws -> [Key: Entry] { [:] }

  /// Durable once `synchronize` has returned.
  package func append(_ key: Key, _ entry: Entry) throws {}

  package func synchronize() throws {}
}

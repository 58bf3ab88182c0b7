// What asking took: counted for the record.

/// Of one `Asker`, over all that it was asked.
package struct AskTotals: Sendable, Equatable {
  package struct Tokens: Sendable, Equatable {
    package var prompt = 0
    package var completion = 0
    package var reasoning = 0

    mutating func add(_ usage: ServerReply.Usage) {
      prompt = prompt.addingReportingOverflow(usage.prompt).partialValue
      completion = completion.addingReportingOverflow(usage.completion).partialValue
      reasoning = reasoning.addingReportingOverflow(usage.reasoning).partialValue
    }
  }

  /// Replies that were asked for.
  package var asked = 0
  /// Replies that were in the journal.
  package var replayed = 0
  /// Questions that were answered by the reply to an equal one.
  package var shared = 0
  /// Requests that were sent again.
  package var retried = 0
  /// Requests that failed, whatever came of their question.
  package var failedRequests = 0
  /// Questions that have no reply.
  package var failed = 0
  /// Replies that were asked for and whose server did not say how many tokens they took.
  package var withoutUsage = 0
  package var askedTokens = Tokens()
  package var replayedTokens = Tokens()
  /// What servers called the model and its configuration, in the order in which they were first seen; no more than eight of each.
  package var models: [String] = []
  package var fingerprints: [String] = []

  package init() {}

  mutating func note(_ reply: ServerReply) {
    func add(_ name: String?, to names: inout [String]) {
      guard let name, names.count < 8, !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
        return
      }
      names.append(name)
    }
    add(reply.model, to: &models)
    add(reply.fingerprint, to: &fingerprints)
  }
}

// What may be spent on one server's replies, and what is spent: stopped before it is passed.

/// In tokens, or in money at prices for a token of the prompt and one of the completion.
package struct Budget: Sendable, Equatable {
  /// As a message calls what it counts: `tokens`, `EUR`.
  package let unit: String
  package let limit: Double
  package let promptPrice: Double
  package let completionPrice: Double
  /// By earlier attempts at the same work.
  package var spent: Double

  package init(
    _ unit: String = "tokens", limit: Double, promptPrice: Double = 1, completionPrice: Double = 1,
    spent: Double = 0
  ) {
    (self.unit, self.limit, self.spent) = (unit, limit, spent)
    (self.promptPrice, self.completionPrice) = (promptPrice, completionPrice)
  }

  func price(_ tokens: TokenForecast.Tokens) -> Double {
    Double(tokens.prompt) * promptPrice + Double(tokens.completion) * completionPrice
  }
}

/// How many tokens a request may take at most, learnt from those that were answered.
struct TokenForecast {
  struct Tokens: Equatable {
    var prompt: Int
    var completion: Int
    var sum: Int { prompt.addingReportingOverflow(completion).partialValue }
  }

  /// The most seen so far. Before anything was: a token has two bytes at least on average, with the JSON around it.
  private var tokensPerByte = 0.0
  private var longestCompletion = 0

  func tokens(bodyBytes: Int, ceiling: Int?) -> Tokens {
    Tokens(
      prompt: Int(min(1e12, Double(bodyBytes) * (tokensPerByte > 0 ? tokensPerByte : 0.5)).rounded(.up)),
      completion: ceiling ?? (longestCompletion > 0 ? longestCompletion : 1024))
  }

  mutating func learn(_ usage: ServerReply.Usage, bodyBytes: Int) {
    tokensPerByte = max(tokensPerByte, Double(usage.prompt) / Double(max(1, bodyBytes)))
    longestCompletion = max(longestCompletion, usage.completion)
  }
}

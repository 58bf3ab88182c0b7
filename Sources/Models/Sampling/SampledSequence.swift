// A finished sample: its tokens, how it ended, and its text.

/// How a sample ended.
package enum SampleFinish: String, Sendable {
  /// An end token was drawn.
  case end
  /// A stop text was complete.
  case stop
  /// It reached the greatest number of tokens.
  case length
  /// Otherwise, as servers may say.
  case other
}

/// What is known of the tokens drawn, the end token's included. Nats.
package struct TokenStatistics: Sendable {
  /// Under the model itself: at temperature 1, without filters and penalties.
  package internal(set) var logProbabilities: [Float] = []
  /// Of the model's own distributions.
  package internal(set) var entropies: [Float] = []
  /// Under the distributions that the tokens were drawn from: at the temperature, after penalties and filters; 0 where that is greedy.
  package internal(set) var samplingLogProbabilities: [Float] = []

  package init() {}
}

/// One finished sample.
package struct SampledSequence: Sendable {
  /// Index of its request.
  package let request: Int
  package let sample: Int
  /// Without the end token.
  package let tokens: [Int32]
  /// The end token that ended it.
  package let end: Int32?
  package let finish: SampleFinish
  /// The stop text that ended it, as a range of its decoded bytes; the last token may reach beyond.
  package let stop: Range<Int>?
  /// Empty where it was not asked for.
  package let statistics: TokenStatistics

  package init(
    request: Int, sample: Int, tokens: [Int32], end: Int32? = nil, finish: SampleFinish, stop: Range<Int>?,
    statistics: TokenStatistics
  ) {
    self.request = request
    self.sample = sample
    self.tokens = tokens
    self.end = end
    self.finish = finish
    self.stop = stop
    self.statistics = statistics
  }

  /// Its text, special tokens left out, up to its stop text or with it. The bytes of a character that was not finished are left out, so
  /// that nothing learns or scores U+FFFD in their place.
  package func text(_ tokenizer: Tokenizer, keepsStop: Bool = true) -> String {
    var bytes = tokenizer.decodeBytes(tokens)[...]
    if let stop { bytes = bytes[..<(keepsStop ? stop.upperBound : stop.lowerBound)] }
    return String(
      decoding: bytes.dropLast(StreamingDecoder.incompleteSuffix(Array(bytes.suffix(3)))), as: UTF8.self)
  }
}

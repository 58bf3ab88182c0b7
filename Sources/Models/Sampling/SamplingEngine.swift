// The sampling engine: continuous batching over a paged cache, one prefill for all samples of a prompt and for what all
// prompts begin with.

/// One prompt and the samples wanted of it.
package struct SamplingRequest: Sendable {
  /// Names the row in the random numbers: `hash64` of its id.
  package let row: UInt64
  /// At least one token.
  package let prompt: [Int32]
  /// Which samples, by index; each is drawn from its own random numbers.
  package let samples: [Int]

  package init(row: UInt64, prompt: [Int32], samples: [Int]) {
    precondition(!prompt.isEmpty, "a prompt has at least one token")
    self.row = row
    self.prompt = prompt
    self.samples = samples
  }
}

/// A sample for which every token is banned.
package struct NoTokenLeft: Error {
  /// Index of its request.
  package let request: Int
  package let sample: Int
  /// Tokens drawn before.
  package let position: Int
}

/// Draws samples. What a sample is depends on the model, its prompt, the parameters, the seed, its row and its
/// index: not on the batch, the order of requests or the memory given.
package final class SamplingEngine {
  private let decoder: Decoder
  private let parameters: SamplingParameters
  private let minimumNewTokens: Int
  private let maximumNewTokens: Int
  private let endTokens: Set<Int32>
  private let bannedTokens: [Int32]
  private let texts: SampleTexts?
  private let keepsStatistics: Bool
  private let random: Philox
  private let maximumBatch: Int
  private let prefillTokens: Int
  private let rowsWithDrafts: Int
  private let pool: PagePool
  /// Tokens drawn so far, also of samples that still run; for showing progress.
  package private(set) var drawnTokens = 0
  /// Tokens of prompts computed so far; what prompts share counts once.
  package private(set) var prefilledTokens = 0
  /// Draft tokens, and those of them that were drawn.
  package private(set) var draftTokens = (proposed: 0, accepted: 0)

  /// - Parameters:
  ///   - minimumNewTokens: before, no end token is drawn and no stop text counts.
  ///   - endTokens: a sample ends when one of these is drawn.
  ///   - bannedTokens: never drawn, such as class tokens and rows without a token.
  ///   - texts: what ends a sample with the token that completes it, and what no sample may hold.
  ///   - keepsStatistics: whether log-probabilities and entropies are kept; costs a pass over the logits.
  ///   - memory: bytes for keys and values.
  ///   - batch: samples that run at once, memory permitting.
  ///   - prefillTokens: tokens of prompts that join one forward pass beside the running samples; a longer prompt takes
  ///     several. Bounds the memory of a pass and how long running samples wait.
  ///   - rowsWithDrafts: rows up to which a decoding pass is filled with draft tokens; changes no result. Six rows cost some
  ///     1.6 times as much as one, since weights are read once.
  package init(
    _ decoder: Decoder, parameters: SamplingParameters, minimumNewTokens: Int = 0, maximumNewTokens: Int,
    endTokens: [Int32], bannedTokens: [Int32] = [], texts: SampleTexts? = nil, keepsStatistics: Bool = false,
    seed: UInt64, memory: Int = 1 << 30, batch: Int = 64, prefillTokens: Int = 512,
    rowsWithDrafts: Int = 6
  ) {
    precondition(decoder.configuration.head == .language, "only a language model samples")
    self.decoder = decoder
    self.parameters = parameters
    self.minimumNewTokens = minimumNewTokens
    self.maximumNewTokens = maximumNewTokens
    self.endTokens = Set(endTokens)
    self.bannedTokens = bannedTokens
    self.texts = texts
    self.keepsStatistics = keepsStatistics
    random = Philox(seed: seed)
    maximumBatch = max(1, batch)
    self.prefillTokens = max(1, prefillTokens)
    self.rowsWithDrafts = rowsWithDrafts
    pool = decoder.pagePool(memory: memory)
  }

  private final class Running {
    let request: Int
    let sample: Int
    let cache: CachedSequence
    var tokens: [Int32] = []
    /// Decoded, for finding texts.
    var written: [UInt8] = []
    var statistics = TokenStatistics()
    init(request: Int, sample: Int, cache: CachedSequence) {
      self.request = request
      self.sample = sample
      self.cache = cache
    }
  }

  /// Runs all requests; calls `finished` for each sample as it ends.
  /// - Throws: `CacheExhausted`, `NoTokenLeft`, `LogitsNotFinite`, and what `finished` or `checkpoint` throws; `checkpoint` is called between
  ///   forward passes.
  package func run(
    _ requests: [SamplingRequest], checkpoint: () throws -> Void = {},
    finished: (SampledSequence) throws -> Void
  ) throws {
    var running: [Running] = []
    var admission = Admission(
      requests, decoder, pool, maximumNewTokens: maximumNewTokens, maximumBatch: maximumBatch,
      prefillTokens: prefillTokens)
    prefilledTokens += admission.sharedLength
    while !admission.isDone || !running.isEmpty {
      try checkpoint()
      while let (prompt, sample, cache) = admission.startSample(beside: running.count) {
        var started = [Running(request: prompt.request, sample: sample, cache: cache)]
        try extend(
          &started, needsOwnLogits ? copy(prompt.logits) : prompt.logits, requests, finished)
        running += started
      }
      var batch = TokenBatch()
      for sample in running { _ = batch.append(sample.tokens.suffix(1), to: sample.cache) }
      let decodeCount = batch.tokens.count
      let completed = try admission.prefill(into: &batch, beside: decodeCount)
      prefilledTokens += batch.tokens.count - decodeCount
      if batch.tokens.isEmpty { continue }
      let drafts = batch.tokens.count == decodeCount ? draft(for: running, requests, into: &batch) : []
      let x = decoder.hidden(
        tokens: batch.tokens, view: batch.view(pool),
        rows: Array(0..<Int32(decodeCount)) + completed.map(\.row)
          + drafts.flatMap { $0.rows.map(Int32.init) })
      if x.rows == 0 { continue }
      let logits = decoder.logits(x)
      for (index, (prompt, _)) in completed.enumerated() {
        prompt.logits = copy(logits.slice(decodeCount + index..<decodeCount + index + 1))
      }
      let extended = running
      try extend(&running, logits.slice(0..<decodeCount), requests, finished)
      for (sample, draft) in zip(extended, drafts) where !draft.tokens.isEmpty {
        try accept(draft, of: sample, &running, logits, requests, finished)
      }
    }
  }

  /// Adds draft tokens of each running sample to a pass, as far as rows go that cost next to nothing.
  private func draft(for running: [Running], _ requests: [SamplingRequest], into batch: inout TokenBatch)
    -> [DraftTokens]
  {
    guard running.count < rowsWithDrafts else { return [] }
    return running.map { sample in
      // The pass draws one more than the draft has.
      let count = min(rowsWithDrafts - batch.tokens.count, maximumNewTokens - sample.tokens.count - 1)
      let tokens = PromptLookup.draft(
        after: requests[sample.request].prompt + sample.tokens, count: max(count, 0))
      draftTokens.proposed += tokens.count
      return DraftTokens(tokens: tokens, rows: batch.append(tokens, to: sample.cache))
    }
  }

  /// Draws on after each draft token that was drawn; the cache is cut before the others.
  private func accept(
    _ draft: DraftTokens, of sample: Running, _ running: inout [Running], _ logits: Tensor,
    _ requests: [SamplingRequest], _ finished: (SampledSequence) throws -> Void
  ) throws {
    var alone = running.filter { $0 === sample }
    for (token, row) in zip(draft.tokens, draft.rows) {
      guard alone.first?.tokens.last == token else { break }
      draftTokens.accepted += 1
      try extend(&alone, logits.slice(row..<row + 1), requests, finished)
    }
    if alone.isEmpty { running.removeAll { $0 === sample } }
    sample.cache.shorten(to: requests[sample.request].prompt.count + sample.tokens.count - 1)
  }

  /// Whether what a sample has written changes its logits in place.
  private var needsOwnLogits: Bool {
    !parameters.penalties.isNone || minimumNewTokens > 0 || texts?.bansTexts ?? false
  }

  private func copy(_ row: Tensor) -> Tensor {
    let copy = decoder.backend.tensor(row.rows, row.columns)
    decoder.backend.copy(row, into: copy)
    return copy
  }

  /// What prompt and sample so far do to one row of logits.
  private func adjust(_ logits: Tensor, for sample: Running, prompt: [Int32]) {
    if !parameters.penalties.isNone {
      var counts: [Int32: Int32] = [:]
      if parameters.penalties.repetition != 1 { for token in prompt { counts[token] = 0 } }
      for token in sample.tokens { counts[token, default: 0] += 1 }
      decoder.backend.penalize(
        Array(counts.keys), counts: Array(counts.values), in: logits, parameters.penalties)
    }
    if sample.tokens.count < minimumNewTokens { decoder.backend.ban(Array(endTokens), in: logits) }
    if let banned = texts?.bannedTokens(after: sample.written) { decoder.backend.ban(banned, in: logits) }
  }

  /// - Parameter logits: as the model gave them.
  private func recordStatistics(
    _ drawn: [Int32], _ probabilities: [Double], of running: [Running], _ logits: Tensor
  ) {
    guard drawn.allSatisfy({ $0 >= 0 }) else { return }
    let statistics = decoder.backend.tokenStatistics(logits, labels: drawn)
    for (index, sample) in running.enumerated() {
      sample.statistics.logProbabilities.append(statistics.logProbabilities[index])
      sample.statistics.entropies.append(statistics.entropies[index])
      sample.statistics.samplingLogProbabilities.append(Float(naturalLogarithm(probabilities[index])))
    }
  }

  /// Draws the next token of each sample from its row of logits; hands finished samples over.
  private func extend(
    _ running: inout [Running], _ logits: Tensor, _ requests: [SamplingRequest],
    _ finished: (SampledSequence) throws -> Void
  ) throws {
    guard !running.isEmpty else { return }
    let untouched = keepsStatistics && needsOwnLogits ? copy(logits) : logits
    if needsOwnLogits {
      for (index, sample) in running.enumerated() {
        adjust(logits.slice(index..<index + 1), for: sample, prompt: requests[sample.request].prompt)
      }
    }
    let uniforms = running.map {
      random.uniform(row: requests[$0.request].row, sample: $0.sample, position: $0.tokens.count)
    }
    let (drawn, probabilities) = decoder.backend.sample(
      logits, parameters: Array(repeating: parameters, count: running.count), uniforms: uniforms,
      banned: bannedTokens)
    drawnTokens += drawn.count
    if keepsStatistics { recordStatistics(drawn, probabilities, of: running, untouched) }
    var still: [Running] = []
    for (sample, token) in zip(running, drawn) {
      guard token != -2 else {
        throw LogitsNotFinite(
          index: sample.request, place: "sample \(sample.sample), token \(sample.tokens.count)")
      }
      guard token >= 0 else {
        throw NoTokenLeft(request: sample.request, sample: sample.sample, position: sample.tokens.count)
      }
      let ended = endTokens.contains(token)
      if !ended { sample.tokens.append(token) }
      var stop = ended ? nil : texts?.push(token, onto: &sample.written)
      if sample.tokens.count < minimumNewTokens { stop = nil }
      if ended || stop != nil || sample.tokens.count >= maximumNewTokens {
        try finished(
          SampledSequence(
            request: sample.request, sample: sample.sample, tokens: sample.tokens,
            end: ended ? token : nil, finish: ended ? .end : stop != nil ? .stop : .length, stop: stop,
            statistics: sample.statistics))
      } else {
        still.append(sample)
      }
    }
    running = still
  }
}

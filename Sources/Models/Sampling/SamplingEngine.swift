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

/// What the model itself, at temperature 1 and without filters, made of the tokens drawn; the end token's included. Nats.
package struct TokenStatistics: Sendable {
  package fileprivate(set) var logProbabilities: [Float] = []
  /// Of the distributions that the tokens were drawn from.
  package fileprivate(set) var entropies: [Float] = []
}

/// One finished sample.
package struct SampledSequence: Sendable {
  /// Index of its request.
  package let request: Int
  package let sample: Int
  /// Without the end token.
  package let tokens: [Int32]
  /// Whether it ended with an end token rather than at a stop text or the limit.
  package let finished: Bool
  /// The stop text that ended it, as a range of its decoded bytes; the last token may reach beyond.
  package let stop: Range<Int>?
  /// Empty where it was not asked for.
  package let statistics: TokenStatistics
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
  private let pool: PagePool
  /// Tokens drawn so far, also of samples that still run; for showing progress.
  package private(set) var drawnTokens = 0
  /// Tokens of prompts computed so far; what prompts share counts once.
  package private(set) var prefilledTokens = 0

  /// Tokens of prompts that join one forward pass beside the running samples.
  private static let prefillTokens = 512

  /// - Parameters:
  ///   - minimumNewTokens: before, no end token is drawn and no stop text counts.
  ///   - endTokens: a sample ends when one of these is drawn.
  ///   - bannedTokens: never drawn, such as conditioning tokens.
  ///   - texts: what ends a sample with the token that completes it, and what no sample may hold.
  ///   - keepsStatistics: whether log-probabilities and entropies are kept; costs a pass over the logits.
  ///   - memory: bytes for keys and values.
  ///   - batch: samples that run at once, memory permitting.
  package init(
    _ decoder: Decoder, parameters: SamplingParameters, minimumNewTokens: Int = 0, maximumNewTokens: Int,
    endTokens: [Int32], bannedTokens: [Int32] = [], texts: SampleTexts? = nil, keepsStatistics: Bool = false,
    seed: UInt64,
    memory: Int = 1 << 30,
    batch: Int = 64
  ) {
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
    pool = PagePool(decoder.configuration, mode: decoder.mode, memory: memory)
  }

  /// A prompt whose keys and values are known, with samples still to start.
  private final class Prefilled {
    let request: Int
    let cache: CachedSequence
    /// Of the prompt's last position, [1, V].
    var logits = Tensor(1, 0)
    var waiting: [Int]
    /// Pages set aside for the next sample, so that prompts that wait side by side cannot starve each other.
    private var promised: Int

    init(request: Int, cache: CachedSequence, waiting: [Int], promised: Int) {
      self.request = request
      self.cache = cache
      self.waiting = waiting
      self.promised = promised
    }

    func takePromised() {
      cache.pool.release(reserved: promised)
      promised = 0
    }

    deinit { takePromised() }
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
  /// - Throws: `CacheExhausted`, `NoTokenLeft`, and what `finished` or `checkpoint` throws; `checkpoint` is called between
  ///   forward passes.
  package func run(
    _ requests: [SamplingRequest], checkpoint: () throws -> Void = {},
    finished: (SampledSequence) throws -> Void
  ) throws {
    var next = 0
    var prefilled: [Prefilled] = []
    var running: [Running] = []
    var opening = SharedOpening(of: requests.map(\.prompt), decoder, pool)
    prefilledTokens += opening.length
    while next < requests.count || !prefilled.isEmpty || !running.isEmpty {
      try checkpoint()
      try start(&prefilled, &running, requests, finished)
      var batch = TokenBatch()
      let decodeCount = running.count
      for sample in running { _ = batch.append(sample.tokens.suffix(1), to: sample.cache) }
      let newcomers = try admit(requests, &next, &opening, waiting: prefilled, running: decodeCount)
      var lastRows = Array(0..<Int32(decodeCount))
      for prompt in newcomers {
        let rows = batch.append(
          requests[prompt.request].prompt[prompt.cache.length...], to: prompt.cache)
        prefilledTokens += rows.count
        lastRows.append(Int32(rows.upperBound - 1))
      }
      if batch.tokens.isEmpty { continue }
      let logits = decoder.logits(
        decoder.hidden(
          tokens: batch.tokens, positions: batch.positions, view: batch.view(pool), rows: lastRows))
      for (index, prompt) in newcomers.enumerated() {
        prompt.logits = Tensor(1, logits.columns)
        _ = prompt.logits.elements.update(
          fromContentsOf: logits.slice(decodeCount + index..<decodeCount + index + 1).elements)
      }
      try extend(&running, logits.slice(0..<decodeCount), requests, finished)
      prefilled += newcomers
    }
  }

  /// Starts waiting samples of prefilled prompts while there is room.
  private func start(
    _ prefilled: inout [Prefilled], _ running: inout [Running], _ requests: [SamplingRequest],
    _ finished: (SampledSequence) throws -> Void
  ) throws {
    while let prompt = prefilled.first, running.count < maximumBatch {
      let request = requests[prompt.request]
      guard let sample = prompt.waiting.first else {
        prefilled.removeFirst()
        continue
      }
      let length = request.prompt.count
      prompt.takePromised()
      guard
        let cache = CachedSequence(
          pool, positions: length + maximumNewTokens, sharing: prompt.cache, first: length)
      else {
        // The first sample of a prompt has its pages, and each later one finds those of one that ended.
        precondition(!running.isEmpty, "no sample runs and none can start")
        break
      }
      prompt.waiting.removeFirst()
      if prompt.waiting.isEmpty { prefilled.removeFirst() }
      var started = [Running(request: prompt.request, sample: sample, cache: cache)]
      try extend(&started, needsOwnLogits ? copy(prompt.logits) : prompt.logits, requests, finished)
      running += started
    }
  }

  /// Reserves room for prompts to prefill in this pass, and for one sample of each.
  private func admit(
    _ requests: [SamplingRequest], _ next: inout Int, _ opening: inout SharedOpening, waiting: [Prefilled],
    running: Int
  ) throws -> [Prefilled] {
    var newcomers: [Prefilled] = []
    var samples = running + waiting.reduce(0) { $0 + $1.waiting.count }
    var tokens = 0
    while next < requests.count, samples < maximumBatch {
      let request = requests[next]
      let length = request.prompt.count
      guard tokens == 0 || tokens + length - opening.length <= Self.prefillTokens else { break }
      let samplePages = PagePool.pageCount(length + maximumNewTokens) - length / PagePool.pageLength
      guard
        let cache = CachedSequence(pool, positions: length, sharing: opening.cache, first: opening.length),
        pool.reserve(samplePages)
      else {
        if running == 0, waiting.isEmpty, newcomers.isEmpty {
          if opening.cache != nil {
            // Without the pages that hold the opening it may fit.
            opening = .none
            continue
          }
          throw CacheExhausted(
            wantedBytes: (PagePool.pageCount(length) + samplePages) * pool.pageBytes,
            capacityBytes: pool.capacity * pool.pageBytes)
        }
        break
      }
      if request.samples.isEmpty {
        pool.release(reserved: samplePages)
      } else {
        newcomers.append(
          Prefilled(request: next, cache: cache, waiting: request.samples, promised: samplePages))
        tokens += length - opening.length
        samples += request.samples.count
      }
      next += 1
    }
    return newcomers
  }

  /// Whether what a sample has written changes its logits in place.
  private var needsOwnLogits: Bool {
    !parameters.penalties.isNone || minimumNewTokens > 0 || texts?.bansTexts ?? false
  }

  private func copy(_ row: Tensor) -> Tensor {
    let copy = Tensor(row.rows, row.columns)
    _ = copy.elements.update(fromContentsOf: row.elements)
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

  /// The loss's own terms, for their values alone; `logits` are overwritten.
  private func describe(_ drawn: [Int32], of running: [Running], _ logits: Tensor) {
    guard drawn.allSatisfy({ $0 >= 0 }) else { return }
    let rows = decoder.backend.conditionalLoss(
      logits, reference: nil, labels: drawn,
      objective: ConditionalObjective(kl: 0, entropy: 0, klDirection: .referencePolicy),
      klColumns: logits.columns, scale: 0)
    for (index, sample) in running.enumerated() {
      sample.statistics.logProbabilities.append(-rows.languageModel[index])
      sample.statistics.entropies.append(rows.entropy[index])
    }
  }

  /// Draws the next token of each sample from its row of logits; hands finished samples over.
  private func extend(
    _ running: inout [Running], _ logits: Tensor, _ requests: [SamplingRequest],
    _ finished: (SampledSequence) throws -> Void
  ) throws {
    guard !running.isEmpty else { return }
    let untouched = keepsStatistics ? copy(logits) : nil
    if needsOwnLogits {
      for (index, sample) in running.enumerated() {
        adjust(logits.slice(index..<index + 1), for: sample, prompt: requests[sample.request].prompt)
      }
    }
    let uniforms = running.map {
      random.uniform(row: requests[$0.request].row, sample: $0.sample, position: $0.tokens.count)
    }
    let drawn = decoder.backend.sample(
      logits, parameters: Array(repeating: parameters, count: running.count), uniforms: uniforms,
      banned: bannedTokens)
    drawnTokens += drawn.count
    if let untouched { describe(drawn, of: running, untouched) }
    var still: [Running] = []
    for (sample, token) in zip(running, drawn) {
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
            request: sample.request, sample: sample.sample, tokens: sample.tokens, finished: ended,
            stop: stop,
            statistics: sample.statistics))
      } else {
        still.append(sample)
      }
    }
    running = still
  }
}

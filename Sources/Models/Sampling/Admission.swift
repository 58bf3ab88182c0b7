// Which prompts are computed next and which samples start: as many as the batch and the memory have room for.

/// A prompt with pages of its own. Its keys and values are computed in pieces; then its samples start.
final class AdmittedPrompt {
  /// Index of its request.
  let request: Int
  let cache: CachedSequence
  /// Of its last position, [1, V], once all of it is computed.
  var logits: Tensor
  /// Samples to start.
  fileprivate var waiting: [Int]
  /// Pages set aside for the next sample, so that prompts that wait side by side cannot starve each other.
  private var promised: Int

  fileprivate init(request: Int, cache: CachedSequence, waiting: [Int], promised: Int) {
    self.request = request
    self.cache = cache
    logits = cache.pool.backend.tensor(1, 0)
    self.waiting = waiting
    self.promised = promised
  }

  fileprivate func takePromised() {
    cache.pool.release(reserved: promised)
    promised = 0
  }

  deinit { takePromised() }
}

/// Requests on their way to running samples, in their order. What is admitted never lacks a page later.
struct Admission {
  private let requests: [SamplingRequest]
  private let pool: PagePool
  private let maximumNewTokens: Int
  private let maximumBatch: Int
  private let prefillTokens: Int
  private var shared: SharedCache
  /// The first request that is not admitted.
  private var next = 0
  /// Prompts of which a part is computed: at most one between two passes.
  private var prefilling: [AdmittedPrompt] = []
  /// Prompts with samples to start.
  private var prefilled: [AdmittedPrompt] = []

  /// - Parameters:
  ///   - maximumBatch: samples that run at once, memory permitting.
  ///   - prefillTokens: tokens of prompts in one forward pass.
  init(
    _ requests: [SamplingRequest], _ decoder: Decoder, _ pool: PagePool, maximumNewTokens: Int,
    maximumBatch: Int, prefillTokens: Int
  ) {
    self.requests = requests
    self.pool = pool
    self.maximumNewTokens = maximumNewTokens
    self.maximumBatch = maximumBatch
    self.prefillTokens = prefillTokens
    shared = SharedCache(of: requests.map(\.prompt), decoder, pool, tokensAtOnce: prefillTokens)
  }

  var sharedLength: Int { shared.length }

  var isDone: Bool { next == requests.count && prefilling.isEmpty && prefilled.isEmpty }

  /// The next sample of a prompt that is computed, where there is room for it beside those that run.
  mutating func startSample(beside running: Int) -> (prompt: AdmittedPrompt, sample: Int, CachedSequence)? {
    guard running < maximumBatch, let prompt = prefilled.first, let sample = prompt.waiting.first else {
      return nil
    }
    let length = requests[prompt.request].prompt.count
    prompt.takePromised()
    guard
      let cache = CachedSequence(
        pool, positions: length + maximumNewTokens, sharing: prompt.cache, first: length)
    else {
      // The first sample of a prompt has its pages, and each later one finds those of one that ended.
      precondition(running > 0, "no sample runs and none can start")
      return nil
    }
    prompt.waiting.removeFirst()
    if prompt.waiting.isEmpty { prefilled.removeFirst() }
    return (prompt, sample, cache)
  }

  /// Adds the next tokens of prompts to a pass.
  /// - Returns: the prompts that it completes, whose logits it must give, and the rows of their last tokens.
  /// - Throws: `CacheExhausted` when the next prompt and one sample do not fit though nothing else takes memory.
  mutating func prefill(into batch: inout TokenBatch, beside running: Int) throws
    -> [(prompt: AdmittedPrompt, row: Int32)]
  {
    var completed: [(prompt: AdmittedPrompt, row: Int32)] = []
    var room = prefillTokens
    while room > 0 {
      if prefilling.isEmpty { try admit(beside: running) }
      guard let prompt = prefilling.first else { break }
      let tokens = requests[prompt.request].prompt
      let rows = batch.append(tokens[prompt.cache.length...].prefix(room), to: prompt.cache)
      room -= rows.count
      if prompt.cache.length == tokens.count {
        prefilled.append(prefilling.removeFirst())
        completed.append((prompt, Int32(rows.upperBound - 1)))
      }
    }
    return completed
  }

  /// Reserves room for the next prompt and for one sample of it, where there is some.
  private mutating func admit(beside running: Int) throws {
    while next < requests.count, requests[next].samples.isEmpty { next += 1 }
    guard next < requests.count,
      prefilled.reduce(running, { $0 + $1.waiting.count }) < maximumBatch
    else { return }
    let length = requests[next].prompt.count
    let samplePages = PagePool.pageCount(length + maximumNewTokens) - length / PagePool.pageLength
    if let cache = CachedSequence(pool, positions: length, sharing: shared.cache, first: shared.length),
      pool.reserve(samplePages)
    {
      prefilling.append(
        AdmittedPrompt(request: next, cache: cache, waiting: requests[next].samples, promised: samplePages))
      next += 1
    } else if running == 0, prefilled.isEmpty {
      guard shared.cache != nil else {
        throw CacheExhausted(
          wantedBytes: (PagePool.pageCount(length) + samplePages) * pool.pageBytes,
          capacityBytes: pool.capacity * pool.pageBytes)
      }
      // Without the pages that all share it may fit.
      shared = .none
      try admit(beside: running)
    }
  }
}

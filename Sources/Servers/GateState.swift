// How much may be asked of one server, as a value: decided from what it did, with the clock passed in.

import Experiments

/// Additive increase, multiplicative decrease, pauses, and rates. Times are seconds since 1970, since processes share it and runs
/// continue it.
package struct GateState: Equatable, Sendable {
  /// Requests under way at once.
  package private(set) var limit: Double
  /// Until the server first has too much, each success raises the limit by one, so that a slow server is not approached for hours.
  package private(set) var isRising = true
  private var decreasedAt = 0.0
  private var pausedUntil = 0.0
  private var requests: Bucket
  private var tokens: Bucket

  /// What is left of a rate: never more than a second's worth is saved up, and what was taken beyond it is a debt.
  private struct Bucket: Equatable, Sendable {
    var level: Double
    var time: Double

    mutating func fill(_ perMinute: Int, _ now: Double) {
      // The clock may have been set back.
      let elapsed = max(0, now - time)
      let most = Self.capacity(perMinute)
      // A server that says that a request took ever so much stops nobody for longer than a minute.
      level = max(-Double(perMinute), min(most, level + elapsed * Double(perMinute) / 60))
      time = now
    }

    /// Seconds until so much may be taken.
    func wait(_ amount: Double, _ perMinute: Int) -> Double {
      max(0, min(amount, Self.capacity(perMinute)) - level) * 60 / max(1, Double(perMinute))
    }

    static func capacity(_ perMinute: Int) -> Double { max(1, Double(perMinute) / 60) }
  }

  static let firstLimit = 8.0

  package init(_ limits: ServerModel.Limits, now: Double) {
    limit = max(1, min(Self.firstLimit, Double(limits.concurrency)))
    requests = Bucket(level: 1, time: now)
    tokens = Bucket(level: 1, time: now)
  }

  /// Requests under way at once, at most.
  package func ceiling(_ limits: ServerModel.Limits) -> Int {
    max(1, min(Int(limit), limits.concurrency))
  }

  /// Seconds for which nothing may be asked; 0 where something may. Never more than the longest pause, whatever the clock did.
  package func pause(_ limits: ServerModel.Limits, now: Double) -> Double {
    min(max(0, pausedUntil - now), limits.longestPause)
  }

  /// Takes a request of about so many tokens out of the rates.
  /// - Returns: seconds until it may be asked; 0 where it was taken.
  package mutating func admit(tokens amount: Int, _ limits: ServerModel.Limits, now: Double) -> Double {
    var wait = pause(limits, now: now)
    if let rate = limits.requestsPerMinute {
      requests.fill(rate, now)
      wait = max(wait, requests.wait(1, rate))
    }
    if let rate = limits.tokensPerMinute {
      tokens.fill(rate, now)
      wait = max(wait, tokens.wait(Double(amount), rate))
    }
    guard wait < 1e-6 else { return wait }
    requests.level -= 1
    tokens.level -= Double(amount)
    return 0
  }

  /// Corrects what `admit` took: of a request that was not sent after all, or needed another number of tokens.
  package mutating func settle(requests count: Int, tokens amount: Int) {
    requests.level -= Double(count)
    tokens.level -= Double(amount)
  }

  /// Requests that were answered while as many were under way as may be.
  package mutating func succeeded(_ count: Int, _ limits: ServerModel.Limits) {
    for _ in 0..<count {
      limit = min(Double(limits.concurrency), limit + (isRising ? 1 : 1 / limit))
    }
  }

  /// A request that began then was too much. Halves once for all that were under way together.
  package mutating func overloaded(startedAt: Double, now: Double) {
    guard startedAt >= decreasedAt else { return }
    limit = max(1, limit / 2)
    isRising = false
    decreasedAt = now
  }

  package mutating func pause(seconds: Double, now: Double) {
    pausedUntil = max(min(pausedUntil, now + 86400), now + seconds)
  }
}

// MARK: - In a file

extension GateState {
  private static let magic: UInt64 = 0x31_4554_4147_424D
  static let byteCount = 88

  package var bytes: [UInt8] {
    var words = [Self.magic, isRising ? 1 : 0]
    words += [limit, decreasedAt, pausedUntil, requests.level, requests.time, tokens.level, tokens.time].map(
      \.bitPattern)
    words.append(0)
    words.append(Self.checksum(words))
    return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) } }
  }

  /// Nil of anything but what `bytes` gives.
  package init?(bytes: [UInt8], _ limits: ServerModel.Limits) {
    guard bytes.count == Self.byteCount else { return nil }
    let words = stride(from: 0, to: bytes.count, by: 8).map { start in
      bytes[start..<(start + 8)].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    }
    guard words[0] == Self.magic, words[10] == Self.checksum(Array(words[..<10])) else { return nil }
    let numbers = words[2..<9].map { Double(bitPattern: $0) }
    guard numbers.allSatisfy(\.isFinite) else { return nil }
    limit = max(1, min(numbers[0], Double(limits.concurrency)))
    isRising = words[1] == 1
    (decreasedAt, pausedUntil) = (numbers[1], numbers[2])
    requests = Bucket(level: numbers[3], time: numbers[4])
    tokens = Bucket(level: numbers[5], time: numbers[6])
  }

  private static func checksum(_ words: [UInt64]) -> UInt64 {
    words.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01b3 }
  }
}

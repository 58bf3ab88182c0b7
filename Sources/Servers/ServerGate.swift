// How many requests are under way at one server, shared by all processes of a store and continued by the next run.

import Experiments
import Glibc
import JSON
import System

/// A small file beside the server's journal. Its first bytes are the state, changed under a lock on byte 0; a request under way holds a
/// byte from 4096 on, and a process that wants more than it has one from 65536 on. The kernel frees what a killed process held.
/// Used by one thread.
package final class ServerGate {
  private let file: File
  private let limits: ServerModel.Limits
  private var state: GateState
  private var readAt = -Double.infinity
  private var held: Set<Int64> = []
  private var successes = 0
  private var toldAt = 0.0
  private var waiting: Int64?
  private var others = 0
  private var countedAt = -Double.infinity

  private static let firstSlot: Int64 = 4096
  private static let firstWaiting: Int64 = 65536
  private static let mostSlots = 32768
  private static let mostWaiting: Int64 = 64
  /// In seconds: how old the state may be by which it is decided.
  private static let freshness = 0.02
  private static let countInterval = 0.25

  /// - Parameter folder: must be there.
  package init(folder: String, _ limits: ServerModel.Limits) throws {
    self.limits = limits
    file = try File.open("\(folder)/gate", O_RDWR | O_CREAT)
    state = GateState(limits, now: Self.now())
    try change { _, _ in }
  }

  deinit { file.closeQuietly() }

  /// Requests of this process that are under way.
  package var count: Int { held.count }

  /// Seconds for which nobody may ask.
  package func pause() throws -> Double {
    try look()
    return state.pause(limits, now: Self.now())
  }

  /// A place for one request; nil where there is none now.
  package func enter() throws -> Int64? {
    try look()
    let ceiling = min(state.ceiling(limits), Self.mostSlots)
    guard held.count < share(of: ceiling) else { return nil }
    for slot in Self.firstSlot..<(Self.firstSlot + Int64(ceiling)) where !held.contains(slot) {
      if try file.tryLock(byte: slot) {
        held.insert(slot)
        return slot
      }
    }
    return nil
  }

  package func leave(_ slot: Int64) {
    guard held.remove(slot) != nil else { return }
    file.unlock(byte: slot)
  }

  /// - Returns: seconds until a request of about so many tokens may be asked; 0 where it was taken out of the rates.
  package func admit(tokens: Int) throws -> Double {
    guard limits.requestsPerMinute != nil || limits.tokensPerMinute != nil else { return try pause() }
    var wait = 0.0
    try change { state, now in wait = state.admit(tokens: tokens, limits, now: now) }
    return wait
  }

  /// Corrects what `admit` took.
  package func settle(requests: Int = 0, tokens: Int) throws {
    guard limits.requestsPerMinute != nil || limits.tokensPerMinute != nil, requests != 0 || tokens != 0
    else {
      return
    }
    try change { state, _ in state.settle(requests: requests, tokens: tokens) }
  }

  /// Call before the request leaves.
  package func succeeded() throws {
    // What was never full says nothing of how much more would go.
    if held.count * 4 >= share(of: state.ceiling(limits)) * 3 { successes += 1 }
    let now = Self.now()
    guard successes > 0, successes >= Int(state.limit / 4) || now - toldAt > 0.05 || now < toldAt else {
      return
    }
    toldAt = now
    try change { _, _ in }
  }

  package func overloaded(startedAt: Double) throws {
    try change { state, now in state.overloaded(startedAt: startedAt, now: now) }
  }

  package func pause(seconds: Double) throws {
    try change { state, now in state.pause(seconds: seconds, now: now) }
  }

  /// Says whether this process has more to ask than it may: those that do share what there is.
  package func want(more: Bool) throws {
    if more, waiting == nil {
      for byte in Self.firstWaiting..<(Self.firstWaiting + Self.mostWaiting)
      where try file.tryLock(byte: byte) {
        waiting = byte
        break
      }
    } else if !more, let byte = waiting {
      file.unlock(byte: byte)
      waiting = nil
    }
  }

  /// The clock that the processes share.
  package static func now() -> Double { Timestamp.now().secondsSince1970 }

  private func share(of ceiling: Int) -> Int {
    let now = monotonicSeconds()
    if now - countedAt > Self.countInterval {
      countedAt = now
      others = (Self.firstWaiting..<(Self.firstWaiting + Self.mostWaiting)).count {
        $0 != waiting && file.isLockedElsewhere(byte: $0)
      }
    }
    return (ceiling + others) / (others + 1)
  }

  private func look() throws {
    let now = monotonicSeconds()
    guard now - readAt > Self.freshness else { return }
    readAt = now
    // A torn read does not check, and waits for its writer.
    if let read = try stored() { state = read } else { try change { _, _ in } }
  }

  private func change(_ body: (inout GateState, _ now: Double) -> Void) throws {
    try file.waitForLock(byte: 0)
    defer { file.unlock(byte: 0) }
    if let read = try stored() { state = read }
    state.succeeded(successes, limits)
    successes = 0
    body(&state, Self.now())
    readAt = monotonicSeconds()
    let bytes = state.bytes
    guard bytes.withUnsafeBytes({ pwrite(file.descriptor, $0.baseAddress, $0.count, 0) }) == bytes.count
    else {
      throw SystemError("write", file.path, code: errno, bytes: bytes.count)
    }
  }

  private func stored() throws -> GateState? {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: GateState.byteCount) { buffer, filled in
      count = pread(file.descriptor, buffer.baseAddress, buffer.count, 0)
      filled = max(0, count)
    }
    guard count >= 0 else { throw SystemError("read", file.path, code: errno) }
    return GateState(bytes: bytes, limits)
  }
}

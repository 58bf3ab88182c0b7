// How much one server is asked: what is decided, and what processes share.

import JSON
import Runner
import Servers
import System
import TestFolder
import Testing

@Suite struct GateStateTests {
  private func limits(_ change: (inout ServerModel.Limits) -> Void = { _ in }) -> ServerModel.Limits {
    var limits = ServerModel.Limits()
    change(&limits)
    return limits
  }

  @Test func `it begins with few, and rises by one a success until there is too much`() {
    var state = GateState(limits(), now: 100)
    #expect(state.ceiling(limits()) == 8)
    state.succeeded(20, limits())
    #expect(state.ceiling(limits()) == 28)
    state.succeeded(200, limits())
    #expect(state.ceiling(limits()) == 64)
    #expect(GateState(limits { $0.concurrency = 3 }, now: 0).ceiling(limits { $0.concurrency = 3 }) == 3)
  }

  @Test
  func `too much halves it once a round trip, and then it rises by one for as many successes as it has`() {
    var state = GateState(limits(), now: 100)
    state.succeeded(56, limits())
    // Eight that were under way together.
    for _ in 0..<8 { state.overloaded(startedAt: 105, now: 110) }
    #expect(state.ceiling(limits()) == 32)
    state.overloaded(startedAt: 110.5, now: 111)
    #expect(state.ceiling(limits()) == 16)
    state.succeeded(16, limits())
    #expect(state.ceiling(limits()) == 16)
    state.succeeded(2, limits())
    #expect(state.ceiling(limits()) == 17)
    for round in 0..<20 { state.overloaded(startedAt: 200 + Double(round), now: 200 + Double(round)) }
    #expect(state.ceiling(limits()) == 1)
  }

  @Test func `a pause holds for its time, and no clock makes it longer than the longest`() {
    var state = GateState(limits(), now: 100)
    state.pause(seconds: 12, now: 100)
    state.pause(seconds: 3, now: 101)
    #expect(state.pause(limits(), now: 105) == 7)
    #expect(state.admit(tokens: 1, limits(), now: 105) == 7)
    #expect(state.pause(limits(), now: 112) == 0)
    #expect(state.pause(limits { $0.longestPause = 60 }, now: -1e6) == 60)
  }

  @Test func `no more requests a minute than the rate, and a second's worth at once`() {
    let limits = limits { $0.requestsPerMinute = 120 }
    var state = GateState(limits, now: 0)
    var now = 0.0
    var sent: [Double] = []
    while now < 120 {
      let wait = state.admit(tokens: 1000, limits, now: now)
      if wait == 0 { sent.append(now) } else { now += wait }
    }
    #expect(abs(sent.count - 240) <= 2)
    for start in stride(from: 0.0, to: 60, by: 0.25) {
      #expect(sent.count { $0 >= start && $0 < start + 60 } <= 122)
    }
    // After a pause of an hour.
    var burst = 0
    while state.admit(tokens: 1, limits, now: 4000) == 0 { burst += 1 }
    #expect(burst == 2)
  }

  @Test func `tokens are taken as forecast and settled as used`() {
    let limits = limits { $0.tokensPerMinute = 6000 }
    var state = GateState(limits, now: 0)
    #expect(state.admit(tokens: 1, limits, now: 10) == 0)
    // More than a second's worth waits for a second's worth, and leaves a debt.
    #expect(state.admit(tokens: 1000, limits, now: 20) == 0)
    #expect(abs(state.admit(tokens: 50, limits, now: 20) - 9.5) < 1e-9)
    state.settle(requests: 0, tokens: -900)
    #expect(abs(state.admit(tokens: 50, limits, now: 20) - 0.5) < 1e-9)
    // Whatever it is said to have taken.
    var other = state
    other.settle(requests: 0, tokens: 900_000_000)
    #expect(other.admit(tokens: 50, limits, now: 20) <= 61)
    // The clock is set back.
    #expect(state.admit(tokens: 50, limits, now: 5) > 0)
    #expect(state.admit(tokens: 50, limits, now: 6) == 0)
  }

  @Test func `it is the same after a file, and damage is noticed`() throws {
    var state = GateState(limits(), now: 100)
    state.succeeded(5, limits())
    state.overloaded(startedAt: 101, now: 102)
    state.pause(seconds: 9, now: 102)
    let bytes = state.bytes
    #expect(GateState(bytes: bytes, limits()) == state)
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0x40
      #expect(GateState(bytes: damaged, limits()) == nil, "\(index)")
    }
    #expect(GateState(bytes: Array(bytes.dropLast()), limits()) == nil)
    #expect(GateState(bytes: [], limits()) == nil)
    #expect(GateState(bytes: bytes, limits { $0.concurrency = 2 })?.ceiling(limits()) == 2)
  }
}

@Suite struct ServerGateTests {
  private let folder = TemporaryFolder()
  private func gate(_ change: (inout ServerModel.Limits) -> Void = { _ in }) throws -> ServerGate {
    var limits = ServerModel.Limits()
    change(&limits)
    return try ServerGate(folder: folder.path, limits)
  }

  @Test func `places are shared, and free when their holder is gone`() throws {
    let one = try gate()
    var other: ServerGate? = try gate()
    let slots = try (0..<5).compactMap { _ in try one.enter() }
    #expect(slots.count == 5)
    var count = 0
    while try other?.enter() != nil { count += 1 }
    #expect(count == 3)
    #expect(try one.enter() == nil)
    // As of a process that was killed.
    other = nil
    #expect(try (0..<9).compactMap { _ in try one.enter() }.count == 3)
    one.leave(slots[0])
    #expect(try one.enter() != nil)
  }

  @Test func `those that want more than there is share it`() throws {
    let one = try gate()
    let two = try gate()
    try one.want(more: true)
    try two.want(more: true)
    #expect(try (0..<9).compactMap { _ in try one.enter() }.count == 4)
    #expect(try (0..<9).compactMap { _ in try two.enter() }.count == 4)
  }

  @Test func `what one learns holds for all, and for the next run`() throws {
    let one = try gate()
    let two = try gate()
    let slots = try (0..<8).compactMap { _ in try one.enter() }
    #expect(slots.count == 8)
    for _ in 0..<8 { try one.succeeded() }
    try one.overloaded(startedAt: 0)
    #expect(try two.pause() == 0)
    try two.pause(seconds: 30)
    #expect(try gate().pause() > 25)
    for slot in slots { one.leave(slot) }
    let next = try gate()
    let count = try (0..<99).compactMap { _ in try next.enter() }.count
    // Sixteen, or a little less where successes are not told one by one, halved.
    #expect(4...8 ~= count)
    #expect(count == Int(try #require(GateState(bytes: folder.bytes("gate"), ServerModel.Limits())).limit))
  }

  @Test func `a damaged file is begun anew`() throws {
    try folder.write("what is this?", to: "gate")
    let gate = try gate()
    #expect(try (0..<9).compactMap { _ in try gate.enter() }.count == 8)
  }
}

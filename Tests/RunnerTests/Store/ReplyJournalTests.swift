// The journal of replies: what is kept, what damage costs, and who sees what.

import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing

@Suite struct ReplyJournalTests {
  private let folder = TemporaryFolder()
  private func key(_ number: Int) -> ReplyJournal.Key {
    ReplyJournal.Key(identity: "host/v1", body: ["prompt": .int(Int64(number))], attempt: 1)
  }
  private func entry(_ text: String) -> ReplyJournal.Entry {
    ReplyJournal.Entry(response: ["text": .string(text)], time: 1_800_000_000.25, attempt: 1)
  }
  private var names: [String] { folder.names.filter { $0.hasSuffix(".jsonl") } }

  @Test func `what was appended is found again, by whoever opens the folder`() throws {
    let journal = ReplyJournal(folder: folder.path, identity: "host/v1")
    for number in 0..<3000 { try journal.append(key(number), entry("reply \(number)")) }
    #expect(try journal.entry(key(2999)) == entry("reply 2999"))
    #expect(try journal.entry(key(3000)) == nil)
    let other = ReplyJournal(folder: folder.path)
    let found = try other.entries([key(0), key(1500), key(9999)])
    #expect(found == [key(0): entry("reply 0"), key(1500): entry("reply 1500")])
    #expect(ReplyJournal.identity(of: folder.path) == "host/v1")
  }

  @Test func `the key is the server, the whole body and the attempt`() {
    let keys = [
      ReplyJournal.Key(identity: "a", body: ["x": 1, "y": 2], attempt: 1),
      ReplyJournal.Key(identity: "b", body: ["x": 1, "y": 2], attempt: 1),
      ReplyJournal.Key(identity: "a", body: ["x": 1, "y": 3], attempt: 1),
      ReplyJournal.Key(identity: "a", body: ["x": 1, "y": 2], attempt: 2),
    ]
    #expect(Set(keys).count == 4)
    #expect(keys[0] == ReplyJournal.Key(identity: "a", body: ["y": 2, "x": 1], attempt: 1))
  }

  @Test func `what another process adds is seen, and only that is read`() throws {
    let writer = ReplyJournal(folder: folder.path)
    let reader = ReplyJournal(folder: folder.path)
    try reader.refresh()
    for number in 0..<100 {
      try writer.append(key(number), entry("\(number)"))
      try reader.refresh()
      #expect(try reader.entry(key(number)) == entry("\(number)"))
    }
    let late = ReplyJournal(folder: folder.path)
    try late.append(key(100), entry("late"))
    try reader.refresh()
    #expect(try reader.entry(key(100)) == entry("late"))
    #expect(reader.count == 101)
  }

  @Test func `damage costs the line that it is in`() throws {
    do {
      let journal = ReplyJournal(folder: folder.path)
      for number in 0..<10 { try journal.append(key(number), entry("reply \(number)")) }
    }
    let name = try #require(names.first)
    let right = folder.bytes(name)
    let lines = right.split(separator: 0x0A)
    // In the checksum, the blank, the key, the entry.
    for place in [0, 16, 20, 81, 90, 120] {
      var bytes = right
      bytes[lines[4].startIndex + place] ^= 1
      try folder.write(bytes, to: name)
      let found = try ReplyJournal(folder: folder.path).entries(Set((0..<10).map(key)))
      #expect(found.count == 9 && found[key(4)] == nil, "\(place)")
    }
    // Torn at each place of the last line.
    for left in [1, 17, 80, 100, lines[9].count] {
      try folder.write(Array(right[..<(lines[9].startIndex + left)]), to: name)
      let found = try ReplyJournal(folder: folder.path).entries(Set((0..<10).map(key)))
      #expect(found.count == 9 && found[key(9)] == nil, "\(left)")
    }
    // What comes after a torn line goes to a file of its own.
    let journal = ReplyJournal(folder: folder.path)
    try journal.append(key(9), entry("again"))
    #expect(try ReplyJournal(folder: folder.path).entries([key(9)]) == [key(9): entry("again")])
    #expect(names.count == 2)
  }

  @Test func `a line that begins with rubbish, and an empty file, cost nothing else`() throws {
    let journal = ReplyJournal(folder: folder.path)
    try journal.append(key(1), entry("one"))
    try folder.write("", to: "20000101-000000.000000-1-0.jsonl")
    try folder.write(
      "x\n\n\n{}\n" + String(repeating: "z", count: 300) + "\n", to: "20000101-000000.000000-2-0.jsonl")
    #expect(try ReplyJournal(folder: folder.path).entries([key(1)]) == [key(1): entry("one")])
  }

  @Test func `of two entries of one key the first counts`() throws {
    let journal = ReplyJournal(folder: folder.path)
    try journal.append(key(1), entry("first"))
    try journal.append(key(1), entry("second"))
    #expect(try journal.entry(key(1)) == entry("first"))
    usleep(2000)
    let other = ReplyJournal(folder: folder.path)
    try other.append(key(1), entry("third"))
    try other.refresh()
    #expect(try other.entry(key(1)) == entry("first"))
  }

  @Test func `a response of many lines and of a megabyte is one line`() throws {
    let long = String(repeating: "a\nb\r\u{2028}\u{0}\"", count: 150_000)
    let journal = ReplyJournal(folder: folder.path)
    try journal.append(key(0), entry("before"))
    try journal.append(key(1), entry(long))
    try journal.append(key(2), entry("behind"))
    let found = try ReplyJournal(folder: folder.path).entries([key(0), key(1), key(2)])
    #expect(found[key(1)] == entry(long) && found.count == 3)
  }

  @Test func `entries of another folder are taken over, and what is here stays`() throws {
    let other = TemporaryFolder()
    let theirs = ReplyJournal(folder: other.path)
    for number in 0..<4 { try theirs.append(key(number), entry("theirs \(number)")) }
    let ours = ReplyJournal(folder: folder.path)
    try ours.append(key(0), entry("ours"))
    try ours.append(key(1), entry("theirs 1"))
    let taken = try ours.takeOver(from: other.path)
    #expect(taken.added == 2 && taken.kept == 1 && taken.different == [key(0)])
    let found = try ReplyJournal(folder: folder.path).entries(Set((0..<4).map(key)))
    #expect(found[key(0)] == entry("ours") && found[key(3)] == entry("theirs 3") && found.count == 4)
    #expect(try ours.takeOver(from: other.path).added == 0)
  }

  @Test func `a collection keeps what it is told to, in one file`() throws {
    for part in 0..<3 {
      let journal = ReplyJournal(folder: folder.path, identity: "host/v1")
      for number in 0..<10 { try journal.append(key(number + part * 5), entry("\(part)")) }
      usleep(2000)
    }
    let before = try ReplyJournal(folder: folder.path).entries(Set((0..<20).map(key)))
    #expect(before.count == 20 && names.count == 3)
    let kept = Set((0..<20).filter { $0 % 2 == 0 }.map(key))
    let gone = try ReplyJournal.collect(folder.path) { kept.contains($0) }
    #expect(gone.entries == 20 && gone.bytes > 1000 && names.count == 1)
    let after = try ReplyJournal(folder: folder.path).entries(Set((0..<20).map(key)))
    #expect(after == before.filter { kept.contains($0.key) })
    #expect(folder.names.count == 2 && ReplyJournal.identity(of: folder.path) == "host/v1")
    // What is asked from now on counts behind it.
    try ReplyJournal(folder: folder.path).append(key(0), entry("new"))
    #expect(try ReplyJournal(folder: folder.path).entries([key(0)]) == [key(0): entry("0")])
  }

  @Test func `the journals of a store are listed with their sizes`() throws {
    let path = ReplyJournal.folder(of: "host/v1", inStore: folder.path)
    let journal = ReplyJournal(folder: path, identity: "host/v1")
    try journal.append(key(1), entry("one"))
    try journal.append(key(2), entry("two"))
    let summaries = try ReplyJournal.summaries(inStore: folder.path)
    #expect(summaries.map(\.identity) == ["host/v1"] && summaries.map(\.entries) == [2])
    #expect((summaries.first?.bytes ?? 0) > 200)
    #expect(try ReplyJournal.summaries(inStore: folder.path + "/nowhere").isEmpty)
  }

  @Test func `what cannot be written is an error, and what was written before stays`() throws {
    let journal = ReplyJournal(folder: folder.path)
    try journal.append(key(1), entry("one"))
    #expect(throws: SystemError.self) {
      try File.withFault(
        { operation, path in
          if operation == .write { throw SystemError("write", path, code: ENOSPC) }
        }, { try journal.append(key(2), entry("two")) })
    }
    #expect(try ReplyJournal(folder: folder.path).entries([key(1), key(2)]) == [key(1): entry("one")])
  }
}

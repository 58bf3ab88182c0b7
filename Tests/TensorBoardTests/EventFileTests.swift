// Files of events, byte by byte; `make test-services` lets TensorBoard itself read what a run wrote.

import System
import TensorBoard
import TestFolder
import Testing

@Suite struct EventFileTests {
  /// RFC 3720, appendix B.4.
  @Test func `checksums are those of the standard`() {
    let rising = (0..<32).map { UInt8($0) }
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.of(rising) == 0x46DD_794E && CRC32C.of(rising.reversed()) == 0x113F_DB5C)
    #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283 && CRC32C.of([]) == 0)
  }

  /// A length, four bytes, the event, four bytes; each event is read by its fields.
  @Test func `a scalar is a record with its tag, step and number`() throws {
    let place = TemporaryFolder()
    let file = try EventFile(folder: "\(place.path)/run", host: "h")
    try file.append([EventFile.Scalar("quark.train/loss", step: 300, 0.5, time: 2)])
    try file.append(text: "# all", tag: "experiment")
    let name = try #require(try names("\(place.path)/run").first)
    #expect(name.hasPrefix("events.out.tfevents.") && name.contains(".h."))
    let events = records(place.bytes("run/\(name)"))
    #expect(events.count == 3 && String(decoding: events[0], as: UTF8.self).hasSuffix("brain.Event:2"))
    // time 2.0 (field 1), step 300 (field 2), summary (5) of a value (1) of a tag (1) and a float (2).
    var value: [UInt8] = [0x0A, 16]
    value += Array("quark.train/loss".utf8)
    value += [0x15, 0, 0, 0, 0x3F]
    var scalar: [UInt8] = [0x09, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x10, 0xAC, 0x02]
    scalar += [0x2A, UInt8(value.count + 2), 0x0A, UInt8(value.count)]
    #expect(events[1] == scalar + value)
    // The value ends in its metadata (9): the plugin (1) by its name (1).
    var metadata: [UInt8] = [0x4A, 8, 0x0A, 6, 0x0A, 4]
    metadata += Array("text".utf8)
    #expect(Array(events[2].suffix(10)) == metadata)
    #expect(String(decoding: events[2], as: UTF8.self).contains("# all"))
  }

  private func names(_ folder: String) throws -> [String] {
    try File.names(in: folder)
  }

  private func records(_ bytes: [UInt8]) -> [[UInt8]] {
    var events: [[UInt8]] = []
    var place = 0
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 8].enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
      events.append(Array(bytes[(place + 12)..<(place + 12 + length)]))
      place += 16 + length
    }
    #expect(place == bytes.count)
    return events
  }
}

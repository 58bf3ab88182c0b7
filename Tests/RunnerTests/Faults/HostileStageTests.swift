// A stage that says what would steer a terminal, and one that writes where it should not.

import Runner
import Testing

@Suite struct HostileStageTests {
  private func misbehaving(_ how: String) -> String {
    "{\"address\": \"bad\", \"stage\": \"misbehave\", \"options\": {\"how\": \"\(how)\"}}"
  }

  @Test func `what a stage says reaches the terminal as text`() throws {
    let toy = try ToyRunner(nodes: misbehaving("hostile-words"))
    #expect(try toy.run() == .exited(1))
    let said = toy.standardError
    #expect(said.contains("\\u{1B}[1Awrong\\u{202E}"), "\(said)")
    #expect(said.contains("| a log with ]0;a title and \\u{202E}backwards"), "\(said)")
    for scalar in said.unicodeScalars where scalar != "\n" {
      #expect(scalar.value >= 0x20 && !(0x202A...0x202E ~= scalar.value), "\(scalar.value) in \(said)")
    }
  }

  @Test func `what a stage writes beside its outputs is no part of its result`() throws {
    let toy = try ToyRunner(nodes: misbehaving("write-elsewhere"))
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    #expect(try toy.names("objects").count == 1)
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardError.hasPrefix("nothing to run"))
  }
}

// A stage that says what would steer a terminal, and one that writes where it should not.

import Glibc
import Runner
import System
import TestFolder
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
    #expect(access("\(toy.path)/elsewhere", F_OK) != 0, "a relative path begins in the stage's scratch")
    #expect(try toy.run() == .exited(0))
    #expect(toy.standardError.hasPrefix("nothing to run"))
  }

  /// Beside the test bundle, since temporary folders are free to all; a checkout in such a folder can prove nothing.
  private static let elsewhere = (try? ChildProcess.ownExecutable()).map { Path.parent($0) } ?? "/tmp"
  private static let canBeConfined =
    Confinement.isAvailable && !["/tmp/", "/var/tmp/", "/dev/"].contains { elsewhere.hasPrefix($0) }

  @Test(
    .enabled(if: canBeConfined, "needs a kernel with Landlock, and a checkout that is in no temporary folder")
  )
  func `a stage that writes into the project fails, and the other stages go on`() throws {
    let toy = try ToyRunner(
      nodes: misbehaving("write-outside") + ", {\"address\": \"rows\", \"stage\": \"rows\"}",
      in: TemporaryFolder(below: Self.elsewhere))
    #expect(try toy.run("run", "--keep-going") == .exited(1))
    #expect(access("\(toy.path)/outside", F_OK) != 0)
    #expect(toy.standardError.contains("it may not create `\(toy.path)/outside"), "\(toy.standardError)")
    #expect(try toy.events("node-finished").count == 1)
    // Who means it says so.
    let again = try toy.start(environment: [("PLUMB_WRITABLE", toy.path)])
    #expect(again.ending(waiting: true) == .exited(0), "\(toy.standardError)")
    #expect(toy.folder.text("outside") == "mine")
  }

  @Test(
    .enabled(if: canBeConfined, "needs a kernel with Landlock, and a checkout that is in no temporary folder")
  )
  func `what a stage starts is held to the same`() throws {
    let toy = try ToyRunner(
      nodes: misbehaving("remove-outside"), in: TemporaryFolder(below: Self.elsewhere))
    try toy.folder.write("still here", to: "precious")
    #expect(try toy.run() == .exited(0), "\(toy.standardError)")
    #expect(toy.folder.text("precious") == "still here")
  }
}

// A file that a user named: read whole, or refused with a reason.

import Glibc
import Runner
import System
import TestFolder
import Testing

@Suite struct UserFileTests {
  private let folder = TemporaryFolder()

  private func reason(_ path: String) -> String? {
    do {
      _ = try File.readUserFile(path)
      return nil
    } catch { return (error as? UserFileError)?.reason }
  }

  @Test func `it is read whole, or up to a limit`() throws {
    let path = try folder.file("rows", "abcdef")
    #expect(try File.readUserFile(path) == Array("abcdef".utf8))
    #expect(try File.readUserFile(path, upTo: 6) == Array("abcdef".utf8))
    #expect(try File.readUserFile(path, upTo: 4) == Array("abcd".utf8))
    #expect(try File.readUserFile(try folder.file("empty", "")) == [])
  }

  @Test func `what cannot be read is refused with the reason`() throws {
    let file = try folder.file("rows", "abc")
    #expect(reason("\(folder.path)/absent") == "no such file or directory")
    #expect(reason("\(file)/x") == "not a directory")
    #expect(reason(folder.path) == "a directory; expected a regular file")
    #expect(reason("/dev/null") == "a device; expected a regular file")
  }
}

// What stands where a file is read and is none: refused with its kind, never waited for, never read without end.

import Glibc
import Runner
import TestFolder
import Testing

@Suite struct RegularFileTests {
  private let folder = TemporaryFolder()

  private func refusal(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return (error as? FileKindError)?.kind }
  }

  @Test func `a named pipe, a directory, a socket and a device are refused with their kind`() throws {
    let pipe = "\(folder.path)/pipe"
    let socket = "\(folder.path)/socket"
    try #require(mkfifo(pipe, 0o600) == 0)
    try #require(mknod(socket, S_IFSOCK | 0o600, 0) == 0)
    for (path, kind) in [
      (pipe, "a named pipe"), (socket, "a socket"), (folder.path, "a directory"), ("/dev/zero", "a device"),
      ("/dev/null", "a device"),
    ] {
      #expect(refusal { _ = try File.read(path) } == kind)
      #expect(refusal { _ = try Digest.ofFile(path) } == kind)
      #expect(refusal { _ = try File.openToRead(path) } == kind)
    }
    #expect(refusal { _ = try File.openToRead(pipe, O_NOFOLLOW) } == "a named pipe")
  }

  @Test(arguments: ["/proc/kcore", "/proc/self/pagemap", "/proc/version", "/sys/kernel/uevent_seqnum"])
  func `a file that the kernel makes is refused`(_ path: String) {
    guard access(path, R_OK) == 0 else { return }
    #expect(refusal { _ = try Digest.ofFile(path) } == "made by the kernel while it is read")
  }

  @Test func `a file of the kernel is read where it is wanted, though it has no size`() throws {
    let text = String(decoding: try File.readKernelFile("/proc/self/status"), as: UTF8.self)
    #expect(text.contains("VmHWM"))
  }

  @Test func `what is added to a file while it is read is not read`() throws {
    let path = try folder.file("grows", "abc")
    let file = try File.openToRead(path)
    defer { file.closeQuietly() }
    let writer = try File.open(path, O_WRONLY | O_APPEND)
    defer { writer.closeQuietly() }
    var seen = 0
    try file.readBlocks(upTo: try file.status().size) { block in
      seen += block.count
      try writer.writeAll("more")
    }
    #expect(seen == 3)
    #expect(try File.read(path) == Array("abcmore".utf8))
  }
}

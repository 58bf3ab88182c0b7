// The end of a process, told by a descriptor.

import Glibc
import System
import Testing

@Suite struct ProcessEndTests {
  private func canRead(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&wanted, 1, milliseconds) == 1
  }

  @Test func `a process's end is told when it ends, and not before`() throws {
    let process = try ChildProcess.start(
      "/bin/sleep", arguments: ["60"], environment: [], descriptors: [nil, nil, nil])
    defer { _ = process.sendToGroup(SIGKILL) }
    // No kernel before 5.3 has such a descriptor.
    guard let end = process.endDescriptor() else { return }
    defer { close(end) }
    #expect(!canRead(end, within: 50) && process.ending() == nil)
    process.send(SIGKILL)
    #expect(canRead(end, within: 10_000))
    #expect(process.ending() == .signalled(SIGKILL))
  }
}

// What a piece of work costs, for the tests that bound it.

import Glibc

/// Processor seconds that this thread spends in `body`: what a test may bound, since a busy machine does not change it much. Of
/// work that stays on one thread.
package func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
  func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
  let start = now()
  try body()
  return now() - start
}

/// The most memory this process has held, in bytes. Of a process that does nothing else: every other test of a program counts too,
/// so a test that bounds it runs in a process of its own.
package func peakResidentBytes() -> Int {
  guard let status = fopen("/proc/self/status", "r") else { preconditionFailure("no /proc") }
  defer { fclose(status) }
  var line = [CChar](repeating: 0, count: 256)
  while fgets(&line, Int32(line.count), status) != nil {
    var kibibytes = 0
    if withUnsafeMutablePointer(to: &kibibytes, { withVaList([$0]) { vsscanf(line, "VmHWM: %ld", $0) } }) == 1
    {
      return kibibytes << 10
    }
  }
  preconditionFailure("/proc/self/status has no VmHWM")
}

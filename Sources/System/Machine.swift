// The machine a run has: what there is to share out among its stages.

import Glibc

package struct Machine: Sendable, Equatable {
  package var processors: Int
  package var memoryBytes: Int
  /// The devices by the names their driver knows, in order.
  package var gpus: [String]

  package init(processors: Int, memoryBytes: Int, gpus: [String]) {
    self.processors = processors
    self.memoryBytes = memoryBytes
    self.gpus = gpus
  }

  /// What this process may use of the machine it runs on: its affinity, its control group's memory, the visible devices.
  package static func current() -> Machine {
    Machine(processors: processorCount(), memoryBytes: usableMemory(), gpus: visibleGPUs())
  }

  package static var hostName: String {
    var name = utsname()
    uname(&name)
    return withUnsafeBytes(of: name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static func usableMemory() -> Int {
    let (physical, overflows) = Int(sysconf(Int32(_SC_PHYS_PAGES))).multipliedReportingOverflow(
      by: Int(sysconf(Int32(_SC_PAGESIZE))))
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].compactMap {
      (try? File.readKernelFile($0)).flatMap {
        Int(String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self))
      }
    }
    return ((overflows ? [] : [physical]) + limits).filter { $0 > 0 }.min() ?? Int.max
  }

  /// `CUDA_VISIBLE_DEVICES` where it is set, else every `/dev/nvidiaN`.
  private static func visibleGPUs() -> [String] {
    if let listed = getenv("CUDA_VISIBLE_DEVICES") {
      return String(cString: listed).utf8.split(separator: UInt8(ascii: ",")).map { String(Substring($0)) }
        .filter { $0 != "-1" }
    }
    return ((try? File.names(in: "/dev")) ?? []).compactMap { name in
      name.hasPrefix("nvidia") ? Int(name.dropFirst(6)) : nil
    }.sorted().map(String.init)
  }

  /// How often the kernel has killed for want of memory since it started; nil where it does not say.
  package static func memoryKills() -> Int? {
    guard let bytes = try? File.readKernelFile("/proc/vmstat") else { return nil }
    for line in bytes.split(separator: 0x0A) where line.starts(with: "oom_kill ".utf8) {
      return Int(String(decoding: line.dropFirst(9), as: UTF8.self))
    }
    return nil
  }
}

/// Processors this process may run on.
package func processorCount() -> Int {
  let online = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  guard let status = try? File.readKernelFile("/proc/self/status") else { return online }
  for line in status.split(separator: 0x0A) where line.starts(with: "Cpus_allowed:".utf8) {
    // A mask in hexadecimal, in groups of 32 bits.
    let allowed = line.dropFirst(13).reduce(0) { count, byte in
      count + (Character(UnicodeScalar(byte)).hexDigitValue?.nonzeroBitCount ?? 0)
    }
    return min(online, max(1, allowed))
  }
  return online
}

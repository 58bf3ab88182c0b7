// What the process has used so far.

import Glibc

struct Usage {
  /// Of all threads.
  let cpuSeconds: Double
  /// The largest resident size.
  let peakBytes: Double

  static var now: Usage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return Usage(
      cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      peakBytes: Double(usage.ru_maxrss) * 1024)
  }
}

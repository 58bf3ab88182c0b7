// What a measurement is: wall and CPU time of a piece of work, best and median of several runs.

import Glibc
import JSON

struct Measurement {
  /// Seconds of each run.
  private(set) var wall: [Double] = []
  private(set) var cpu: [Double] = []

  /// Runs `work` `runs` times; what `prepare` makes is not timed.
  init<Value>(runs: Int, prepare: () throws -> Value, _ work: (Value) throws -> Void) rethrows {
    for _ in 0..<runs {
      let value = try prepare()
      let (clock, used) = (ContinuousClock.now, Self.cpuSeconds())
      try work(value)
      wall.append((ContinuousClock.now - clock) / .seconds(1))
      cpu.append(Self.cpuSeconds() - used)
    }
  }

  init(runs: Int, _ work: () throws -> Void) rethrows {
    try self.init(runs: runs, prepare: {}, { _ in try work() })
  }

  /// Of wall time.
  var median: Double { wall.sorted()[wall.count / 2] }
  var medianCPU: Double { cpu.sorted()[cpu.count / 2] }

  /// CPU seconds of the process so far, all threads.
  private static func cpuSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// The largest resident size of the process so far, in bytes.
  static func peakMemory() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}

/// Writes one result as a line of JSON.
func report(_ name: String, _ fields: [(String, Double)]) {
  let members =
    [JSONObject.Member(key: "name", value: .string(name))]
    + fields.map { JSONObject.Member(key: $0.0, value: .double($0.1)) }
  print(JSON.object(JSONObject(members)).text(.compact))
  fflush(nil)
}

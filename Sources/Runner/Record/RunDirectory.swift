// A run on disk: `runs/NAME/ID/` with the experiment, the plan, the events, the logs, the metrics and the machine.

import Glibc
import JSON

package struct RunDirectory: Sendable {
  package let path: String
  /// UTC time to the microsecond, so that ids sort, and a short hash.
  package let id: String

  package var logDirectory: String { "\(path)/logs" }
  package var eventsPath: String { "\(path)/events.jsonl" }

  /// Held while the process that runs it lives.
  private let lock: File

  /// Makes `PARENT/NAME/ID`. `name` must be a file name. `parameters` are the values the run has, with `--set` applied.
  package init(
    below parent: String, name: String, experimentText: String, command: String = "",
    parameters: JSONObject = JSONObject()
  ) throws {
    let now = Timestamp.now()
    let hash = Digest.of(text: "\(now.unique) \(getpid()) \(experimentText)").hex.prefix(6)
    id = "\(now.compact)-\(hash)"
    path = "\(parent)/\(name)/\(id)"
    try File.makeDirectory("\(path)/logs")
    lock = try File.open("\(path)/lock", O_RDWR | O_CREAT)
    guard try lock.tryLock() else { throw SystemError("lock", "\(path)/lock", code: EWOULDBLOCK) }
    let machine = RunDirectory.machine()
    let start: JSON = [
      "id": .string(id), "experiment": .string(name), "command": .string(command),
      "started": .string(now.text), "host": machine["host"] ?? .null, "process": .int(Int64(getpid())),
      "parameters": .object(parameters),
    ]
    try File.writeDurably(start.text(.pretty) + "\n", to: "\(path)/run.json")
    try File.writeDurably(experimentText, to: "\(path)/experiment.yaml")
    try File.writeDurably(machine.text(.pretty) + "\n", to: "\(path)/machine.json")
  }

  /// The root of the project around a folder; its runs are in `runs` there.
  package static func projectRoot(above folder: String) -> String {
    ProjectPaths(aboveFolder: ProjectPaths.real(folder) ?? folder).root
  }

  /// Whether a live process runs the run in this directory. The kernel answers: it frees the lock at its holder's death.
  package static func isHeld(_ path: String) -> Bool {
    guard let file = try? File.open("\(path)/lock", O_RDONLY) else { return false }
    defer { file.closeQuietly() }
    // Shared, so that two who ask do not take each other for the run.
    return flock(file.descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// The plan with the keys that are known; written when the run starts and again at its end.
  func write(_ plan: PlanText, keys: [Int: String]) throws {
    try File.writeDurably(plan.text(keys: keys), to: "\(path)/plan.json")
  }

  /// Of an experiment made of several files: `resolved.yaml`, all of it with the place of each value, and the other files as
  /// they were, in `files/` by their paths in the project. Of one file nothing: `experiment.yaml` is all there is.
  package static func files(of experiment: Experiment, _ plan: Plan) -> [(name: String, text: String)] {
    guard !experiment.otherFiles.isEmpty else { return [] }
    let root = experiment.projectRoot + "/"
    return [("resolved.yaml", ResolvedConfiguration(experiment, plan, showsOrigins: true).text)]
      + experiment.otherFiles.map { path, file in
        let inside = path.hasPrefix(root) ? String(path.dropFirst(root.utf8.count)) : "outside" + path
        return ("files/\(inside)", String(decoding: file.bytes, as: UTF8.self))
      }
  }

  func write(_ text: String, to name: String) throws {
    try File.makeDirectory(Path.parent("\(path)/\(name)"))
    try File.writeDurably(text, to: "\(path)/\(name)")
  }

  package func write(metrics: JSON) throws {
    try File.writeDurably(metrics.text(.pretty) + "\n", to: "\(path)/metrics.json")
  }

  package func write(evaluations: JSON) throws {
    try File.writeDurably(evaluations.text(.pretty) + "\n", to: "\(path)/evaluations.json")
  }

  /// What the numbers were computed on.
  package static func machine() -> JSON {
    var name = utsname()
    uname(&name)
    func text<T>(_ field: T) -> String {
      withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
    func line(_ path: String, _ prefix: String) -> String? {
      guard let bytes = try? File.read(path) else { return nil }
      for line in bytes.split(separator: 0x0A) where line.starts(with: prefix.utf8) {
        let value = line.drop { $0 != UInt8(ascii: ":") }.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
        return String(decoding: value, as: UTF8.self)
      }
      return nil
    }
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let memory = pages.multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE))).partialValue
    return [
      "host": .string(text(name.nodename)), "system": .string("\(text(name.sysname)) \(text(name.release))"),
      "architecture": .string(text(name.machine)),
      "processor": line("/proc/cpuinfo", "model name").map { .string($0) } ?? .null,
      "processor_flags": line("/proc/cpuinfo", "flags").map { .string($0) } ?? .null,
      "processors": .int(Int64(processorCount())), "memory_bytes": .int(Int64(memory)),
    ]
  }
}

// A run on disk: `runs/NAME/ID/` with the experiment, the plan, the events, the logs, the metrics and the machine.

import Glibc
import JSON
import System

package struct RunDirectory: Sendable {
  package let path: String
  /// UTC time to the microsecond, so that ids sort, and a short hash.
  package let id: String

  package var logDirectory: String { "\(path)/logs" }
  package var eventsPath: String { "\(path)/events.jsonl" }

  /// Held while it runs; a process that dies lets go of it.
  private let lock: File

  /// Makes `PARENT/NAME/ID`. `name` must be a file name. `parameters` are the values the run has, with `--set` applied;
  /// `files` what else is kept of it from the start.
  package init(
    below parent: String, name: String, experimentText: String, experimentFile: String? = nil,
    command: String = "",
    parameters: JSONObject = JSONObject(), trial: RunTrial? = nil,
    files: [(name: String, text: String)] = []
  ) throws {
    try File.makeDirectory("\(parent)/\(name)")
    var now = Timestamp.now()
    var (id, path) = ("", "")
    repeat {
      now = Timestamp.now()
      let hash = Digest.of(text: "\(now.unique) \(getpid()) \(experimentText)").hex.prefix(6)
      id = "\(now.compact)-\(hash)"
      path = "\(parent)/\(name)/\(id)"
      // One that is there is another run's, begun in the same microsecond by a process of the same number.
    } while try !File.makeNewDirectory(path)
    self.id = id
    self.path = path
    try File.makeDirectory("\(path)/logs")
    lock = try File.open("\(path)/lock", O_RDWR | O_CREAT)
    guard try lock.tryLock() else { throw SystemError("lock", "\(path)/lock", code: EWOULDBLOCK) }
    let machine = RunDirectory.machine()
    let about: JSON = [
      "id": .string(id), "experiment": .string(name), "command": .string(command),
      "file": experimentFile.map { .string($0) } ?? .null,
      "started": .string(now.text), "host": machine["host"] ?? .null, "process": .int(Int64(getpid())),
      "parameters": .object(parameters),
    ]
    let start = JSON.object(
      JSONObject((about.objectValue?.members ?? []) + (trial.map { [("trial", $0.json)] } ?? [])))
    try write(
      [
        ("run.json", start.text(.pretty) + "\n"), (Self.experimentName, experimentText),
        ("machine.json", machine.text(.pretty) + "\n"),
      ] + files)
  }

  /// When the run has ended.
  func release() { lock.closeQuietly() }

  /// The root of the project around a folder; its runs are in `runs` there.
  package static func projectRoot(above folder: String) -> String {
    ProjectPaths(aboveFolder: Path.real(folder) ?? folder).root
  }

  /// Whether a live process runs the run in this directory. The kernel answers: it frees the lock at its holder's death.
  package static func isHeld(_ path: String) -> Bool {
    File.isLocked("\(path)/lock")
  }

  /// The plan with the keys that are known; written when the run starts and again at its end.
  static func file(of plan: PlanText, keys: [Int: String]) -> (name: String, text: String) {
    ("plan.json", plan.text(keys: keys))
  }

  static func file(of metrics: MetricValues) -> (name: String, text: String) {
    ("metrics.json", metrics.json.text(.pretty) + "\n")
  }

  static func file(of evaluations: EvaluationTable) -> (name: String, text: String) {
    ("evaluations.json", evaluations.json.text(.pretty) + "\n")
  }

  /// The experiment's own file, in the run's folder.
  package static let experimentName = "experiment.yaml"

  /// The other files of the experiment by their paths in the project, as a run kept them; in the order of their names.
  package static func otherFiles(of run: String) -> [(name: String, text: String)] {
    func files(_ folder: String, _ prefix: String) -> [(name: String, text: String)] {
      ((try? File.names(in: folder)) ?? []).sorted().flatMap { name -> [(name: String, text: String)] in
        let path = "\(folder)/\(name)"
        if FileStatus.of(path)?.isDirectory == true { return files(path, "\(prefix)\(name)/") }
        return (try? File.read(path)).map { [(prefix + name, String(decoding: $0, as: UTF8.self))] } ?? []
      }
    }
    return files("\(run)/files", "")
  }

  /// Another file of the experiment, in the run's folder.
  static func name(ofOther path: String, projectRoot: String) -> String {
    let root = projectRoot + "/"
    return "files/" + (path.hasPrefix(root) ? String(path.dropFirst(root.utf8.count)) : "outside" + path)
  }

  /// Of an experiment made of several files: `resolved.yaml`, all of it with the place of each value, and the other files as
  /// they were, in `files/` by their paths in the project. Of one file nothing: `experiment.yaml` is all there is.
  package static func files(of experiment: Experiment, _ plan: Plan) -> [(name: String, text: String)] {
    guard !experiment.otherFiles.isEmpty else { return [] }
    return [("resolved.yaml", ResolvedConfiguration(experiment, plan, showsOrigins: true).text)]
      + experiment.otherFiles.map { path, file in
        (
          name(ofOther: path, projectRoot: experiment.projectRoot),
          String(decoding: file.bytes, as: UTF8.self)
        )
      }
  }

  /// Files by their paths in the run's folder, durable when this returns.
  func write(_ files: [(name: String, text: String)]) throws {
    var folders: [(folder: String, files: [(name: String, text: String)])] = []
    for file in files {
      let whole = "\(path)/\(file.name)"
      let entry = (Path.name(whole), file.text)
      if let place = folders.firstIndex(where: { UTF8Key($0.folder) == UTF8Key(Path.parent(whole)) }) {
        folders[place].files.append(entry)
      } else {
        folders.append((Path.parent(whole), [entry]))
      }
    }
    for (folder, files) in folders {
      try File.makeDirectory(folder)
      try File.writeDurably(files, in: folder)
    }
  }

  /// What the numbers were computed on.
  package static func machine() -> JSON {
    var name = utsname()
    uname(&name)
    func text<T>(_ field: T) -> String {
      withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
    func line(_ path: String, _ prefix: String) -> String? {
      guard let bytes = try? File.readKernelFile(path) else { return nil }
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

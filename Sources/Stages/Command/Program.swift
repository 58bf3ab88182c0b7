// A declared program: its words filled in, its folder prepared, started in the worker's own process group.

import Experiments
import Glibc
import JSON
import System

struct Program {
  /// As messages call it.
  let name: String
  private let words: [String]
  private let directory: String
  private let environment: [(name: String, value: String)]
  private let confinement: Confinement

  /// The program of the stage `command`.
  init(_ context: StageContext) throws {
    let options = context.options
    let written = options[CommandStage.run]
    let isShell = options[CommandStage.shell]
    if isShell, written.count != 1 {
      throw RunError(.stageFailed, "`run` must have one entry with `shell: true`, found \(written.count)")
    }
    try self.init(
      written, filled: try written.flatMap { try Program.words(of: $0, context, isShell: isShell) },
      isShell: isShell, files: options[CommandStage.files], environment: options[CommandStage.env], context)
  }

  /// - Parameters:
  ///   - written: as the experiment has it.
  ///   - filled: what is started.
  ///   - files: copied into its folder.
  ///   - variables: of the environment, beside the usual ones.
  init(
    _ written: [String], filled: [String], isShell: Bool, files: [String], environment variables: [String],
    _ context: StageContext
  ) throws {
    confinement = Confinement(of: context)
    words = isShell ? ["/bin/sh", "-c", filled.joined(separator: " ")] : filled
    name = "`\(written.prefix(3).joined(separator: " "))\(written.count > 3 ? " …" : "")`"
    directory = "\(context.scratch)/work"
    try File.makeDirectory(directory)
    for path in files {
      let copy = "\(directory)/\(Path.name(path))"
      guard access(copy, F_OK) != 0 else {
        throw RunError(.stageFailed, "two of `files` are called `\(Path.name(path))`")
      }
      try Program.copy(path, to: copy)
      if access(path, X_OK) == 0 { chmod(copy, 0o755) }
    }
    let usual = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"]
    let declared = variables.filter { !usual.contains($0) }
    // Answers are to come one by one, not when a buffer is full.
    environment = ChildProcess.chosenEnvironment(usual + declared) + [("PYTHONUNBUFFERED", "1")]
  }

  private static func copy(_ path: String, to copy: String) throws {
    let file = try File.open(copy, O_WRONLY | O_CREAT | O_EXCL)
    do {
      try File.read(path).withUnsafeBytes { try file.writeAll($0) }
    } catch {
      file.closeQuietly()
      throw error
    }
    try file.close()
  }

  /// One; of `{in.NAME}` alone where that collects, one for each of its artifacts; none where it names an input to which nothing is
  /// bound.
  private static func words(of written: String, _ context: StageContext, isShell: Bool) throws -> [String] {
    for port in CommandStage.declaration(for: context.options.json).inputs where !isShell {
      let artifacts = context.artifacts(port.name)
      let place = "{in.\(port.name)}"
      if port.collects, written.utf8.elementsEqual(place.utf8) { return artifacts.map(\.path) }
      if artifacts.isEmpty, Array(written.utf8).contains(Array(place.utf8)) { return [] }
    }
    return [try fill(written, context, quoting: isShell)]
  }

  /// `{in.NAME}`, `{out.NAME}`, `{seed}`, `{threads}`; any other brace is what it is. In a line for a shell, `{in.NAME}` of an
  /// input that collects is all of its paths, and of one to which nothing is bound nothing.
  private static func fill(_ word: String, _ context: StageContext, quoting: Bool) throws -> String {
    let declaration = CommandStage.declaration(for: context.options.json)
    var places: [(name: String, values: [String])] = []
    for input in declaration.inputs {
      if input.collects, !quoting, word.contains("{in.\(input.name)}") {
        throw RunError(
          .stageFailed,
          "`{in.\(input.name)}` may be several paths and must be a separate argument, found `\(word)`")
      }
      places.append(("{in.\(input.name)}", context.artifacts(input.name).map(\.path)))
    }
    for output in declaration.outputs {
      places.append(("{out.\(output.name)}", [context.output(output.name, output.type)]))
    }
    places.append(("{seed}", [String(context.seed)]))
    places.append(("{threads}", [String(context.threads)]))
    var result: [UInt8] = []
    let bytes = Array(word.utf8)
    var index = 0
    scan: while index < bytes.count {
      if bytes[index] == UInt8(ascii: "{") {
        for place in places where bytes[index...].starts(with: place.name.utf8) {
          result += place.values.map { quoting ? quoted($0) : $0 }.joined(separator: " ").utf8
          index += place.name.utf8.count
          continue scan
        }
        for start in ["{in.", "{out."] where bytes[index...].starts(with: start.utf8) {
          let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) ?? bytes.count - 1
          throw RunError(
            .stageFailed,
            "`run` names `\(String(decoding: bytes[index...end], as: UTF8.self))`; there are \(places.map { "`\($0.name)`" }.sorted().joined(separator: ", "))"
          )
        }
      }
      result.append(bytes[index])
      index += 1
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func quoted(_ word: String) -> String {
    "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// - Throws: `RunError` for a program that is not there, `SystemError`.
  func start(descriptors: [Int32?]) throws -> ChildProcess {
    try requireProgram()
    // The shell goes to the folder and then is the program; nothing of the words is read by it.
    return try confinement.starting {
      try ChildProcess.start(
        "/bin/sh", arguments: ["-c", "cd \"$0\" && exec \"$@\"", directory] + words, environment: environment,
        descriptors: descriptors, joinsGroup: true)
    }
  }

  /// - Throws: `CancellationError` once it has ended at our request.
  func waitForEnd(of process: ChildProcess, _ context: StageContext) throws -> ChildProcess.Ending {
    while true {
      if let ending = process.ending() { return ending }
      do { try context.checkCancellation() } catch {
        stop(process)
        throw error
      }
      usleep(10_000)
    }
  }

  /// Asked first, then ended.
  func stop(_ process: ChildProcess) {
    process.send(SIGTERM)
    for _ in 0..<500 {
      if process.ending() != nil { return }
      usleep(10_000)
    }
    process.send(SIGKILL)
    _ = process.ending(waiting: true)
  }

  /// Seen before it is started: afterwards its status is its own, also 126 and 127.
  private func requireProgram() throws {
    let word = words[0]
    let places: [String]
    if word.utf8.contains(UInt8(ascii: "/")) {
      places = [""]
    } else {
      // Without a PATH the shell has its own.
      guard let path = environment.first(where: { $0.name == "PATH" })?.value else { return }
      places = path.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
        $0.isEmpty ? "" : String(Substring($0)) + "/"
      }
    }
    let isThere = places.contains { place in
      let path = place + word
      let whole = path.utf8.first == UInt8(ascii: "/") ? path : "\(directory)/\(path)"
      return FileStatus.of(whole)?.isRegularFile == true && access(whole, X_OK) == 0
    }
    guard isThere else {
      throw RunError(
        .stageFailed,
        "cannot start `\(word)`: it must be on PATH, or be one of `files`, executable, and be called `./\(Path.name(word))`"
      )
    }
  }

  func describe(_ ending: ChildProcess.Ending) -> String {
    switch ending {
    case .exited(126): "\(name) ended with status 126: a command could not be executed (see the log)"
    case .exited(127): "\(name) ended with status 127: a command was not found (see the log)"
    case .exited(let status): "\(name) ended with status \(status)"
    case .signalled(let signal): "\(name) was killed by \(signalName(signal))"
    }
  }
}

// `plumb cache push DIR` and `pull DIR`: between the store and one in a folder that others, or a stick, share.

import ArgumentParser
import Runner
import System

struct CachePush: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Copy what DIR lacks from the store into DIR.",
    discussion: """
      DIR is a store like any other: a folder of its own on a shared file system or a USB drive, created if missing. Every byte \
      is checked when it is read and after it is written; after an interruption the same command resumes.

        \(Program.name) cache push /media/usb/plumb
      """)

  @Argument(help: ArgumentHelp("The other store.", valueName: "dir"), completion: .directory)
  var directory: String

  @OptionGroup var storage: StoreArguments

  func run() throws {
    finish { try transfer(from: try openStore(storage), to: try otherStore(directory, makes: true)) }
  }
}

struct CachePull: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Copy what the store lacks from DIR into the store.",
    discussion:
      "The reverse of `\(Program.name) cache push`. The project's store is created if missing."
  )

  @Argument(help: ArgumentHelp("The other store.", valueName: "dir"), completion: .directory)
  var directory: String

  @OptionGroup var storage: StoreArguments

  func run() throws {
    finish {
      let source = try otherStore(directory, makes: false)
      let path = storage.path(projectRoot: projectRoot(of: Path.absolute(".")))
      return try transfer(from: source, to: try Store(at: path))
    }
  }
}

private func otherStore(_ directory: String, makes: Bool) throws -> Store {
  guard makes || FileStatus.of("\(directory)/format") != nil else {
    throw RunError(
      .commandLine, "there is no store at `\(directory)`; `\(Program.name) cache push` creates one")
  }
  return try Store(at: directory)
}

private func transfer(from source: Store, to target: Store) throws -> System.ExitCode {
  guard source.root != target.root else {
    throw RunError(.commandLine, "`\(source.root)` cannot be copied onto itself")
  }
  for store in [source, target] {
    store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
  }
  var line = ProgressLine()
  let done = try Transfer(from: source, to: target) { progress in
    line.show(
      "\(progress.records) of \(counted(progress.totalRecords, "result")), \(ByteCount(progress.bytes).text) copied"
    )
  }
  line.clear()
  var parts = [
    "\(counted(done.records, "result")) copied (\(counted(done.objects, "object")), \(ByteCount(done.bytes).text))",
    "\(done.presentRecords) already present",
  ]
  if done.evictedRecords > 0 { parts.append("\(done.evictedRecords) without evicted bytes") }
  standardError(parts.joined(separator: ", ") + "\n")
  guard done.damaged.isEmpty else {
    let names = done.damaged.map { "`\(TerminalText.escaped($0))`" }.joined(separator: ", ")
    standardError("error: damaged in `\(source.root)` and left out: \(names)\n")
    return .store
  }
  return .done
}

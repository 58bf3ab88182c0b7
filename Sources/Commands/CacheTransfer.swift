// `plumb cache push DIR [RUN…]` and `pull`: between the store and one in a folder that others, or a stick, share.

import ArgumentParser
import JSON
import RunIndex
import Runner
import System

private let otherStoreHelp = ArgumentHelp("The other store.", valueName: "dir")

private let transferredHelp = ArgumentHelp(
  "Only these experiments (by name or file) and runs, with what they need.", valueName: "experiment-or-run")

struct CachePush: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Copy what DIR lacks from the store into DIR.",
    discussion: """
      DIR is a store like any other: a folder of its own on a shared file system or a USB drive, created if missing. Every byte \
      is checked when it is read and after it is written; after an interruption the same command resumes.

      Of experiments and runs that are named, the results that they need are copied and the folders of the runs, with those of the \
      runs that computed what these found computed: after `\(Program.name) cache pull` a colleague's `runs`, `show` and `logs` have them.

        \(Program.name) cache push /media/usb/plumb
        \(Program.name) cache push /media/usb/plumb experiments/quickstart.yaml
        \(Program.name) cache push /media/usb/plumb experiments/sweep.yaml --without-models
      """)

  @Argument(help: otherStoreHelp, completion: .directory) var directory: String
  @Argument(help: transferredHelp, completion: Completion.runs) var names: [String] = []

  @Flag(
    help:
      "Leave out the weights of models, and what their trainings go on from: results that need them are computed again there."
  )
  var withoutModels = false

  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  func run() throws {
    finish {
      let source = try openStore(storage)
      // The runs are looked for before a store is made.
      let all = names.isEmpty ? [] : try place.index().runs()
      let runs = try runsNamed(names, in: all)
      let target = try otherStore(directory, makes: true)
      return try transfer(
        from: source, to: target, runs: runs, among: all, into: "\(target.root)/runs",
        onlyThese: !names.isEmpty, withModels: !withoutModels)
    }
  }
}

struct CachePull: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Copy what the store lacks from DIR into the store.",
    discussion: """
      The reverse of `\(Program.name) cache push`. The project's store is created if missing. The folders of runs that were pushed come \
      into the project's `runs`.

        \(Program.name) cache pull /media/usb/plumb
        \(Program.name) cache pull /media/usb/plumb quickstart
      """)

  @Argument(help: otherStoreHelp, completion: .directory) var directory: String
  @Argument(help: transferredHelp) var names: [String] = []

  @Flag(
    help:
      "Leave out the weights of models, and what their trainings go on from: results that need them are computed again there."
  )
  var withoutModels = false

  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  func run() throws {
    finish {
      let source = try otherStore(directory, makes: false)
      let all = try RunTransfer.runs(below: "\(source.root)/runs")
      guard names.isEmpty || !all.isEmpty else {
        throw RunError(
          .commandLine,
          "`\(directory)` holds no runs; `\(Program.name) cache push \(directory) EXPERIMENT` brings them there"
        )
      }
      let runs = names.isEmpty ? all : try runsNamed(names, in: all)
      let target = try Store(at: storage.path(projectRoot: projectRoot(of: Path.absolute("."))))
      return try transfer(
        from: source, to: target, runs: runs, among: all, into: place.folder, onlyThese: !names.isEmpty,
        withModels: !withoutModels)
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

/// - Parameters:
///   - all: the runs there are, in which the history of these is found.
///   - folder: where the runs' folders come.
///   - onlyThese: whether only what these runs need is copied, or all results.
private func transfer(
  from source: Store, to target: Store, runs: [RunSummary], among all: [RunSummary], into folder: String,
  onlyThese: Bool, withModels: Bool
) throws -> System.ExitCode {
  guard source.root != target.root else {
    throw RunError(.commandLine, "`\(source.root)` cannot be copied onto itself")
  }
  for store in [source, target] {
    store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
  }
  let (ended, running) = (runs.filter { $0.state != .running }, runs.filter { $0.state == .running })
  let keys = onlyThese ? try RunTransfer.keys(of: ended, in: source) : nil
  var line = ProgressLine()
  let done = try Transfer(from: source, to: target, keys: keys, withModels: withModels) { progress in
    line.show(
      "\(progress.records) of \(counted(progress.totalRecords, "result")), \(ByteCount(progress.bytes).text) copied"
    )
  }
  line.clear()
  let folders = try RunTransfer.withHistory(ended, among: all)
  let copied = try folders.count { try RunTransfer.copy($0, to: folder) }
  try RunTransfer.copyTrials(of: folders, to: folder)
  try copyPins(of: ended, from: source, to: target)
  var parts = [
    "\(counted(done.records, "result")) copied (\(counted(done.objects, "object")), \(ByteCount(done.bytes).text))",
    "\(done.presentRecords) already present",
  ]
  if done.evictedRecords > 0 { parts.append("\(done.evictedRecords) without evicted bytes") }
  if done.missingRecords > 0 { parts.append("\(done.missingRecords) no longer in `\(source.root)`") }
  standardError(TerminalText.escaped(parts.joined(separator: ", ")) + "\n")
  if let example = done.different.first {
    standardError(
      "warning: \(counted(done.different.count, "result")) had other bytes there under the same key, which stay, such as that of \(TerminalText.escaped("`\(example)`"))\n"
    )
  }
  try copyReplies(from: source, to: target, keys: keys)
  if !folders.isEmpty {
    standardError("\(counted(copied, "run folder")) copied, \(folders.count - copied) already present\n")
  }
  for run in running {
    standardError("note: the run \(TerminalText.escaped(run.id)) is still running: left out\n")
  }
  guard done.damaged.isEmpty else {
    let names = done.damaged.map { "`\(TerminalText.escaped($0))`" }.joined(separator: ", ")
    standardError("error: damaged in `\(source.root)` and left out: \(names)\n")
    return .store
  }
  return .done
}

/// What servers replied that the results are made of; of a reply that is there already with other words, those stay.
/// - Parameter keys: of the results; nil for all.
private func copyReplies(from source: Store, to target: Store, keys: [String]?) throws {
  let wanted = try keys.map { keys in
    Set(try keys.compactMap(source.unverifiedRecord).flatMap(\.observed).map { UTF8Key($0) })
  }
  for summary in try ReplyJournal.summaries(inStore: source.root)
  where wanted?.contains(UTF8Key(summary.identity)) ?? true {
    let journal = ReplyJournal(
      folder: ReplyJournal.folder(of: summary.identity, inStore: target.root), identity: summary.identity)
    let taken = try journal.takeOver(from: summary.folder)
    let name = TerminalText.escaped("`\(summary.identity)`")
    standardError(
      "\(counted(taken.added, "reply", "replies")) of \(name) copied, \(taken.kept) already present\n")
    if !taken.different.isEmpty {
      standardError(
        "warning: \(counted(taken.different.count, "request")) to \(name) had another reply there, which stays, such as \(taken.different[0].digest.hex.prefix(12))\n"
      )
    }
  }
}

/// Whose bytes the runs' `keep:` wants to stay, so that a collection there knows.
private func copyPins(of runs: [RunSummary], from source: Store, to target: Store) throws {
  guard !runs.isEmpty else { return }
  let ids = Set(runs.map { UTF8Key($0.id) })
  let present = Set(try target.pins().map { UTF8Key($0.pins.run) })
  for (pins, _) in try source.pins()
  where ids.contains(UTF8Key(pins.run)) && !present.contains(UTF8Key(pins.run)) {
    try target.write(pins)
  }
}

// `plumb logs [RUN] ADDRESS`: what a stage printed; of a cached one, when it was computed.

import ArgumentParser
import Glibc
import JSON
import RunIndex
import Runner
import System

struct LogsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Print what a stage printed, and follow it while it runs.",
    discussion: """
      For a cached stage the log of the run that computed it is shown; a note on standard error names that run.

        \(Program.name) logs quark@2.train
        \(Program.name) logs @last~1 quark@2.train
        \(Program.name) logs quark@2.train -f
      """)

  @Argument(
    help: ArgumentHelp(
      "[RUN] ADDRESS: a run (default `@last`), and a stage of it.", valueName: "run-address"),
    completion: Completion.runOrStage
  )
  var words: [String]
  @Flag(name: [.customShort("f"), .long], help: "Continue while the run is active.")
  var follow = false
  @OptionGroup var place: RunsArguments

  func validate() throws {
    if !(1...2).contains(words.count) {
      throw ValidationError(
        "`logs` takes a stage's address, or a run and an address; found \(words.count) words")
    }
  }

  func run() throws {
    finish {
      ignoreBrokenPipes()
      let index = try place.index()
      let run = try RunSelector.find(words.count == 2 ? words[0] : "@last", in: try index.runs())
      let address = words[words.count - 1]
      let nodes = try RunNode.read(run.path)
      let found = PlanAddress.positions(of: address, among: nodes.map(\.address)).map { nodes[$0] }
      // Of a loop that goes on, the last iteration that has begun.
      guard let node = found.first(where: \.hasBegun) ?? found.first else {
        let help =
          Suggestion.nearest(to: address, among: nodes.map(\.address)).map { "did you mean `\($0)`?" }
          ?? "`\(Program.name) show \(run.id)` lists its stages"
        throw RunError(.commandLine, "the run `\(run.id)` has no stage `\(address)`; \(help)")
      }
      var path = RunNode.logPath(run.path, node.address)
      if node.state == .cached, let key = node.key, let other = try index.runThatComputed(key: key) {
        path = RunNode.logPath(other.path, other.address)
        standardError(
          "note: \(TerminalText.escaped("`\(node.address)` was cached; this is `\(other.address)` of run \(Path.name(other.path))"))\n"
        )
      } else if FileStatus.of(path) == nil, !follow {
        throw RunError(
          .workFound, "`\(node.address)` has no log in run `\(run.id)`: it is \(node.state.rawValue) there")
      }
      let follows = follow && run.state == .running
      try LogFollower(path: path, run: run.path, follows: follows).print()
      if !follows, FileStatus.of(path)?.size == 0 {
        standardError("note: \(TerminalText.escaped("`\(node.address)` printed nothing"))\n")
      }
      return .done
    }
  }
}

/// Copies a log to standard output, and what is added to it while its run lives: byte for byte, but to a terminal nothing that
/// could move its cursor.
private struct LogFollower {
  let path: String
  let run: String
  let follows: Bool
  private let isTerminal = isatty(1) == 1

  init(path: String, run: String, follows: Bool) {
    self.path = path
    self.run = run
    self.follows = follows
  }

  func print() throws {
    var file: File?
    /// The beginning of a line whose end has not come.
    var line: [UInt8] = []
    while true {
      // Asked before reading: what was written before the end is read after it.
      let isLive = follows && RunDirectory.isHeld(run)
      if file == nil, FileStatus.of(path) != nil { file = try File.openToRead(path) }
      try file?.readBlocks { block in
        guard isTerminal else { return try File(descriptor: 1, path: "standard output").writeAll(block) }
        line += block
        guard let end = line.lastIndex(of: 0x0A) else { return }
        try show(line[...end])
        line.removeSubrange(...end)
      }
      guard isLive else { break }
      usleep(200_000)
    }
    try show(line[...])
    file?.closeQuietly()
  }

  private func show(_ lines: ArraySlice<UInt8>) throws {
    let shown = lines.split(separator: 0x0A, omittingEmptySubsequences: false)
      .map { TerminalText.escaped(String(decoding: $0, as: UTF8.self)) }
    try standardOutput(shown.joined(separator: "\n"))
  }
}

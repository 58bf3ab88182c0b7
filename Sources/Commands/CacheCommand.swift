// `plumb cache`: what the store holds, whether it is whole, and how it is kept small and shared.

import ArgumentParser
import Glibc
import JSON
import Runner
import System

struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache",
    abstract: "List, verify, shrink and copy the store, and take recorded replies into it.",
    discussion: """
      The store is `.plumb` at the project's root, $PLUMB_HOME, or --store.

        \(Program.name) cache ls
        \(Program.name) cache verify --repair
        \(Program.name) cache gc --max-size 10GiB --keep-last 3
        \(Program.name) cache push /media/usb/plumb
        \(Program.name) cache import quark.yaml toxicity --rows reward_3.json perspective_3.json
      """,
    subcommands: [
      CacheList.self, CacheVerify.self, CacheCollect.self, CachePush.self, CachePull.self,
      CacheImport.self,
    ])
}

/// Opens the store of the project around the working directory. One that is not there is an error: these commands make none.
func openStore(_ arguments: StoreArguments) throws -> Store {
  let path = arguments.path(projectRoot: projectRoot(of: Path.absolute(".")))
  guard FileStatus.of("\(path)/format") != nil else {
    throw RunError(
      .commandLine, "there is no store at `\(path)`; go to the project's folder, or give `--store DIR`")
  }
  let store = try Store(at: path)
  store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
  return store
}

/// A line of progress that replaces itself on a terminal, and is not there elsewhere.
struct ProgressLine {
  private let isTerminal = isatty(2) == 1
  private var last = 0.0

  mutating func show(_ text: String) {
    let now = monotonicSeconds()
    guard isTerminal, now - last > 0.2 else { return }
    last = now
    standardError("\r\u{1B}[K\(TerminalText.escaped(text))")
  }

  func clear() { if isTerminal, last > 0 { standardError("\r\u{1B}[K") } }
}

func realSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}

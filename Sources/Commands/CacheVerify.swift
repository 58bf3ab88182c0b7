// `plumb cache verify`: reads every byte of the store.

import ArgumentParser
import Runner
import Synchronization
import System

struct CacheVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read every byte of the store and check it against its SHA-256.",
    discussion: """
      Damaged and missing files are listed with the addresses that need them, and the exit code is 5. With --repair damaged files \
      are set aside in `quarantine/`, and the next run recomputes them.
      """)

  @OptionGroup var storage: StoreArguments

  @Flag(help: "Set damaged files aside, so that the next run recomputes them.")
  var repair = false

  func run() throws {
    finish {
      let store = try openStore(storage)
      // Each is listed below.
      store.onWarning = { _ in }
      let line = Mutex(ProgressLine())
      let found = try Verification(of: store, repairing: repair) { done, total in
        line.withLock { $0.show("\(ByteCount(done).text) of \(ByteCount(total).text) read") }
      }
      line.withLock { $0.clear() }
      var text = ""
      for damage in found.damages {
        text += "damaged  \(damage.path) \(damage.problem)"
        if !damage.neededBy.isEmpty { text += "; needed by \(damage.neededBy.joined(separator: ", "))" }
        text += "\n"
      }
      let checked =
        "\(counted(found.objectCount, "object")) and \(counted(found.recordCount, "record")), \(ByteCount(found.bytes).text)"
      if found.damages.isEmpty {
        try standardOutput("\(checked): no damage found\n")
        return .done
      }
      try standardOutput(text.split(separator: "\n").map { TerminalText.escaped(String($0)) + "\n" }.joined())
      let count = counted(found.damages.count, "problem")
      if repair {
        standardError(
          "\(checked): \(count), set aside in `\(store.root)/quarantine`; the next run recomputes what it needs\n"
        )
        return .done
      }
      standardError(
        "error: \(checked): \(count); `\(Program.name) cache verify --repair` sets them aside and the next run recomputes them\n"
      )
      return .store
    }
  }
}

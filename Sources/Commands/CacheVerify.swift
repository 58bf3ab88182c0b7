// `plumb cache verify`: reads every byte of the store.

import ArgumentParser
import Runner

struct CacheVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read every byte of the store and hold it against its name.",
    discussion: """
      Damaged and missing files are listed with the addresses that need them, and it ends with 5. With --repair what is damaged is \
      set aside in `quarantine/`, and the next run computes it anew.
      """)

  @OptionGroup var storage: StoreArguments

  @Flag(help: "Set aside what is damaged, so that the next run computes it anew.")
  var repair = false

  func run() throws {
    finish {
      let store = try openStore(storage)
      // Each is listed below.
      store.onWarning = { _ in }
      var line = ProgressLine()
      let found = try Verification(of: store, repairing: repair) { done, total in
        line.show("\(ByteCount(done).text) of \(ByteCount(total).text) read")
      }
      line.clear()
      var text = ""
      for damage in found.damages {
        text += "damaged  \(damage.path) \(damage.problem)"
        if !damage.neededBy.isEmpty { text += "; needed by \(damage.neededBy.joined(separator: ", "))" }
        text += "\n"
      }
      let checked =
        "\(counted(found.objectCount, "object")) and \(counted(found.recordCount, "record")), \(ByteCount(found.bytes).text)"
      if found.damages.isEmpty {
        try standardOutput("\(checked): every byte is right\n")
        return .done
      }
      try standardOutput(text.split(separator: "\n").map { TerminalText.escaped(String($0)) + "\n" }.joined())
      let count = counted(found.damages.count, "problem")
      if repair {
        standardError(
          "\(checked): \(count), set aside in `\(store.root)/quarantine`; the next run computes what it needs anew\n"
        )
        return .done
      }
      standardError(
        "error: \(checked): \(count); `\(Program.name) cache verify --repair` sets them aside and the next run computes them anew\n"
      )
      return .store
    }
  }
}

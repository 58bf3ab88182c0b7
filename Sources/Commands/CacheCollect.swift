// `plumb cache gc`: makes the store smaller; no record is lost.

import ArgumentParser
import Runner
import System

struct CacheCollect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Remove bytes that are not needed. Records stay: an evicted result still counts as finished.",
    discussion: """
      Without options it removes temporary files, objects that no result names, and the bytes of stages whose `keep:` allows it. An \
      evicted result is recomputed when a stage that is about to run, or `\(Program.name) export`, needs its bytes. Files younger \
      than a day (--older-than) and files that a run is reading stay. Safe while experiments run.

        \(Program.name) cache gc --max-size 10GiB --dry-run
      """)

  @OptionGroup var storage: StoreArguments

  @Option(
    help: ArgumentHelp(
      "Evict results, those unused for longest first, until the objects fit.", valueName: "size"))
  var maxSize: String?

  @Option(help: ArgumentHelp("Evict what the last N runs of each experiment did not use.", valueName: "n"))
  var keepLast: Int?

  @Option(help: ArgumentHelp("Keep what is younger: 30s, 90min, 12h, 7d.", valueName: "age"))
  var olderThan = "1d"

  @Flag(help: "Show what would be removed; remove nothing.")
  var dryRun = false

  func validate() throws {
    if let maxSize, ByteCount(maxSize) == nil {
      throw ValidationError("--max-size must be a size such as 10GiB or 512MiB, found \(maxSize)")
    }
    if let keepLast, keepLast < 0 {
      throw ValidationError("--keep-last must be at least 0, found \(keepLast)")
    }
    if Units.time.value(olderThan).map({ $0 < 0 }) ?? true {
      throw ValidationError("--older-than must be an age such as 30s, 90min, 12h or 7d, found \(olderThan)")
    }
  }

  func run() throws {
    finish {
      let store = try openStore(storage)
      var options = CollectionOptions()
      options.maximumBytes = maxSize.flatMap { ByteCount($0)?.bytes }
      options.keptRuns = keepLast
      options.minimumSeconds = Units.time.value(olderThan) ?? 86400
      options.isDryRun = dryRun
      let collection = try Collection(of: store, options, now: realSeconds())
      let shares = [
        ("evicted", collection.evicted), ("unreachable", collection.unreachable),
        ("temporary", collection.temporary),
      ].filter { $0.1.count > 0 }
      if shares.isEmpty {
        standardError("nothing to remove\n")
      } else {
        let rows = shares.map { [$0.0, "\($0.1.count)", ByteCount($0.1.bytes).text] }
        try standardOutput(TextTable.aligned([[dryRun ? "to remove" : "removed", "files", "size"]] + rows))
      }
      for address in collection.evictedAddresses {
        standardError("evicted  \(TerminalText.escaped(address))\n")
      }
      if collection.inUse.count > 0 {
        standardError(
          "\(counted(collection.inUse.count, "object")) (\(ByteCount(collection.inUse.bytes).text)) in use by a run: kept\n"
        )
      }
      standardError("the store holds \(ByteCount(collection.remainingBytes).text)\n")
      if let limit = options.maximumBytes, collection.remainingBytes > limit {
        standardError(
          "warning: that is more than \(ByteCount(limit).text): the rest is younger than \(olderThan), in use, or small and always kept\n"
        )
      }
      return .done
    }
  }
}

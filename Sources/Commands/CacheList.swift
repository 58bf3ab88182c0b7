// `plumb cache ls`: the stored results, the newest first.

import ArgumentParser
import JSON
import Runner
import System

struct CacheList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the stored results: address, stage, size, age, key.",
    discussion: """
      The address is the one at which a result was last computed; other experiments may use it at another. `evicted` marks results \
      whose record is kept and whose bytes `cache gc` removed; they are recomputed when a stage needs them. What servers replied is \
      listed by server, and never removed.
      """)

  @OptionGroup var storage: StoreArguments

  @Option(help: ArgumentHelp("Order: age, size or address.", valueName: "column"))
  var sort = "age"

  @Flag(help: "Write one JSON value to standard output.")
  var json = false

  func validate() throws {
    guard ["age", "size", "address"].contains(sort) else {
      throw ValidationError("--sort must be age, size or address, found \(sort)")
    }
  }

  func run() throws {
    finish {
      let store = try openStore(storage)
      let contents = try StoreContents(store)
      var entries = contents.entries
      switch sort {
      case "size":
        // Stable: the newest first among equals.
        entries = entries.enumerated().sorted {
          ($1.element.storedBytes, $0.offset) < ($0.element.storedBytes, $1.offset)
        }.map(\.element)
      case "address":
        entries = entries.enumerated().sorted {
          let (a, b) = ($0.element.record.address.utf8, $1.element.record.address.utf8)
          return a.elementsEqual(b) ? $0.offset < $1.offset : a.lexicographicallyPrecedes(b)
        }.map(\.element)
      default: break
      }
      let replies = try ReplyJournal.summaries(inStore: store.root)
      try standardOutput(
        json
          ? value(entries, contents, replies).text(.pretty) + "\n" : text(entries, contents) + text(replies))
      return .done
    }
  }

  private func text(_ entries: [StoreContents.Entry], _ contents: StoreContents) -> String {
    let now = realSeconds()
    let rows = entries.map { entry in
      [
        entry.record.address, entry.stage, word(entry.presence) ?? ByteCount(entry.storedBytes).text,
        age(now - entry.seconds), String(entry.record.key.prefix(12)),
      ]
    }
    let table = rows.isEmpty ? "" : TextTable.aligned([["address", "stage", "size", "age", "key"]] + rows)
    let evicted = entries.count { $0.presence == .evicted }
    let total =
      "\(counted(entries.count, "result")), \(ByteCount(contents.totalBytes).text) in \(counted(contents.objects.count, "object"))"
    return table + total + (evicted > 0 ? "; \(evicted) evicted" : "") + "\n"
  }

  private func text(_ replies: [ReplyJournal.Summary]) -> String {
    replies.map {
      "\(counted($0.entries, "reply", "replies")) of \(TerminalText.escaped("`\($0.identity)`")), \(ByteCount($0.bytes).text)\n"
    }.joined()
  }

  private func word(_ presence: Presence) -> String? {
    switch presence {
    case .present: nil
    case .evicted: "evicted"
    case .gone: "damaged"
    }
  }

  private func value(
    _ entries: [StoreContents.Entry], _ contents: StoreContents, _ replies: [ReplyJournal.Summary]
  ) -> JSON {
    [
      "results": .array(
        entries.map { entry in
          [
            "address": .string(entry.record.address), "stage": .string(entry.stage),
            "key": .string(entry.record.key), "bytes": .int(Int64(entry.storedBytes)),
            "state": .string(word(entry.presence) ?? "present"), "computed": .double(entry.seconds),
            "seconds": .double(entry.record.seconds), "outputs": .array(entry.record.outputs.map(\.json)),
          ]
        }),
      "replies": .array(
        replies.map {
          [
            "server": .string($0.identity), "replies": .int(Int64($0.entries)),
            "bytes": .int(Int64($0.bytes)),
          ]
        }),
      "objects": .int(Int64(contents.objects.count)), "bytes": .int(Int64(contents.totalBytes)),
    ]
  }
}

extension StoreContents.Entry {
  var stage: String { record.preimage["stage"]?.stringValue ?? "?" }
}

/// `12 s`, `5 min`, `3 h`, `41 d`.
private func age(_ seconds: Double) -> String {
  let whole = max(0, Int(exactly: seconds.rounded()) ?? 0)
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min" }
  return whole < 48 * 3600 ? "\(whole / 3600) h" : "\(whole / 86400) d"
}

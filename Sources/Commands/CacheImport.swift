// `plumb cache import EXPERIMENT MODEL --rows ROWS REPLIES…`: scores that an endpoint gave elsewhere, into the store.

import ArgumentParser
import JSON
import Runner
import Stages
import System

struct CacheImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take recorded replies of an endpoint that scores texts into the store.",
    discussion: """
      MODEL is a model of the experiment with `interface: http` or `perspective`. After the import `score` with `scorer: {kind: http}` \
      finds these replies in the store and asks only for those that are missing.

      REPLIES are files with one JSON object a line: `request_id`, `response` as the endpoint gave it, and `error`. `request_id` is the \
      number of a text, or ends in it, as `generation-17` does; where no line has one, the order of the lines counts. ROWS has these \
      texts in `generations`, in the order in which they were scored: the first generation of the first row is text 0. A column that \
      `body` of the model names beside `{generation}`, such as `{prompt}`, is the same there as in the rows that `score` gets. Where \
      ROWS or the responses show that a reply is of another text, nothing is imported.

        \(Program.name) cache import quark.yaml toxicity --rows reward_3.json perspective_3.json
      """)

  @OptionGroup var experiment: ExperimentArguments

  @Argument(help: "The model under `models:` that gave the replies.", completion: Completion.models)
  var model: String

  @Argument(
    help: ArgumentHelp("Files with the replies, a JSON object a line.", valueName: "replies"),
    completion: .file())
  var replies: [String]

  @Option(
    help: ArgumentHelp(
      "Rows whose `generations` are the texts that were scored, as texts or as objects with `text`: a file, or all else that `rows` takes.",
      valueName: "rows"), completion: .file())
  var rows: String

  @Option(
    name: .customLong("first-id"),
    help: ArgumentHelp("The number of the first text in `request_id`.", valueName: "n"))
  var firstID = 0

  @OptionGroup var storage: StoreArguments

  func validate() throws {
    guard (0...1_000_000_000).contains(firstID) else {
      throw ValidationError("--first-id must be from 0 to 1000000000, found \(firstID)")
    }
  }

  func run() throws {
    finish {
      let loaded = load(experiment, storage)
      let server = try endpoint(loaded.plan.models)
      let root = storage.path(projectRoot: loaded.projectRoot)
      var endpoint = try EndpointImport(server, store: root)
      let parameters = try ParameterArguments.parse(experiment.set.flatMap { ["--set", $0] })
      switch try RowSource(rows, split: nil, config: nil, parameters, storage: storage) {
      case .files(let paths):
        try endpoint.addTexts(of: paths, format: RecordFile.formatByName(paths), columns: nil)
      case .rows(let path, let columns):
        try endpoint.addTexts(of: [path], format: "jsonl", columns: columns)
      case .metrics: throw RunError(.commandLine, "`\(rows)` holds no rows")
      }
      for path in replies { try endpoint.addReplies(of: path) }
      try endpoint.collate(firstID: firstID)
      let store = try Store(at: root)
      let journal = ReplyJournal(
        folder: ReplyJournal.folder(of: server.identity, inStore: store.root), identity: server.identity)
      report(try endpoint.write(to: journal))
      return .done
    }
  }

  /// - Throws: `RunError` (2) for a model that is no endpoint.
  private func endpoint(_ models: [ModelReference]) throws -> ServerModel {
    guard let found = models.first(where: { UTF8Key($0.name) == UTF8Key(model) }) else {
      let names = models.map(\.name)
      let help =
        Suggestion.nearest(to: model, among: names).map { "did you mean `\($0)`?" }
        ?? (names.isEmpty ? "it names none" : "it names \(names.map { "`\($0)`" }.joined(separator: ", "))")
      throw RunError(.commandLine, "`\(experiment.file)` has no model `\(model)`; \(help)")
    }
    let wanted = "replies are imported of a model with `server` and `interface: http` or `perspective`"
    guard let server = found.server else {
      throw RunError(.commandLine, "the model `\(model)` is not behind a server; \(wanted)")
    }
    guard server.interface == .http else {
      throw RunError(
        .commandLine, "the model `\(model)` has `interface: \(server.interface.rawValue)`; \(wanted)")
    }
    return server
  }

  private func report(_ written: EndpointImport.Written) {
    func number(_ count: Int, _ noun: String, _ plural: String) -> String {
      "\(TextTable.grouped(count)) \(count == 1 ? noun : plural)"
    }
    var parts = [
      "\(number(written.added, "reply", "replies")) imported",
      "\(TextTable.grouped(written.present)) already present",
    ]
    if written.equal > 0 { parts.append("\(TextTable.grouped(written.equal)) of texts that occur before") }
    if !written.failed.isEmpty {
      parts.append("\(TextTable.grouped(written.failed.count)) failed in the record")
    }
    standardError(parts.joined(separator: ", ") + "\n")
    if written.isByPosition {
      standardError("warning: no `request_id` has a number: each reply is that to the text at its position\n")
    }
    if written.repeated > 0 {
      standardError(
        "note: \(number(written.repeated, "record is of a text that has", "records are of texts that have")) an earlier one\n"
      )
    }
    if let example = written.failed.first {
      standardError(
        "note: `score` asks for what failed, such as the reply to \(TerminalText.escaped(example))\n")
    }
    for (places, noun, plural, rest) in [
      (written.unrecorded, "text has", "texts have", "no record"),
      (
        written.conflicting, "text has", "texts have",
        "another reply than an equal one before it, and this one is left out"
      ),
      (written.different, "text has", "texts have", "another reply in the store, which stays"),
    ] where !places.isEmpty {
      let example = places.first.map { ", such as that at \(TerminalText.escaped($0))" } ?? ""
      standardError("warning: \(number(places.count, noun, plural)) \(rest)\(example)\n")
    }
  }
}

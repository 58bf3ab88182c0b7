// `kind: http`: a number that an endpoint gives for each generation.

import Experiments
import JSON
import Models
import Servers

/// The model at `model` has `interface: http`: what it is sent and where the score stands is said there.
struct EndpointScorer: Scorer {
  static let kind = "http"
  static let summary =
    "the number that an endpoint gives: a model with `server` and `interface: http`, whose `body` may name `{prompt}`, `{generation}` and columns of the row"
  static let options: [OptionField] = []
  static let inputs = [InputPort("model", .model, summary: "the endpoint")]
  static let columns = ["generations"]

  init(_ options: StageOptions) {}

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    guard let artifact = stage.artifact("model") else { return }
    if let server = artifact.server, server.interface == .http {
      if let problem = server.problem {
        findings.error(.wrongModel, problem, at: .model("model"), label: "cannot be asked")
      }
      return
    }
    findings.error(
      .wrongModel, "scorer `http` needs a model with `server` and `interface: http` at input `model`",
      at: .input("model"), label: "no endpoint that gives scores",
      help: "a language model scores with `scorer: {kind: reply, …}` or `{kind: choice, …}`")
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    let rows = input.input("rows")
    let asksByRow =
      input.input("model").facts[KnownArtifact.serverFact]
      .flatMap(ServerModel.init(json:))?.asksByList ?? false
    return Estimates.asking(
      input, "model", requests: asksByRow ? rows.rows : rows.items ?? rows.rows,
      tokens: Estimates.tokens(rows),
      reply: 0) ?? StageEstimate()
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    guard let server = try AskedServer("model", context), server.model.interface == .http else {
      throw InputError("input `model` needs a model with `server` and `interface: http`")
    }
    let table = context.input("rows").columns
    let asksByRow = server.model.asksByList
    let requests = asksByRow ? Self.byRow(items) : items.map { [$0] }
    let asks = try requests.map { request in
      asksByRow ? try Self.ask(of: request[0].row, table) : try Self.ask(of: request[0], table)
    }
    var done = 0
    try server.ask(asks, unit: "texts") { index, outcome, _ in
      let request = requests[index]
      let place = "row `\(request[0].row.id)`, sample \(request[0].item)"
      var scores: [Int: Double] = [:]
      switch outcome {
      case .reply(let reply, _):
        let sent = asksByRow ? try request[0].row.generationCount() : 1
        // Fewer say nothing of which text they are of, unless they do.
        if reply.answers == sent || server.model.replyID != nil {
          scores = reply.scores
        } else {
          context.log("\(place): \(sent) texts were sent, and the server gave \(reply.answers) answers")
        }
      case .failure(let failure): context.log("\(place): \(failure)")
      }
      for item in request {
        try emit(item, scores[asksByRow ? item.item : 0].map { .reward($0) } ?? .missing)
      }
      done += request.count
      context.progress(done, of: items.count, unit: "texts")
      return false
    }
  }

  /// Of what is left of each row; the items of a row follow one another.
  private static func byRow(_ items: [RowItem]) -> [[RowItem]] {
    items.reduce(into: []) { requests, item in
      if requests.last?.first?.rowIndex == item.rowIndex {
        requests[requests.count - 1].append(item)
      } else {
        requests.append([item])
      }
    }
  }

  /// All generations of a row, whichever are missing: the request is the same after an interruption.
  private static func ask(of row: Row, _ table: ColumnTable) throws -> Ask {
    var each: [[String: JSON]] = []
    for index in 0..<(try row.generationCount()) {
      var own = sampleColumns(of: row, index, table)
      own["generation"] = .string(try RowItem(rowIndex: 0, row: row, item: index).generation())
      own[ServerModel.textNumberField] = .int(Int64(index))
      each.append(own)
    }
    return Ask(.texts(try rowColumns(of: row, table), each: each))
  }

  /// What is asked about a generation.
  static func ask(of item: RowItem, _ table: ColumnTable) throws -> Ask {
    Ask(.fields(try fields(of: item, table)))
  }

  /// What a body may name: the columns of the row, of one by sample the sample's entry.
  private static func fields(of item: RowItem, _ table: ColumnTable) throws -> [String: JSON] {
    var fields = try rowColumns(of: item.row, table)
    fields.merge(sampleColumns(of: item.row, item.item, table)) { _, own in own }
    fields["generation"] = .string(try item.generation())
    return fields
  }

  private static func rowColumns(of row: Row, _ table: ColumnTable) throws -> [String: JSON] {
    var fields: [String: JSON] = [:]
    for (name, value) in row.columns.objectValue?.members ?? [] where table[name] != .sample {
      fields[name] = value
    }
    fields["prompt"] = .string(try ModelText(promptOf: row).text)
    return fields
  }

  private static func sampleColumns(of row: Row, _ index: Int, _ table: ColumnTable) -> [String: JSON] {
    var fields: [String: JSON] = [:]
    for (name, value) in row.columns.objectValue?.members ?? [] where table[name] == .sample {
      if let entries = value.arrayValue, entries.indices.contains(index) { fields[name] = entries[index] }
    }
    return fields
  }
}

// `kind: http`: a number that an endpoint gives for each generation.

import JSON
import Models
import Runner
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
    return Estimates.asking(
      input, "model", requests: rows.items ?? rows.rows, tokens: Estimates.tokens(rows), reply: 0)
      ?? StageEstimate()
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    guard let server = try AskedServer("model", context), server.model.interface == .http else {
      throw InputError("input `model` needs a model with `server` and `interface: http`")
    }
    let table = context.input("rows").columns
    let asks = try items.map { try Self.ask(of: $0, table) }
    var done = 0
    try server.ask(asks, unit: "texts") { index, outcome, _ in
      switch outcome {
      case .reply(let reply, _): try emit(items[index], reply.score.map { .reward($0) } ?? .missing)
      case .failure(let failure):
        context.log("row `\(items[index].row.id)`, sample \(items[index].item): \(failure)")
        try emit(items[index], .missing)
      }
      done += 1
      context.progress(done, of: items.count, unit: "texts")
      return false
    }
  }

  /// What is asked about a generation.
  static func ask(of item: RowItem, _ table: ColumnTable) throws -> Ask {
    Ask(.fields(try fields(of: item, table)))
  }

  /// What a body may name: the columns of the row, of one by sample the sample's entry.
  private static func fields(of item: RowItem, _ table: ColumnTable) throws -> [String: JSON] {
    var fields: [String: JSON] = [:]
    for (name, value) in item.row.columns.objectValue?.members ?? [] {
      guard table[name] == .sample else {
        fields[name] = value
        continue
      }
      if let entries = value.arrayValue, entries.indices.contains(item.item) {
        fields[name] = entries[item.item]
      }
    }
    fields["prompt"] = .string(try ModelText(promptOf: item.row).text)
    fields["generation"] = .string(try item.generation())
    return fields
  }
}

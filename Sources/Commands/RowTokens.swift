// `plumb rows --tokens`: the ids and pieces that a model gets, and what of them is trained on or scored.

import Glibc
import JSON
import Models
import Runner
import Stages
import System

struct RowTokens {
  let tokenizer: Tokenizer

  /// What a stage gives its model, in the experiment as it is now.
  /// - Throws: `RunError`; what the stage throws before it would compute.
  static func inputs(
    of address: ResultAddress, _ parameters: ParameterArguments, limit: Int, _ storage: StoreArguments
  ) throws -> ModelInputProbe.Found {
    guard FileStatus.of(address.file)?.isDirectory != true else {
      throw RunError(
        .commandLine,
        "`\(address.text)` is of a run; the tokens of a stage are made as its experiment says now: name the file, EXPERIMENT.yaml::\(address.address)"
      )
    }
    let loaded = load(try parameters.experiment(address.file))
    let spin = Spin(
      plan: loaded.plan, stages: stageRegistry.stages,
      store: storage.path(projectRoot: loaded.projectRoot), address: address.address)
    let probe = ModelInputProbe(limit: limit) { standardError(TerminalText.escaped($0) + "\n") }
    do {
      try spin.look(
        probe, where: { $0.numerics != nil && $0.inputs.contains { $0.type == .model } },
        otherwise: "gives no rows to a model; with `-m MODEL` its own rows are shown as tokens")
    } catch is EndOfProbe {}
    guard let found = probe.found else {
      throw RunError(.commandLine, "`\(address.text)` gave no rows to a model")
    }
    return found
  }

  /// A row's prompt and generations; or, where fields are named, these, each alone.
  func inputs(of row: JSON, place: Int, fields: [String]?) throws -> [ModelInput] {
    let name = row["id"]?.stringValue ?? "row \(place)"
    if let fields {
      return try fields.map { field in
        guard let text = RecordFile.value(field, in: row)?.stringValue else {
          throw RunError(.commandLine, "\(quoted(name)): the field \(quoted(field)) is no text")
        }
        return ModelInput("\(name) \(field)", tokenizer.encode(text))
      }
    }
    guard row["prompt"]?.stringValue != nil else {
      throw RunError(
        .commandLine, "\(quoted(name)) has no text `prompt`; name the fields to show: --columns FIELD")
    }
    let reader = PromptReader(PromptOptions(StageOptions([:])), tokenizer)
    let prompt = try reader.text(of: Row(row)).tokens(tokenizer)
    let generations = row["generations"]?.arrayValue ?? []
    if generations.isEmpty { return [ModelInput(name, prompt)] }
    return generations.enumerated().map { index, text in
      ModelInput(
        "\(name)#\(index)", prompt, predicts: reader.tokens(ofGeneration: text.stringValue ?? text.text()))
    }
  }

  enum Layout {
    case json
    /// A line for each token, a tab between its fields.
    case separated
    /// Pieces above their ids.
    case terminal(columns: Int, isColored: Bool)
  }

  static let heading = "row\tposition\tid\ttarget\tpiece\n"

  func text(of input: ModelInput, _ layout: Layout) -> String {
    var isTarget = [Bool](repeating: false, count: input.tokens.count)
    for range in input.targets { for place in range { isTarget[place] = true } }
    switch layout {
    case .json:
      return JSON.object(
        JSONObject([
          ("row", .string(input.name)), ("ids", .array(input.tokens.map { .int(Int64($0)) })),
          ("pieces", .array(input.tokens.map { .string(piece($0)) })),
          ("targets", .array(isTarget.map { .bool($0) })),
        ])
      ).text() + "\n"
    case .separated:
      return input.tokens.indices.map { place in
        let id = input.tokens[place]
        return
          "\(RowPrinter.field(input.name))\t\(place)\t\(id)\t\(isTarget[place] ? 1 : 0)\t\(RowPrinter.field(piece(id)))\n"
      }.joined()
    case .terminal(let columns, let isColored):
      return glossed(input, isTarget, columns: columns, isColored: isColored)
    }
  }

  /// A token's text; bytes that are no UTF-8 alone as `\xE6`.
  private func piece(_ id: Int32) -> String {
    let bytes = tokenizer.tokenBytes(id)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    return bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
  }

  private func glossed(_ input: ModelInput, _ isTarget: [Bool], columns: Int, isColored: Bool) -> String {
    let count = isTarget.count { $0 }
    var text =
      "\(TerminalText.line(input.name))  \(input.tokens.count) tokens"
      + (count > 0 ? ", \(count) of them \(isColored ? "in colour" : "marked *") are targets" : "") + "\n"
    var (pieces, ids, used) = ("  ", "  ", 2)
    func end() {
      for line in [pieces, ids] {
        text += TextTable.withoutTrailingSpaces(line) + "\n"
      }
      (pieces, ids, used) = ("  ", "  ", 2)
    }
    for (place, id) in input.tokens.enumerated() {
      let shown = String(
        String.UnicodeScalarView(piece(id).unicodeScalars.map { $0 == " " ? "·" : $0 }))
      let mark = isTarget[place] && !isColored ? "*" : ""
      let piece = TerminalText.line(shown, columns: max(8, columns - 4))
      let width = max(TextTable.width(piece), "\(id)\(mark)".utf8.count)
      if used > 2, used + width > columns { end() }
      let padded = TextTable.padded(piece, to: width)
      pieces += (isTarget[place] && isColored ? "\u{1B}[32m\(padded)\u{1B}[0m" : padded) + "  "
      ids += TextTable.padded("\(id)\(mark)", to: width) + "  "
      used += width + 2
    }
    if used > 2 { end() }
    return text
  }
}

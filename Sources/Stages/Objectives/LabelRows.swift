// Texts with a label each, from rows.

import Experiments
import JSON
import Models
import System

struct LabelRows: WholeTexts {
  static let countNames = ["samples_unlabelled", "samples_too_long", "texts_cut"]

  let text: RewardText
  /// In the order of the head's outputs.
  let labels: [String]
  let labelColumn: String

  var head: WantedHead { .labels(labels) }
  var column: String? { labelColumn }

  func examples(_ rows: [Row], _ reading: TextReading) throws -> TextExamples {
    let numbers = Dictionary(
      labels.enumerated().map { (UTF8Key($1), Int32(truncatingIfNeeded: $0)) },
      uniquingKeysWith: { first, _ in first })
    var unlabelled = 0
    var labelled: [(item: RowItem, label: Int32)] = []
    for (index, row) in rows.enumerated() {
      let samples = try SampleLists(row, reading.table)
      let values = try values(of: row, samples, reading.table)
      for item in 0..<samples.count {
        guard let name = try name(values[item], of: row) else {
          unlabelled += 1
          continue
        }
        guard let label = numbers[UTF8Key(name)] else { throw unknown(name, of: row) }
        labelled.append((RowItem(rowIndex: index, row: row, item: item), label))
      }
    }
    var reader = try reading.reader(text)
    let texts = try reader.texts(of: labelled.map(\.item), log: reading.context.log)
    var counts = [Int](repeating: 0, count: labels.count)
    var examples: [TrainingExample] = []
    for ((item, label), text) in zip(labelled, texts) {
      guard let tokens = text?.tokens else { continue }
      counts[Int(label)] += 1
      examples.append(
        TrainingExample(
          id: "\(item.row.id)#\(item.item)",
          texts: [TargetSequence(tokens: tokens, rows: [tokens.count - 1], labels: [label])]))
    }
    let (tooLong, cut) = (labelled.count - examples.count, texts.count { $0?.isCut == true })
    let context = reading.context
    context.leaveOut(unlabelled, "samples without a label")
    context.leaveOut(tooLong, "samples that are too long")
    context.cut(cut, "texts")
    guard !examples.isEmpty else {
      throw InputError(
        "there is nothing to train on: \(unlabelled) samples have no label in the column `\(labelColumn)`, and \(tooLong) are too long"
      )
    }
    let shown = zip(labels, counts).prefix(16).map { "\($1) of \(quoted($0))" }.joined(separator: ", ")
    context.log("texts by label: \(shown)\(labels.count > 16 ? " and so on" : "")")
    return TextExamples(examples: examples, counts: [unlabelled, tooLong, cut])
  }

  /// One entry for each sample: its own, or the row's.
  private func values(of row: Row, _ samples: SampleLists, _ table: ColumnTable) throws -> [JSON] {
    if table[labelColumn] == .sample { return try samples.required(labelColumn, of: row) }
    guard let value = row[labelColumn] else {
      throw InputError("row `\(row.id)`: no column `\(labelColumn)`")
    }
    guard value.arrayValue == nil else {
      throw InputError(
        "row `\(row.id)`: column `\(labelColumn)` is a list; a column with one entry per generation is declared where the rows are made (`samples` of `data`, `per: sample` of `command`)"
      )
    }
    return Array(repeating: value, count: samples.count)
  }

  /// As `labels` spells it: numbers and booleans by their digits and words. Nil for null.
  private func name(_ value: JSON, of row: Row) throws -> String? {
    switch value {
    case .null: return nil
    case .string(let text): return text
    case .int, .bool: return value.text()
    default:
      throw InputError(
        "row `\(row.id)`: column `\(labelColumn)` is \(value.kind); expected a text, an integer, a boolean or null"
      )
    }
  }

  private func unknown(_ name: String, of row: Row) -> InputError {
    let nearest = Suggestion.nearest(to: name, among: labels).map { "; did you mean `\($0)`?" }
    return InputError(
      "row `\(row.id)`: the label \(quoted(name)) in the column `\(labelColumn)` is none of `objective.labels`"
        + (nearest ?? ""))
  }
}

// Which generations a page shows: the prompts that were evaluated, before and after, some drawn, the best and the worst.

import JSON
import Models
import Runner
import System

struct SampleChoice {
  private let contents: RunContents

  init(_ contents: RunContents) { self.contents = contents }

  private static let mostDrawn = 300
  private static let mostRanked = 100
  private static let mostSamples = 3
  private static let mostCharacters = 2_000
  /// Of a file of rows that is read for a page.
  private static let mostBytes = 64 << 20
  /// Of all texts together.
  private static let mostText = 3_000_000

  private struct Sheet {
    let address: String
    let rows: [Row]
    let columns: [String]
  }

  /// What there is to show; nil where no stage wrote generations.
  func block() -> Page.Block? {
    let outputs = outputs()
    guard let last = outputs.last else { return nil }
    let tooLarge = outputs.filter { $0.output.size > Self.mostBytes }
    guard tooLarge.isEmpty else {
      return .paragraph(
        "The generations are \(ByteCount(last.output.size).text), too many for a page: \(Program.name) samples \(contents.run.id) \(contents.nodes[last.place].address)"
      )
    }
    let sheets = outputs.compactMap(sheet)
    guard let leading = sheets.last, sheets.count == outputs.count else {
      return .paragraph(
        "The generations of `\(contents.nodes[last.place].address)` are no longer in the store, which can compute them again: \(Program.name) export \(contents.run.file ?? "FILE")::\(contents.nodes[last.place].address) DIR"
      )
    }
    guard !leading.rows.isEmpty else { return nil }
    return .samples(table(sheets, leading))
  }

  /// The rows of the last evaluation and of the one that it is compared with; without one the last generations.
  private func outputs() -> [(place: Int, output: StoredOutput)] {
    func generations(_ source: String?) -> (place: Int, output: StoredOutput)? {
      source.flatMap(contents.output).flatMap { found in
        found.output.type == .rows && found.output.columns.samples.contains("generations") ? found : nil
      }
    }
    func rows(_ node: RunNode, _ port: String) -> String? {
      node.inputs.first { $0.port == port }?.sources.first
    }
    let evaluations = contents.nodes.filter { $0.stage == "evaluate" }
    let found = evaluations.compactMap { node in generations(rows(node, "rows")).map { (node, $0) } }
    guard let (node, last) = found.last else {
      let places = contents.nodes.indices.reversed().lazy.compactMap { place in
        contents.records[place]?.outputs.first {
          $0.type == .rows && $0.columns.samples.contains("generations")
        }.map { (place: place, output: $0) }
      }
      return places.first.map { [$0] } ?? []
    }
    let before =
      generations(rows(node, "baseline"))
      ?? found.first { $0.1.place != last.place && isSamePrompts($0.1, last) }?.1
    return [before, last].compactMap { $0 }
  }

  /// Whether they share what can be shown side by side.
  private func isSamePrompts(
    _ a: (place: Int, output: StoredOutput), _ b: (place: Int, output: StoredOutput)
  ) -> Bool {
    guard max(a.output.size, b.output.size) <= Self.mostBytes, let first = ids(a), let second = ids(b) else {
      return false
    }
    return !first.isDisjoint(with: second)
  }

  private func ids(_ found: (place: Int, output: StoredOutput)) -> Set<UTF8Key>? {
    guard let path = try? contents.store.readingPath(found.output),
      let rows = try? readRows(path, requiring: [], reading: [])
    else { return nil }
    return Set(rows.map { UTF8Key($0.id) })
  }

  private func sheet(_ found: (place: Int, output: StoredOutput)) -> Sheet? {
    guard let path = try? contents.store.readingPath(found.output),
      let rows = try? readRows(path, requiring: ["prompt"])
    else { return nil }
    let columns = found.output.columns.samples.filter { name in
      rows.first { !($0[name]?.arrayValue ?? []).isEmpty }.map { row in
        (row[name]?.arrayValue ?? []).allSatisfy { $0.isNull || $0.doubleValue != nil }
      } ?? false
    }
    return Sheet(address: contents.nodes[found.place].address, rows: rows, columns: columns)
  }

  // MARK: the rows

  private func table(_ sheets: [Sheet], _ leading: Sheet) -> SampleTable {
    let ranking = leading.columns.first { $0 == "rewards" } ?? leading.columns.first { $0 != "lengths" }
    let (order, kinds) = chosen(leading, by: ranking)
    let places = sheets.map { sheet in
      Dictionary(
        sheet.rows.enumerated().map { (UTF8Key($0.element.id), $0.offset) }, uniquingKeysWith: { a, _ in a })
    }
    var (prompts, size): ([SampleTable.Prompt], Int) = ([], 0)
    for index in order where size < Self.mostText {
      let row = leading.rows[index]
      let prompt = SampleTable.Prompt(
        id: row.id, text: Self.cut(row["prompt"]?.stringValue ?? ""), kinds: kinds[index] ?? [],
        answers: zip(sheets, places).map { sheet, places in
          places[UTF8Key(row.id)].map { answers(sheet.rows[$0], sheet.columns) } ?? ([], 0)
        })
      size += prompt.text.utf8.count
      size += prompt.answers.reduce(0) { $0 + $1.samples.reduce(0) { $0 + $1.text.utf8.count } }
      prompts.append(prompt)
    }
    let total = leading.rows.count
    var note =
      prompts.count == total
      ? "All \(total) prompts of `\(leading.address)`."
      : "\(prompts.count) of the \(total) prompts of `\(leading.address)`: \(Self.mostDrawn) drawn with the seed 0\(ranking == nil ? "" : ", \(Self.mostRanked) with the highest and \(Self.mostRanked) with the lowest `\(ranking ?? "")`")."
    if sheets.contains(where: {
      $0.rows.contains { ($0["generations"]?.arrayValue?.count ?? 0) > Self.mostSamples }
    }) {
      note += " Of each prompt at most \(Self.mostSamples) generations."
    }
    return SampleTable(addresses: sheets.map(\.address), prompts: prompts, note: note)
  }

  /// Places of rows in their order, and what each was chosen as.
  private func chosen(_ sheet: Sheet, by column: String?) -> ([Int], [Int: [String]]) {
    var kinds: [Int: [String]] = [:]
    let drawn = shuffledOrder(sheet.rows.map(\.id), seed: 0).prefix(Self.mostDrawn)
    for place in drawn { kinds[place, default: []].append("drawn") }
    if let column {
      let means = sheet.rows.enumerated().compactMap { place, row -> (mean: Double, place: Int)? in
        let values = (row[column]?.arrayValue ?? []).compactMap(\.doubleValue).filter(\.isFinite)
        return values.isEmpty ? nil : (values.reduce(0, +) / Double(values.count), place)
      }.sorted { $0.mean == $1.mean ? $0.place < $1.place : $0.mean > $1.mean }
      // Of few prompts a fifth are the best.
      let count = min(Self.mostRanked, max(1, means.count / 5))
      for (_, place) in means.prefix(count) { kinds[place, default: []].append("best") }
      for (_, place) in means.suffix(count) { kinds[place, default: []].append("worst") }
    }
    return (kinds.keys.sorted(), kinds)
  }

  private func answers(_ row: Row, _ columns: [String]) -> (samples: [SampleTable.Sample], count: Int) {
    let texts = row["generations"]?.arrayValue ?? []
    let lists = columns.map { ($0, row[$0]?.arrayValue ?? []) }
    let samples = texts.prefix(Self.mostSamples).enumerated().map { index, text in
      SampleTable.Sample(
        text: Self.cut(text.stringValue ?? text.text()),
        scores: lists.compactMap { name, values in
          index < values.count ? values[index].doubleValue.map { (name, $0) } : nil
        })
    }
    return (samples, texts.count)
  }

  private static func cut(_ text: String) -> String {
    guard text.utf8.count > mostCharacters else { return text }
    let scalars = text.unicodeScalars.prefix(mostCharacters)
    return scalars.endIndex == text.endIndex
      ? text : "\(String(String.UnicodeScalarView(scalars)))… (\(text.utf8.count) bytes in all)"
  }
}

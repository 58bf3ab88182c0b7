// Samples side by side, as text for a terminal, as Markdown and as JSON.

import JSON
import Report
import System

struct SamplesText {
  let sheets: [SampleSheet]
  /// Whether words that differ between the two sheets are marked.
  let marksDifferences: Bool

  // MARK: what is shown

  private func heading(_ selection: SampleSelection) -> String {
    let shown = selection.prompts.count
    let of =
      "of \(counted(selection.total, "prompt"))"
      + (sheets.contains { $0.rows.count > selection.total } ? " that all addresses have" : "")
    let column = selection.column ?? ""
    let words =
      switch selection.order {
      case .first: "the first \(shown) \(of), in the order of"
      case .drawn(let seed): "\(shown) \(of) drawn with seed \(seed), in the order of"
      case .highest: "the \(shown) \(of) with the highest `\(column)` at"
      case .lowest: "the \(shown) \(of) with the lowest `\(column)` at"
      }
    return TerminalText.escaped("\(words) `\(sheets[0].address)`") + "\n"
  }

  private func details(_ sample: ScoredSample, of count: Int, _ sheet: SampleSheet) -> [String] {
    var details = zip(sheet.columns, sample.scores).map { "\($0) \($1.map(TextTable.number) ?? "none")" }
    if count > 1 { details.append("\(sample.index + 1) of \(count)") }
    return details
  }

  /// The pieces of a sample's text, and whether each is marked.
  private func pieces(_ prompt: SampleSelection.Prompt, sheet: Int, place: Int) -> [WordDifference.Piece] {
    func text(_ sheet: Int) -> String? {
      let samples = prompt.results[sheet].samples
      return place < samples.count ? samples[place].text : nil
    }
    let own = text(sheet) ?? ""
    guard marksDifferences, let other = text(1 - sheet) else {
      return [WordDifference.Piece(text: own, isChanged: false)]
    }
    return sheet == 0 ? WordDifference(own, other).first : WordDifference(other, own).second
  }

  // MARK: text

  /// - Parameter width: columns.
  func text(_ selection: SampleSelection, width: Int, isColored: Bool) -> String {
    let labels = ["prompt"] + sheets.map { TerminalText.escaped($0.address) }
    let widest = labels.map { TextTable.width($0) }.max() ?? 0
    // Where an address leaves no room beside it, it has a line of its own.
    let isBeside = width - widest - 4 >= 30
    let margin = isBeside ? widest + 4 : 4
    func entry(_ label: String, _ style: TerminalStyle, _ body: StyledText) -> String {
      let shown = isColored ? style.applied(to: label) : label
      let padded = shown + String(repeating: " ", count: max(0, widest - TextTable.width(label)))
      let lines = body.wrapped(to: max(20, width - margin), isColored: isColored)
      let head = isBeside ? "  \(padded)  \(lines[0])" : label.isEmpty ? nil : "  \(shown)"
      let rest = lines.dropFirst(isBeside ? 1 : 0).map { String(repeating: " ", count: margin) + $0 }
      return ([head].compactMap { $0 } + rest).map { TextTable.withoutTrailingSpaces($0) + "\n" }.joined()
    }
    var text = heading(selection)
    for prompt in selection.prompts {
      text += "\n\(TerminalText.escaped(prompt.id))\n"
      var body = StyledText()
      body.append(TerminalText.line(prompt.prompt), .faint)
      text += entry("prompt", .faint, body)
      for (place, sheet) in sheets.enumerated() {
        for (number, body) in bodies(prompt, place, isColored: isColored).enumerated() {
          text += entry(number == 0 ? TerminalText.escaped(sheet.address) : "", .bold, body)
        }
      }
    }
    return text
  }

  /// What stands beside an address: a text for each sample.
  private func bodies(_ prompt: SampleSelection.Prompt, _ place: Int, isColored: Bool) -> [StyledText] {
    func note(_ text: String) -> [StyledText] {
      var body = StyledText()
      body.append(text, .faint)
      return [body]
    }
    let (samples, count) = prompt.results[place]
    if samples.isEmpty { return note("(no generation)") }
    return samples.enumerated().map { number, sample in
      var body = StyledText()
      if sample.text.isEmpty { body.append("(empty)", .faint) }
      for piece in pieces(prompt, sheet: place, place: number) {
        // As `git diff --word-diff` marks them.
        let marks = !piece.isChanged || isColored ? ("", "") : place == 0 ? ("[-", "-]") : ("{+", "+}")
        body.append(
          marks.0 + TerminalText.line(piece.text) + marks.1,
          piece.isChanged ? (place == 0 ? .red : .green) : nil)
      }
      let details = details(sample, of: count, sheets[place])
      if !details.isEmpty {
        body.append("  ")
        let shown = details.map { StyledText.unbroken(TerminalText.line($0)) }.joined(separator: ", ")
        body.append("[\(shown)]", .cyan)
      }
      return body
    }
  }

  // MARK: Markdown

  /// A table for each prompt.
  func markdown(_ selection: SampleSelection) -> String {
    let columns = sheets.flatMap(\.columns).reduce(into: [String]()) { names, name in
      if !names.contains(where: { UTF8Key($0) == UTF8Key(name) }) { names.append(name) }
    }
    var text = heading(selection)
    for prompt in selection.prompts {
      text += "\n**\(MarkdownText.cell(prompt.id))**\n\n"
      text += MarkdownText.heading([" "] + columns.map(MarkdownText.cell) + ["text"])
      let blank = columns.map { _ in "" }
      text += MarkdownText.row(["prompt"] + blank + [MarkdownText.cell(prompt.prompt)])
      for (place, sheet) in sheets.enumerated() {
        let name = "`\(TerminalText.escaped(sheet.address).replacing("|", with: "\\|"))`"
        let (samples, count) = prompt.results[place]
        if samples.isEmpty { text += MarkdownText.row([name] + blank + ["(no generation)"]) }
        for (number, sample) in samples.enumerated() {
          let label = name + (count > 1 ? " \(sample.index + 1) of \(count)" : "")
          let scores = columns.map { column in
            sheet.columns.firstIndex { UTF8Key($0) == UTF8Key(column) }
              .map { sample.scores[$0].map(TextTable.number) ?? "none" } ?? ""
          }
          let words = pieces(prompt, sheet: place, place: number).map { piece -> String in
            let mark = piece.isChanged ? (place == 0 ? "~~" : "**") : ""
            return mark + MarkdownText.cell(piece.text) + mark
          }.joined()
          text += MarkdownText.row([label] + scores + [sample.text.isEmpty ? "(empty)" : words])
        }
      }
    }
    return text
  }

  // MARK: JSON

  func json(_ selections: [SampleSelection]) -> JSON {
    .array(selections.flatMap { selection in selection.prompts.map { json($0, selection) } })
  }

  private func json(_ prompt: SampleSelection.Prompt, _ selection: SampleSelection) -> JSON {
    var object = JSONObject([("id", .string(prompt.id)), ("prompt", .string(prompt.prompt))])
    switch selection.order {
    case .highest: object["rank"] = "best"
    case .lowest: object["rank"] = "worst"
    case .first, .drawn: break
    }
    object["results"] = .array(
      sheets.indices.map { place in
        let result = prompt.results[place]
        return [
          "address": .string(sheets[place].address),
          "generations": .int(Int64(result.count)),
          "samples": .array(
            result.samples.enumerated().map { number, sample in
              var object = JSONObject([
                ("index", .int(Int64(sample.index))), ("text", .string(sample.text)),
                (
                  "scores",
                  .object(
                    JSONObject(
                      zip(sheets[place].columns, sample.scores).map { ($0, $1.map { .double($0) } ?? .null) })
                  )
                ),
              ])
              if marksDifferences {
                object["pieces"] = .array(
                  pieces(prompt, sheet: place, place: number).map {
                    ["text": .string($0.text), "changed": .bool($0.isChanged)]
                  })
              }
              return .object(object)
            }),
        ]
      })
    return .object(object)
  }
}

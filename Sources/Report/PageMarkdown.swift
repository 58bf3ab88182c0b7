// A page as Markdown with pictures in files beside it, for a pull request or a wiki.

import Charts
import Runner
import System

package struct PageMarkdown {
  private let page: Page

  package init(_ page: Page) { self.page = page }

  /// A pull request is read at a glance: so many prompts at most.
  private static let mostPrompts = 10

  /// - Parameter folder: where the pictures are, as the text names it.
  package func text(pictures folder: String) -> String {
    var text = "# \(MarkdownText.cell(page.title))\n\n\(MarkdownText.cell(page.subtitle)) · \(page.state)\n"
    for section in page.sections {
      text += "\n## \(MarkdownText.cell(section.title))\n"
      for block in section.blocks { text += "\n" + markdown(block, folder) }
    }
    return text
  }

  /// Each with its file's name.
  package var pictures: [(name: String, svg: String)] {
    page.sections.flatMap(\.blocks).flatMap { block -> [Page.Picture] in
      switch block {
      case .pictures(let pictures): pictures
      case .widePicture(let picture): [picture]
      default: []
      }
    }.map { ("\($0.name).svg", $0.drawing.file) }
  }

  private func markdown(_ block: Page.Block, _ folder: String) -> String {
    switch block {
    case .paragraph(let text): MarkdownText.cell(text) + "\n"
    case .warning(let text): "> " + MarkdownText.cell(text) + "\n"
    case .facts(let facts):
      TableFormat.md.text([["", ""]] + facts.map { [$0.name, $0.value] })
    case .table(let rows): TableFormat.md.text(rows)
    case .foldedTable(let rows, let title):
      "<details><summary>\(MarkdownText.cell(title))</summary>\n\n\(TableFormat.md.text(rows))\n</details>\n"
    case .pictures(let pictures): pictures.map { image($0, folder) }.joined()
    case .widePicture(let picture): image(picture, folder)
    case .code(let text, let title, _):
      // A fence that is longer than any in the text.
      Self.fenced(text, title)
    case .samples(let table): samples(table)
    }
  }

  private func image(_ picture: Page.Picture, _ folder: String) -> String {
    let words = picture.drawing.description.filter { !"[]\n".contains($0) }
    return "![\(MarkdownText.cell(words))](\(folder)/\(picture.name).svg)\n"
  }

  private static func fenced(_ text: String, _ title: String) -> String {
    let text = Markup.visible(text)
    var (longest, current) = (0, 0)
    for character in text.utf8 {
      current = character == UInt8(ascii: "`") ? current + 1 : 0
      longest = max(longest, current)
    }
    let fence = String(repeating: "`", count: max(3, longest + 1))
    return
      "<details><summary>\(MarkdownText.cell(title))</summary>\n\n\(fence)\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)\n\n</details>\n"
  }

  private func samples(_ table: SampleTable) -> String {
    let prompts = table.prompts.prefix(Self.mostPrompts)
    let rows = prompts.map { prompt in
      let answers = prompt.answers.map { answer -> String in
        guard let sample = answer.samples.first else { return "" }
        let score = sample.scores.first.map {
          "<br>\(MarkdownText.cell($0.name)) \(TextTable.number($0.value))"
        }
        return MarkdownText.cell(sample.text) + (score ?? "")
      }
      return MarkdownText.row([MarkdownText.cell(prompt.text)] + answers)
    }
    let left = table.prompts.count - prompts.count
    return MarkdownText.heading(["prompt"] + table.addresses.map(MarkdownText.cell)) + rows.joined()
      + (left > 0 ? "\nThe first \(prompts.count) of them.\n" : "")
  }
}

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
    var text = "# \(Self.shown(page.title))\n\n\(Self.shown(page.subtitle)) · \(page.state)\n"
    for section in page.sections {
      text += "\n## \(Self.shown(section.title))\n"
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
    case .paragraph(let text): Self.shown(text) + "\n"
    case .warning(let text): "> " + Self.shown(text).replacing("\n", with: "\n> ") + "\n"
    case .facts(let facts):
      TableFormat.md.text([["", ""]] + facts.map { [$0.name, $0.value] })
    case .table(let rows): TableFormat.md.text(rows)
    case .foldedTable(let rows, let title):
      "<details><summary>\(Self.shown(title))</summary>\n\n\(TableFormat.md.text(rows))\n</details>\n"
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
    return "![\(Self.shown(words))](\(folder)/\(picture.name).svg)\n"
  }

  private static func fenced(_ text: String, _ title: String) -> String {
    var (longest, current) = (0, 0)
    for character in text.utf8 {
      current = character == UInt8(ascii: "`") ? current + 1 : 0
      longest = max(longest, current)
    }
    let fence = String(repeating: "`", count: max(3, longest + 1))
    return
      "<details><summary>\(shown(title))</summary>\n\n\(fence)\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)\n\n</details>\n"
  }

  private func samples(_ table: SampleTable) -> String {
    let prompts = table.prompts.prefix(Self.mostPrompts)
    let rows = prompts.map { prompt in
      [prompt.text]
        + prompt.answers.map { answer in
          answer.samples.first.map { sample in
            sample.text
              + (sample.scores.first.map { " (\($0.name) \(TextTable.number($0.value)))" } ?? "")
          } ?? ""
        }
    }
    let left = table.prompts.count - prompts.count
    return TableFormat.md.text([["prompt"] + table.addresses] + rows)
      + (left > 0 ? "\nThe first \(prompts.count) of them.\n" : "")
  }

  /// What Markdown would read as HTML or as a sign of its own is escaped.
  private static func shown(_ text: String) -> String {
    PageHTML.shown(text).replacing("\\", with: "\\\\").replacing("<", with: "&lt;").replacing(
      "`", with: "\\`"
    )
    .replacing("*", with: "\\*").replacing("_", with: "\\_").replacing("#", with: "\\#")
  }
}

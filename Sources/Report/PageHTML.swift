// A page as one HTML file that needs nothing beside it: styles, pictures and the script are inside, and it may fetch nothing.

import Charts
import System

package struct PageHTML {
  private let page: Page
  private let frame: PageFrame?

  /// - Parameter frame: where a server shows it; nil of a file.
  package init(_ page: Page, frame: PageFrame? = nil) {
    self.page = page
    self.frame = frame
  }

  package var text: String {
    let isSearchable = page.sections.contains { section in
      section.blocks.contains { if case .samples = $0 { true } else { false } }
    }
    let isLive = frame?.events != nil
    // What a run that runs has no samples of yet, it may have later.
    let scripts = (isSearchable || isLive ? [SampleSearch.script] : []) + (isLive ? [PageFrame.script] : [])
    return HTMLDocument(page.title, scripts: scripts, connects: isLive, style: isLive ? PageFrame.style : "")
      .text { html in
        html.element("header") { header(&$0) }
        html.element("main", [("id", HTMLDocument.content)]) { html in
          for section in page.sections { write(section, &html) }
        }
      }
  }

  private func header(_ html: inout Markup) {
    html.element("h1") { html in
      html.text(page.title + " ")
      html.element("span", [("class", "state")], page.state)
    }
    html.element("p", [("class", "quiet")], page.subtitle)
    if let frame {
      links("Other pages", frame.links, &html)
      if !frame.logs.isEmpty {
        html.element("details") { html in
          html.element("summary", [], "Logs")
          list(frame.logs, [("class", "logs")], &html)
        }
      }
      if let events = frame.events {
        html.element("pre", [("id", "now"), ("data-events", events), ("aria-live", "polite")], "…")
        html.element("div", [("id", "curves"), ("class", "pictures")]) { $0.raw(frame.curves.markup) }
      }
    }
    links("Sections", page.sections.map { PageFrame.Link($0.title, "#\($0.anchor)") }, &html)
  }

  private func links(_ name: String, _ links: [PageFrame.Link], _ html: inout Markup) {
    html.element("nav", [("aria-label", name)]) { list(links, [], &$0) }
  }

  private func list(_ links: [PageFrame.Link], _ attributes: [(String, String)], _ html: inout Markup) {
    html.element("ul", attributes) { html in
      for link in links {
        html.element("li") { $0.element("a", [("href", link.target)], link.words) }
      }
    }
  }

  // MARK: blocks

  private func write(_ section: Page.Section, _ html: inout Markup) {
    let title = "\(section.anchor)-title"
    html.element("section", [("id", section.anchor), ("aria-labelledby", title)]) { html in
      html.element("h2", [("id", title)], section.title)
      for block in section.blocks { write(block, &html) }
    }
  }

  private func write(_ block: Page.Block, _ html: inout Markup) {
    switch block {
    case .paragraph(let text): html.element("p", [], text)
    case .warning(let text): html.element("p", [("class", "warning"), ("role", "note")], text)
    case .facts(let facts):
      html.element("dl") { html in
        for fact in facts {
          html.element("div") { html in
            html.element("dt", [], fact.name)
            html.element("dd", [], fact.value)
          }
        }
      }
    case .table(let rows): table(rows, &html)
    case .foldedTable(let rows, let title):
      html.element("details") { html in
        html.element("summary", [], title)
        table(rows, &html)
      }
    case .pictures(let pictures):
      html.element("div", [("class", "pictures")]) { html in
        for picture in pictures { html.element("figure") { $0.raw(picture.drawing.part) } }
      }
    case .widePicture(let picture): scrolling("Picture", &html) { $0.raw(picture.drawing.part) }
    case .code(let text, let title, let isOpen):
      html.element("details", isOpen ? [("open", "")] : []) { html in
        html.element("summary", [], title)
        html.element("pre", [], text)
      }
    case .samples(let table): samples(table, &html)
    }
  }

  private func scrolling(_ name: String, _ html: inout Markup, _ body: (inout Markup) -> Void) {
    html.element(
      "div", [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", name)], body)
  }

  private func table(_ rows: [[String]], _ html: inout Markup) {
    scrolling("Table", &html) { html in
      html.element("table") { html in
        html.element("thead") { html in
          html.element("tr") { html in
            for cell in rows.first ?? [] { html.element("th", [("scope", "col")], cell) }
          }
        }
        html.element("tbody") { html in
          for row in rows.dropFirst() {
            html.element("tr") { html in
              for cell in row { html.element("td", isNumber(cell) ? [("class", "number")] : [], cell) }
            }
          }
        }
      }
    }
  }

  /// `0.5 ± 0.1`, and no key of digits.
  private func isNumber(_ cell: String) -> Bool {
    let first = cell.split(separator: " ").first ?? ""
    return first.utf8.count <= 11 && Double(first) != nil
  }

  // MARK: samples

  private func samples(_ table: SampleTable, _ html: inout Markup) {
    html.element("p", [("class", "quiet")], table.note)
    SampleSearch.write(
      count: table.prompts.count, isRanked: table.prompts.contains { $0.kinds.contains("best") }, &html)
    for prompt in table.prompts {
      let kinds = prompt.kinds.joined(separator: " ")
      html.element("article", [("class", "prompt"), ("data-kinds", kinds)]) { html in
        html.element("h3", [], prompt.id)
        html.element("p", [("class", "text"), ("dir", "auto")], prompt.text)
        html.element("div", [("class", "answers")]) { html in
          for (address, answer) in zip(table.addresses, prompt.answers) {
            html.element("div") { answers(answer.samples, of: answer.count, at: address, &$0) }
          }
        }
      }
    }
    SampleSearch.writeMore(&html)
  }

  private func answers(
    _ samples: [SampleTable.Sample], of count: Int, at address: String, _ html: inout Markup
  ) {
    html.element("h4", [], address)
    for sample in samples {
      html.element("p", [("class", "text"), ("dir", "auto")], sample.text)
      let scores = sample.scores.map { "\($0.name) \(number($0.value))" }.joined(separator: " · ")
      html.element("p", [("class", "scores")], scores)
    }
    if count > samples.count {
      html.element("p", [("class", "quiet")], "and \(count - samples.count) more")
    }
  }

  /// A count without places behind the point.
  private func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9 ? String(Int(value)) : TextTable.number(value)
  }
}

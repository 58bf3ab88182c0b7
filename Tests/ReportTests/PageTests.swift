// A page as HTML and as Markdown: what a reader sees, and that no text becomes markup.

import Charts
import Report
import Testing

@Suite struct PageTests {
  private static let hostile =
    "<script>alert('x')</script> & \"q\" \u{202E}right\u{1B}[2J {{title}} {{{svg}}} `|*"

  private static func page(_ text: String) -> Page {
    let chart = Chart(
      text, x: "step", y: text, [Chart.Series(text, [Chart.Point(x: 1, y: 2), Chart.Point(x: 2, y: 3)])])
    let picture = Page.Picture("curve", ChartSVG(chart))
    return Page(
      text, subtitle: text, state: "done",
      [
        Page.Section(
          "Result",
          [
            .paragraph(text), .warning(text), .facts([(name: text, value: text)]),
            .table([["metric", "value"], [text, "0.5 ± 0.1"]]),
            .foldedTable([["stage"], [text]], title: text), .pictures([picture]),
            .widePicture(picture), .code(text, title: text, isOpen: true),
            .samples(
              SampleTable(
                addresses: [text],
                prompts: [
                  SampleTable.Prompt(
                    id: text, text: text, kinds: ["best"],
                    answers: [([SampleTable.Sample(text: text, scores: [(name: text, value: 3)])], 2)])
                ], note: text)),
          ]), Page.Section("Empty", []),
      ])
  }

  @Test func `no text becomes markup, a template or a control character`() throws {
    let html = PageHTML(Self.page(Self.hostile)).text
    // The page's own script, once.
    #expect(html.ranges(of: "<script").count == 1 && html.ranges(of: "</script").count == 1)
    #expect(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;q&quot;"))
    #expect(html.contains("[202e]right[1b][2J {{title}} {{{svg}}}"))
    #expect(!html.contains("\u{202E}") && !html.contains("\u{1B}"))
    #expect(
      html.contains("default-src &#39;none&#39;") && !html.contains("<link") && !html.contains("src=\""))
    let markdown = PageMarkdown(Self.page(Self.hostile))
    // Inside the fence of the code a text is as it is.
    let text = markdown.text(pictures: "p")
    #expect(text.ranges(of: "<script").count == 1, "\(text)")
    #expect(!text.contains("\u{202E}") && !text.contains("\u{1B}"))
    #expect(markdown.pictures.allSatisfy { !$0.svg.contains("<script") })
  }

  @Test func `a section without anything to say is left out`() throws {
    let html = PageHTML(Self.page("plain")).text
    #expect(html.contains("id=\"result\"") && !html.contains("Empty"))
  }

  @Test func `a page without samples has no script`() throws {
    let html = PageHTML(Page("t", subtitle: "s", state: "done", [Page.Section("A", [.paragraph("p")])]))
      .text
    #expect(!html.contains("<script"))
  }

  @Test func `the whole says what it holds`() throws {
    let html = PageHTML(Self.page("soup")).text
    #expect(html.contains("<td class=\"number\">0.5 ± 0.1</td>"))
    #expect(html.contains("<p class=\"scores\">soup 3</p>") && html.contains("and 1 more"))
    #expect(html.contains("1 prompt<") && html.ranges(of: "<svg").count == 2)
    let markdown = PageMarkdown(Self.page("soup"))
    let text = markdown.text(pictures: "pictures")
    #expect(
      text.hasPrefix("# soup\n") && text.contains("| metric | value |\n|---|---|\n| soup | 0.5 ± 0.1 |"))
    #expect(text.contains("](pictures/curve.svg)") && markdown.pictures.map(\.name).first == "curve.svg")
  }

  @Test func `a fence is longer than any in the text`() {
    let page = Page(
      "t", subtitle: "", state: "", [Page.Section("A", [.code("a ```` b", title: "x", isOpen: true)])])
    #expect(PageMarkdown(page).text(pictures: "p").contains("\n`````\na ```` b\n`````\n"))
  }
}

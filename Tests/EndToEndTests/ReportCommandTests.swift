// `plumb report`, and the page that a run writes beside itself.

import System
import Testing

@Suite struct ReportCommandTests {
  let plumb: BuiltPlumb

  init() throws {
    plumb = try BuiltPlumb()
    try plumb.write(PageExperiment.rows, to: "rows.jsonl")
    try plumb.write(PageExperiment.text, to: "page.yaml")
  }

  private func page() throws -> String {
    try plumb.shell("cat runs/page/*/report.html;").output
  }

  @Test func `a run writes its page, one with nothing to do and one that is told not to do not`() throws {
    let none = try plumb.run("run page.yaml --no-report")
    #expect(try none.status == 0 && page().isEmpty, "\(none.error)")
    #expect(try plumb.run("run page.yaml --set word=other").status == 0)
    let html = try page()
    #expect(
      html.contains("<h2 id=\"samples-title\">Samples</h2>") && html.contains("All 3 prompts of `scored`."))
    #expect(html.contains("before_evaluate") && html.contains("<td>reward</td>"))
    #expect(try plumb.run("run page.yaml --set word=other").status == 0)
    #expect(try plumb.shell("ls runs/page/*/report.html | wc -l;").output.contains("1"))
  }

  @Test func `Markdown has its pictures in a folder beside it`() throws {
    _ = try plumb.run("run page.yaml")
    let result = try plumb.run("report page.yaml --md -o pull.md")
    #expect(result.status == 0 && result.error == "wrote pull.md\n", "\(result.error)")
    let text = plumb.text("pull.md")
    let names = text.matches(of: /\]\(pull\/([^)]+)\)/).map { String($0.output.1) }
    #expect(!names.isEmpty && names.allSatisfy { plumb.text("pull/\($0)").hasPrefix("<svg") }, "\(names)")
  }

  @Test func `a failed run says what failed`() throws {
    _ = try plumb.shell("sed -i 's/cat {in/echo too many soups; false {in/' page.yaml;")
    #expect(try plumb.run("run page.yaml").status == 1)
    #expect(try page().contains("<p class=\"warning\" role=\"note\">copied failed"))
    #expect(try page().contains("<pre>too many soups\n"))
  }

  @Test func `a sweep has a page of its own`() throws {
    let sweep = "\nsweep:\n  params: {word: [a, b, c]}\n  metric: {name: reward, goal: maximize}\n"
    try plumb.write(PageExperiment.text + sweep, to: "sweep.yaml")
    let result = try plumb.run("run sweep.yaml")
    #expect(result.status == 0, "\(result.error)")
    let html = plumb.text("runs/page/sweep.html")
    #expect(html.contains("3 of 3 trials measured") && html.contains("the best so far"))
    #expect(try plumb.run("report sweep.yaml -o again.html").status == 0)
    #expect(plumb.text("again.html") == html)
    #expect(try plumb.run("report @last -o one.html").status == 0)
    #expect(plumb.text("one.html").contains("All 3 prompts"))
    // By its folder, as a shell completes it.
    #expect(
      try plumb.shell("'\(plumb.binary)' report $(ls -d runs/page/2*/ | tail -1) -o two.html;").status == 0)
    #expect(plumb.text("two.html").contains("<h1>page "))
  }

  @Test(arguments: [
    ("report nowhere", 2, "there is no run `nowhere`"), ("report other.yaml", 3, "other.yaml"),
    ("report @last -o none/x.html", 6, "none/x.html"), ("report runs", 2, "is not the folder of a run"),
  ])
  func `a mistake says what to do`(arguments: String, status: Int, message: String) throws {
    _ = try plumb.run("run page.yaml")
    let result = try plumb.run(arguments)
    #expect(
      result.status == Int32(status) && result.error.contains(message), "\(result.status) \(result.error)")
  }
}

/// Rows with generations and rewards, evaluated before and after.
enum PageExperiment {
  static let rows = [
    #"{"id":"r<0>","p":"<script>document.title='broken'</script> soup","a":"<img src=http://example.com/x onerror=alert(1)>","b":"fine","x":1,"y":2}"#,
    #"{"id":"r1","p":"evil \u202egnp.exe \u001b[31m","a":"</pre><b>bold","b":"\#(String(repeating: "A", count: 1_000_000))","x":0,"y":-1}"#,
    #"{"id":"r2","p":"{{title}} {{{svg}}}","a":"</script><script src='http://example.com/y'></script>","b":"cake","x":3,"y":3}"#,
  ].map { $0 + "\n" }.joined()

  static let text = """
    version: 1
    name: page
    params: {word: "</script>"}
    stages:
      rows: {uses: data, with: {path: rows.jsonl, prompt: "{p} ${word}", id: id, generations: ["{a}", "{b}"], samples: {rewards: [x, y]}}}
      copied:
        uses: command
        in: {rows: rows}
        with:
          run: ["cat {in.rows} > {out.rows}"]
          shell: true
          inputs: [{name: rows, columns: [prompt, generations, rewards]}]
          outputs: [{name: rows, columns: [{name: prompt, per: row}, {name: generations, per: sample}, {name: rewards, per: sample}]}]
      scored: {uses: score, in: {rows: copied}, with: {scorer: {kind: length}, column: size}}
      before_evaluate: {uses: evaluate, in: {rows: rows}, with: {metrics: [reward]}}
      evaluate: {in: {rows: scored, baseline: rows}, with: {metrics: [reward, {kind: mean, column: size}]}}
    metrics: {reward: evaluate.reward}
    """
}

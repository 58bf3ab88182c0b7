// `plumb samples`: which prompts and generations it shows, and how.

import JSON
import Testing

@Suite struct SamplesCommandTests {
  let plumb: BuiltPlumb

  /// Two stages with texts of the same prompts, the second in another order and without one of them, and one without scores.
  init() throws {
    plumb = try BuiltPlumb()
    try plumb.write(
      """
      version: 1
      name: texts
      seed: 1
      stages:
        before: {uses: data, with: {path: a.jsonl, prompt: "{p}", id: id, samples: &lists {generations: t, rewards: r, other: o}}}
        after: {uses: data, with: {path: b.jsonl, prompt: "{p}", id: id, samples: *lists}}
        plain: {uses: data, with: {path: a.jsonl, prompt: "{p}", id: id, samples: {generations: t}}}
        rows: {uses: data, with: {path: a.jsonl, prompt: "{p}", id: id}}
        others: {uses: data, with: {path: c.jsonl, prompt: "{p}", id: id, samples: *lists}}
      """, to: "texts.yaml")
    try plumb.write(
      """
      {"id": "r1", "p": "one", "t": ["the soup was cold", "b"], "r": [0.25, 0.75], "o": [4, 1]}
      {"id": "r2", "p": "two", "t": ["c", "d"], "r": [-1, 2], "o": [3, 3]}
      {"id": "r3", "p": "three", "t": ["e", ""], "r": [null, 0.5], "o": [2, 9]}
      {"id": "r4", "p": "four", "t": ["\\u001b[31m|*x*\\nline", "f"], "r": [0, 0.5], "o": [1, 1]}

      """, to: "a.jsonl")
    try plumb.write(
      """
      {"id": "r4", "p": "four", "t": ["g", "h"], "r": [1, 5], "o": [1, 2]}
      {"id": "r2", "p": "two", "t": ["c", "d"], "r": [7, 6], "o": [5, 5]}
      {"id": "r1", "p": "one", "t": ["the soup is  cold and good", "b"], "r": [3, 4], "o": [0, 1]}

      """, to: "b.jsonl")
    try plumb.write(#"{"id": "z", "p": "z", "t": ["z"], "r": [1], "o": [1]}"# + "\n", to: "c.jsonl")
    let run = try plumb.run("run texts.yaml")
    try #require(run.status == 0, "\(run.error)")
  }

  private func samples(_ arguments: String) throws -> String {
    let result = try plumb.run("samples texts.yaml \(arguments)")
    #expect(result.status == 0 && result.error.isEmpty, "\(result.error)")
    return result.output
  }

  @Test func `every generation stands with its scores, by the names of their columns`() throws {
    #expect(
      try samples("before --count 1 --each all") == """
        the first 1 of 4 prompts, in the order of `before`

        r1
          prompt  one
          before  the soup was cold  [other 4.000, rewards 0.2500, 1 of 2]
                  b  [other 1.000, rewards 0.7500, 2 of 2]

        """)
    #expect(try samples("plain --count 1").hasSuffix("  plain   the soup was cold  [1 of 2]\n"))
    #expect(try samples("before --each 2").contains("(empty)  [other 9.000, rewards 0.5000, 2 of 2]"))
    #expect(try samples("before").contains("  e  [other 2.000, rewards none, 1 of 2]"))
  }

  @Test func `only prompts that all addresses have are shown`() throws {
    let text = try samples("before after")
    #expect(
      text.hasPrefix("the first 3 of 3 prompts that all addresses have, in the order of `before`"), "\(text)")
    #expect(!text.contains("r3") && text.contains("  after   g  [other 1.000, rewards 1.000, 1 of 2]"))
    let none = try plumb.run("samples texts.yaml before others")
    #expect(
      none.status == 2
        && none.error
          == "error: `before` and `others` have no prompt in common; their rows have different ids\n",
      "\(none.error)")
  }

  @Test func `the best and the worst are those with the highest and lowest score of a generation`() throws {
    let best = try samples("before --best 2 --each all")
    #expect(
      best == """
        the 2 of 4 prompts with the highest `rewards` at `before`

        r2
          prompt  two
          before  d  [other 3.000, rewards 2.000, 2 of 2]
                  c  [other 3.000, rewards -1.000, 1 of 2]

        r1
          prompt  one
          before  b  [other 1.000, rewards 0.7500, 2 of 2]
                  the soup was cold  [other 4.000, rewards 0.2500, 1 of 2]

        """)
    let both = try samples("before --best 1 --worst 1 --by other")
    #expect(both.contains("the 1 of 4 prompts with the highest `other` at `before`\n\nr3\n"), "\(both)")
    #expect(both.contains("\n\nthe 1 of 4 prompts with the lowest `other` at `before`\n\nr1\n"), "\(both)")
    // Equal generations stand beside themselves, whatever their scores are there; others are ranked by their own.
    let sides = try samples("before after --best 3")
    #expect(sides.contains("  after   d  [other 5.000, rewards 6.000, 2 of 2]"), "\(sides)")
    #expect(sides.contains("  after   h  [other 2.000, rewards 5.000, 2 of 2]"), "\(sides)")
  }

  @Test func `a draw depends on the seed, and on neither the order of the rows nor the number drawn`() throws
  {
    func ids(_ arguments: String) throws -> [String] {
      try JSON(parsing: try samples("\(arguments) --json")).arrayValue?.compactMap { $0["id"]?.stringValue }
        ?? []
    }
    let draws = try (1...8).map { try ids("before after --count 1 --seed \($0)") }
    #expect(Set(draws).count > 1, "\(draws)")
    for seed in 1...8 {
      #expect(try ids("after before --count 1 --seed \(seed)") == draws[seed - 1])
      #expect(Set(try ids("before after --count 2 --seed \(seed)")).isSuperset(of: draws[seed - 1]))
    }
    let text = try samples("before --count 2 --seed 3")
    #expect(text.hasPrefix("2 of 4 prompts drawn with seed 3, in the order of `before`\n"), "\(text)")
    let indices = try (1...8).map { try samples("before --seed \($0)").contains("2 of 2") }
    #expect(indices.contains(true))
  }

  @Test func `words that differ are marked, in the place where they stand`() throws {
    let text = try samples("before after --count 1 --diff")
    #expect(text.contains("before  the soup [-was-] cold  [other"), "\(text)")
    #expect(text.contains("after   the soup {+is+}  cold {+and good+}  [other"), "\(text)")
    let markdown = try samples("before after --count 1 --diff --md")
    #expect(markdown.contains("| the soup ~~was~~ cold |"), "\(markdown)")
    #expect(markdown.contains("| the soup **is**  cold **and good** |"), "\(markdown)")
    let json = try JSON(parsing: try samples("before after --count 1 --diff --json"))
    let pieces = json.arrayValue?[0]["results"]?.arrayValue?[1]["samples"]?.arrayValue?[0]["pieces"]
    #expect(
      pieces?.text()
        == #"[{"text":"the soup ","changed":false},{"text":"is","changed":true},{"text":"  cold ","changed":false},{"text":"and good","changed":true}]"#,
      "\(json.text())")
  }

  @Test func `Markdown is a table for each prompt, and no text is read as a sign`() throws {
    let markdown = try samples("before after --md")
    #expect(
      markdown.hasPrefix(
        """
        the first 3 of 3 prompts that all addresses have, in the order of `before`

        **r1**

        |   | other | rewards | text |
        |---|---|---|---|
        | prompt |  |  | one |
        | `before` 1 of 2 | 4.000 | 0.2500 | the soup was cold |
        """), "\(markdown)")
    #expect(markdown.contains(#"| 1.000 | 0 | \u{1B}\[31m\|\*x\*<br>line |"#), "\(markdown)")
  }

  @Test func `a terminal gets colour and its own width, and nothing that moves its cursor`() throws {
    func terminal(_ arguments: String, _ before: String = "-u NO_COLOR", columns: Int = 60) throws -> String {
      let command = "stty cols \(columns); env \(before) '\(plumb.binary)' samples texts.yaml \(arguments)"
      try plumb.write(command, to: "command.sh")
      return try plumb.shell("TERM=xterm script -qc 'sh command.sh' /dev/null </dev/null;").output
        .replacing("\r\n", with: "\n")
    }
    let colored = try terminal("before after --count 1 --diff")
    #expect(
      colored.contains("\u{1B}[2mprompt\u{1B}[0m") && colored.contains("\u{1B}[1mbefore\u{1B}[0m")
        && colored.contains("soup \u{1B}[31mwas\u{1B}[0m cold  \u{1B}[36m[other 4.000, ")
        && colored.contains("rewards 0.2500,\u{1B}[0m\n")
        && colored.contains("\u{1B}[32mand good\u{1B}[0m"), "\(colored)")
    let plain = try terminal("before after --diff", "NO_COLOR=1", columns: 50)
    #expect(!plain.contains("\u{1B}") && plain.contains("\\u{1B}[31m|*x*⏎line"), "\(plain)")
    let lines: [Substring] = plain.split(separator: "\n")
    #expect(lines.dropFirst().allSatisfy { $0.count <= 50 }, "\(plain)")
  }

  @Test func `a run is read as it was, by its selector or its folder`() throws {
    let before = try samples("after --count 2")
    #expect(try plumb.shell("sed -i '/before:/s/{p}/{p}./' texts.yaml;").status == 0)
    let changed = try plumb.run("samples texts.yaml before")
    #expect(changed.status == 11 && changed.error.contains("`before` has not run with these settings"))
    for run in ["@last", "texts@last", "runs/texts/*"] {
      let result = try plumb.run("samples \(run) after --count 2")
      #expect(result.status == 0 && result.output == before, "\(run): \(result.error)")
    }
    for run in ["@last", "$(ls -d runs/texts/*)"] {
      let sides = try plumb.run("samples texts.yaml after \(run)::before --count 1")
      #expect(sides.status == 0 && sides.output.contains("::before  "), "\(sides.error)")
    }
  }

  @Test(arguments: [
    ("beforee", "did you mean `before`?"), ("before.state", "the outputs of `before` are `before.rows`"),
    ("rows", "the rows of `rows` hold no generations"),
    ("plain --best 1", "the rows of `plain` have no column of scores; name a stage after a `score`"),
    (
      "before --best 1 --by othr",
      "`before` has no column `othr` with a number for each generation; did you mean `other`?"
    ),
    ("before --by other", "--by needs --best or --worst"),
    ("before --diff", "--diff compares two addresses, found 1"),
    ("before --best 1 --count 2", "--best and --worst choose the prompts; --count goes without them"),
    ("before --each 0", "'0'"), ("", "address"),
  ])
  func `a mistake says what to do`(arguments: String, words: String) throws {
    let result = try plumb.run("samples texts.yaml \(arguments)")
    #expect(result.status == 2 && result.error.contains(words), "\(result.error)")
  }

  @Test func `a run that is not there, and a stage that was not finished, are said`() throws {
    let none = try plumb.run("samples 1999 before")
    #expect(none.status == 2 && none.error.contains("there is no run `1999`; the last are "), "\(none.error)")
    let set = try plumb.run("samples @last before --set x=1")
    #expect(set.status == 2 && set.error.contains("--set goes with an experiment's file"), "\(set.error)")
    let file = try plumb.run("samples text.yaml before")
    #expect(file.status == 3 && file.error.contains("text.yaml"), "\(file.status) \(file.error)")
    try plumb.write(
      plumb.text("texts.yaml") + "\n  later: {uses: draw, in: {rows: before}, with: {count: 1}}\n",
      to: "texts.yaml")
    #expect(try plumb.run("run texts.yaml --only before").status == 0)
    let unfinished = try plumb.run("samples @last later")
    #expect(
      unfinished.status == 11 && unfinished.error.contains("`later` was not finished in the run"),
      "\(unfinished.error)")
  }

  @Test func `without a store nothing is made, and the command says so`() throws {
    #expect(try plumb.shell("rm -rf .plumb;").status == 0)
    let none = try plumb.run("samples texts.yaml before")
    #expect(
      none.status == 11 && none.error.contains("there is no store at `\(plumb.folder)/.plumb`"),
      "\(none.error)")
    #expect(try plumb.shell("ls -A;").output.contains(".plumb") == false)
  }
}

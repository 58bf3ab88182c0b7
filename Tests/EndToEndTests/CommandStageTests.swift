import Glibc
import JSON
import Runner
import System
import Testing

/// Programs in other languages as stages, and `spin`, on the built binary.
@Suite struct CommandStageTests {
  static let hasPython = system("python3 -c '' >/dev/null 2>&1") == 0

  private static let scorer = """
    import json, os, sys
    for line in sys.stdin:
        row = json.loads(line)
        with open(os.environ["TRACE"], "a") as trace: trace.write(row["id"] + "\\n")
        print(json.dumps({"id": row["id"], "length": len(row["prompt"])}))
    """

  private func project(scorer: String = scorer, more: String = "") throws -> CommandsFixture {
    let project = try CommandsFixture()
    let rows = (0..<10).map {
      "{\"id\":\"r\($0)\",\"prompt\":\"\(String(repeating: "x", count: $0 + 1))\"}\n"
    }
    try project.write(rows.joined(), to: "rows.jsonl")
    try project.write(scorer, to: "scorer.py")
    try project.write(
      """
      version: 1
      name: python
      stages:
        rows: {uses: data, with: {path: rows.jsonl, prompt: "{prompt}", id: id}}
        score:
          uses: command
          in: {rows: rows}
          \(more)
          with:
            run: [python3, scorer.py]
            files: [scorer.py]
            rows: stream
            inputs: [{name: rows, columns: [prompt]}]
            outputs: [{name: rows, columns: [length]}]
            env: [TRACE]
        total:
          uses: command
          in: {rows: score}
          with:
            run: ["printf '{\\"rows\\": %s}' $(wc -l < {in.rows}) > {out.metrics}"]
            shell: true
            inputs: [{name: rows, columns: [length]}]
            outputs: [{name: metrics, type: metrics}]
      metrics: {rows: total.rows}

      """, to: "x.yaml")
    return project
  }

  private func run(_ project: CommandsFixture, _ words: String = "run x.yaml") -> (
    status: Int32, output: String, error: String
  ) { project.plumb(words, before: "TRACE='\(project.folder)/trace'") }

  @Test(.enabled(if: hasPython))
  func `a column declared by sample follows the samples that are picked, and is exported with its table`()
    throws
  {
    let project = try CommandsFixture()
    try project.write(
      #"{"id":"a","prompt":"p","generations":["x","yy","zzz","wwww"],"quantiles":[2,1,0,1]}"# + "\n",
      to: "rows.jsonl")
    try project.write(
      """
      import json, sys
      for line in sys.stdin:
          row = json.loads(line)
          print(json.dumps({"id": row["id"], "letters": [len(text) for text in row["generations"]]}))
      """, to: "letters.py")
    func experiment(_ column: String) -> String {
      """
      version: 1
      name: letters
      stages:
        rows: {uses: data, with: {path: rows.jsonl, id: id, samples: [generations, quantiles]}}
        letters:
          uses: command
          in: {rows: rows}
          with:
            run: [python3, letters.py]
            files: [letters.py]
            rows: stream
            inputs: [{name: rows, columns: [generations]}]
            outputs: [{name: rows, columns: [\(column)]}]
        pool: {in: {rows: letters}, with: {per_class: 1}}

      """
    }
    try project.write(experiment("{name: letters, per: sample}"), to: "x.yaml")
    try #require(project.plumb("run x.yaml").status == 0)
    try #require(project.plumb("export x.yaml::pool.rows taken").status == 0)
    let row = try #require(try readRows("\(project.folder)/taken/rows.jsonl").first)
    let texts = try #require(row["generations"]?.arrayValue).compactMap(\.stringValue)
    #expect(texts.count == 3)
    #expect(row["letters"] == .array(texts.map { .int(Int64($0.utf8.count)) }))
    let table = try JSON(parsing: Array(project.text("taken/rows.columns.json").utf8))
    #expect(table["letters"] == ["per": "sample"] && table["prompt"] == ["per": "row"])
    // Declared otherwise, the same bytes are another input.
    try project.write(experiment("letters"), to: "x.yaml")
    try #require(project.plumb("run x.yaml").status == 0)
    #expect(project.plumb("logs pool").output.contains("warning: column `letters`"))
  }

  @Test func `an input that collects is a word for each artifact, in order`() throws {
    let project = try CommandsFixture()
    try project.write(
      "{\"id\": \"a\", \"prompt\": \"x\"}\n{\"id\": \"b\", \"prompt\": \"y\"}\n", to: "rows.jsonl")
    try project.write(
      """
      version: 1
      name: collecting
      stages:
        rows: {matrix: {n: [1, 2]}, uses: data, with: {path: rows.jsonl, prompt: "{prompt}", id: id, limit: $n}}
        words: &both
          uses: command
          in: {rows: rows}
          with:
            run: [sh, -c, 'cat "$@" > "$0"', "{out.file}", "{in.rows}"]
            inputs: [{name: rows, collects: true}]
            outputs: [{name: file, type: file}]
        line:
          <<: *both
          with:
            run: ["cat {in.rows} > {out.file}"]
            shell: true
            inputs: [{name: rows, collects: true}]
            outputs: [{name: file, type: file}]
      """, to: "x.yaml")
    #expect(project.plumb("run x.yaml").status == 0)
    for stage in ["words", "line"] {
      #expect(project.plumb("export x.yaml::\(stage) \(stage)").status == 0)
      let ids = project.text("\(stage)/file").split(separator: "\n").compactMap {
        (try? JSON(parsing: String($0)))?["id"]?.stringValue
      }
      #expect(ids == ["a", "a", "b"])
    }
  }

  @Test func `what is carried as null is no path for the program, and several outputs have names and types`()
    throws
  {
    let project = try CommandsFixture()
    try project.write("{\"id\": \"a\", \"prompt\": \"x\"}\n", to: "rows.jsonl")
    try project.write(
      """
      version: 1
      name: carried
      stages:
        rows: {uses: data, with: {path: rows.jsonl, id: id}}
        turns:
          loop:
            times: 2
            carry: {old: {first: null, next: words.list}}
          stages:
            words:
              uses: command
              in: {rows: rows, old: old}
              with:
                run: [sh, -c, 'echo "$#" > "$0"; printf "{\\"words\\": %s}" "$#" > "$1"; test -z "$2" || cat $(echo "$2" | cut -c7-) >> "$0"', "{out.list}", "{out.count}", "--old={in.old}"]
                inputs: [{name: rows}, {name: old, type: file, required: false}]
                outputs: [{name: list, type: file}, {name: count, type: metrics}]
            line:
              uses: command
              in: {old: old, more: words.list}
              with:
                run: ["set -- {in.old} {in.more}; echo $# > {out.list}"]
                shell: true
                inputs: [{name: old, type: file, required: false}, {name: more, type: file, collects: true, required: false}]
                outputs: [{name: list, type: file}]
      metrics: {words: "turns@last.words.count.words"}

      """, to: "x.yaml")
    let run = project.plumb("run x.yaml")
    #expect(run.status == 0, "\(run)")
    for (stage, text) in [
      ("turns@1.words.list", "1\n"), ("turns@2.words.list", "2\n1\n"), ("turns@1.line", "1\n"),
      ("turns@2.line", "2\n"),
    ] {
      #expect(project.plumb("export x.yaml::\(stage) \(stage)").status == 0)
      #expect(project.text("\(stage)/list") == text, "\(stage)")
    }
    #expect(project.plumb("rows turns@2.words.count --json").output == "{\"words\":2}\n")
  }

  @Test func `streamed rows come from all that the port collects, and an id that two have is refused`() throws
  {
    let project = try CommandsFixture()
    for (name, ids) in [("one", ["a", "b"]), ("two", ["c"]), ("three", ["b"])] {
      try project.write(
        ids.map { "{\"id\": \"\($0)\", \"prompt\": \"x\"}\n" }.joined(), to: "\(name).jsonl")
    }
    func experiment(_ other: String) -> String {
      """
      version: 1
      name: collecting
      stages:
        one: {uses: data, with: {path: one.jsonl, id: id}}
        other: {uses: data, with: {path: \(other).jsonl, id: id}}
        both:
          uses: command
          in: {rows: [one, other]}
          with:
            run: [cat]
            rows: stream
            inputs: [{name: rows, collects: true}]
            outputs: [{name: rows, columns: [prompt]}]

      """
    }
    try project.write(experiment("two"), to: "x.yaml")
    #expect(project.plumb("run x.yaml").status == 0)
    #expect(project.plumb("export x.yaml::both taken").status == 0)
    let ids = project.text("taken/rows.jsonl").split(separator: "\n").compactMap {
      (try? JSON(parsing: String($0)))?["id"]?.stringValue
    }
    #expect(ids == ["a", "b", "c"])
    try project.write(experiment("three"), to: "x.yaml")
    let failed = project.plumb("run x.yaml")
    #expect(failed.status == 4 && failed.error.contains("row `b` is in `rows` of "), "\(failed.error)")
  }

  @Test func `what is wrong with an input is said of the stage that gave it, not of an object`() throws {
    let project = try CommandsFixture()
    try project.write("{\"id\": \"a\", \"prompt\": \"x\"}\n", to: "rows.jsonl")
    try project.write("{\"id\": \"a\", \"prompt\": \"x\", \"generations\": []}\n", to: "bad.jsonl")
    try project.write(
      """
      version: 1
      name: blame
      stages:
        rows: {uses: data, with: {path: rows.jsonl, id: id}}
        texts:
          uses: command
          in: {rows: rows}
          with:
            run: [cp, bad.jsonl, "{out.rows}"]
            files: [bad.jsonl]
            inputs: [{name: rows}]
            outputs: [{name: rows, columns: [prompt, generations]}]
        total: {uses: evaluate, in: {rows: texts}, with: {metrics: [distinct]}}

      """, to: "x.yaml")
    let failed = project.plumb("run x.yaml")
    #expect(failed.status == 4, "\(failed.error)")
    #expect(failed.error.contains("texts.rows: there are no generations to evaluate"), "\(failed.error)")
    #expect(!failed.error.contains("objects/"), "\(failed.error)")
  }

  @Test func `an input that is wrong is called by the stage that wrote it, with its line`() throws {
    let project = try CommandsFixture()
    try project.write(
      """
      version: 1
      name: x
      stages:
        c: {uses: command, with: {run: ['printf "{\\"id\\":\\"a\\"}\\n" > {out.rows}'], shell: true, outputs: [{name: rows}]}}
        d: {uses: draw, in: {rows: c}, with: {count: 1}}
        e: {uses: evaluate, in: {rows: d}, with: {metrics: [reward]}}
      """, to: "x.yaml")
    let ending = project.plumb("run x.yaml")
    #expect(ending.status == 4, "\(ending)")
    #expect(ending.error.contains("failed  e: d.rows:1:1: "), "\(ending.error)")
    #expect(!ending.error.contains(".plumb/objects"), "\(ending.error)")
  }

  @Test(arguments: [
    ("[nosuchcmd]", "cannot start `nosuchcmd`: it must be on PATH"),
    ("[./there.sh]", "cannot start `./there.sh`: it must be on PATH, or be one of `files`, executable"),
    (
      "[nosuchcmd; exit 127], shell: true",
      "`nosuchcmd; exit 127` ended with status 127: a command was not found (see the log)"
    ),
    ("[env, nosuchcmd]", "`env nosuchcmd` ended with status 127: a command was not found (see the log)"),
    (
      "[sh, -c, exit 126]",
      "`sh -c exit 126` ended with status 126: a command could not be executed (see the log)"
    ),
    (
      "[./plain.txt], files: [plain.txt]",
      "cannot start `./plain.txt`: it must be on PATH, or be one of `files`, executable"
    ),
  ])
  func `a program that is not there is told from one that ends with 126 or 127`(_ run: String, _ said: String)
    throws
  {
    let project = try CommandsFixture()
    try project.write("text\n", to: "plain.txt")
    try project.write(
      "version: 1\nname: x\nstages: {c: {uses: command, with: {run: \(run), outputs: [{name: f, type: file}]}}}\n",
      to: "x.yaml")
    let ending = project.plumb("run x.yaml")
    #expect(ending.status == 1 && ending.error.contains("failed  c: \(said)"), "\(ending.error)")
  }

  /// Temporary folders are free to all, so this proves something only where the tests themselves lie elsewhere.
  private static let elsewhere = (try? ChildProcess.ownExecutable()).map { Path.parent($0) } ?? "/tmp"

  @Test(
    .enabled(
      if: Confinement.isAvailable && !["/tmp/", "/var/tmp/"].contains { elsewhere.hasPrefix($0) },
      "needs a kernel with Landlock, and a checkout that is in no temporary folder"))
  func `a program cannot spoil what it reads`() throws {
    let project = try BuiltPlumb(below: Self.elsewhere)
    // A project of its own, though it lies inside this one.
    #expect(try project.shell("mkdir .plumb;").status == 0)
    try project.write("{\"id\": \"a\", \"prompt\": \"x\"}\n", to: "rows.jsonl")
    try project.write(
      """
      version: 1
      name: spoiling
      stages:
        rows: {uses: data, with: {path: rows.jsonl, prompt: "{prompt}", id: id}}
        spoil:
          uses: command
          in: {rows: rows}
          with:
            run: ["(echo spoiled > {in.rows}); rm -f {in.rows}; cp {in.rows} {out.rows}"]
            shell: true
            inputs: [{name: rows}]
            outputs: [{name: rows}]
      """, to: "x.yaml")
    let ran = try project.run("run x.yaml")
    #expect(ran.status == 0, "\(ran.error)")
    #expect(try project.run("logs spoil").output.contains("ermission denied"))
    #expect(try project.run("cache verify").status == 0)
  }

  @Test func `a key that a program prints is in no log`() throws {
    let project = try CommandsFixture()
    try project.write(
      """
      version: 1
      name: telling
      stages:
        tell:
          uses: command
          with:
            run: ['echo "the key is $API_KEY, $MODE" | tee {out.file} >&2']
            shell: true
            env: [API_KEY, MODE]
            outputs: [{name: file, type: file}]
      """, to: "x.yaml")
    let ran = project.plumb("run x.yaml", before: "API_KEY=canary-5a1c77 MODE=fast")
    #expect(ran.status == 0, "\(ran.error)")
    #expect(project.plumb("logs tell").output == "the key is [API_KEY], fast\n")
  }

  @Test(.enabled(if: hasPython, "needs python3"), arguments: ["", "shards: 3"])
  func `a Python scorer answers row by row, and what changes nothing runs nothing`(more: String) throws {
    let project = try project(more: more)
    let first = run(project)
    #expect(first.status == 0, "\(first.error)")
    #expect(first.output.contains("rows  10\n"), "\(first.output)")
    #expect(project.text("trace").split(separator: "\n").count == 10)
    #expect(run(project).error.contains("nothing to run: all 3 stages cached"))
    // The program's own text is in the key.
    try project.write(Self.scorer + "# changed\n", to: "scorer.py")
    #expect(run(project, "plan x.yaml --check").status == 11)
    let look = run(project, "spin x.yaml total")
    #expect(look.status == 11, "\(look.error)")
    #expect(run(project).error.contains("start   score"))
    let spin = run(project, "spin x.yaml score --output kept")
    #expect(spin.status == 0, "\(spin.error)")
    #expect(spin.output.hasSuffix("/kept/rows.jsonl  identical to the stored result\n"), "\(spin.output)")
    #expect(project.text("kept/rows.jsonl").contains("\"length\""))
  }

  @Test(.enabled(if: hasPython, "needs python3"))
  func `a program that dies loses no answer, and its rows are not asked again`() throws {
    let dying =
      Self.scorer + "\n    if row[\"id\"] == \"r4\" and not os.path.exists(os.environ[\"TRACE\"] + \"2\"):"
      + "\n        open(os.environ[\"TRACE\"] + \"2\", \"w\"); print(\"so long\", file=sys.stderr); sys.exit(3)\n"
    let project = try project(scorer: dying)
    let first = run(project)
    #expect(first.status == 1)
    #expect(
      first.error.contains(
        "failed  score: `python3 scorer.py` ended with status 3 after 5 of 10 rows; finished rows are kept"),
      "\(first.error)")
    #expect(first.error.contains("| so long"), "\(first.error)")
    #expect(first.error.contains("to reproduce: plumb spin x.yaml score\n"), "\(first.error)")
    #expect(run(project).status == 0)
    #expect(project.text("trace").split(separator: "\n").count == 10)
  }

  @Test(
    .enabled(if: hasPython, "needs python3"),
    arguments: [
      ("print('{oops')", "line 1 of the standard output of `python3 scorer.py` is not JSON: "),
      ("print('[1]')", "line 1 of the standard output of `python3 scorer.py` is not an object but "),
      ("print('{\"length\": 1}')", "has no string `id`"),
      ("print('{\"id\": \"zz\", \"length\": 1}')", "answers row `zz`, which it was not given"),
      ("print('{\"id\": \"r0\"}')", "lacks the column `length` for row `r0`"),
      (
        "print('{\"id\": \"r0\", \"length\": 1}\\n' * 2)",
        "line 2 of the standard output of `python3 scorer.py` answers row `r0` again, after line 1"
      ),
      (
        "import sys; sys.stdin.read()",
        "ended with status 0 but did not answer 10 of 10 rows; the first is `r0`"
      ),
      ("import os; os.kill(os.getpid(), 9)", "`python3 scorer.py` was killed by SIGKILL after 0 of 10 rows"),
      ("import no_such_module", "ended with status 1 after 0 of 10 rows"),
    ])
  func `a program that breaks the contract is named with the line and the rule`(text: String, words: String)
    throws
  {
    let project = try project(scorer: text + "\n")
    let result = run(project)
    #expect(result.status == 1)
    #expect(result.error.contains(words), "\(result.error)")
  }

  @Test func `a declared file reaches the program byte for byte, and an undeclared one does not`() throws {
    let project = try CommandsFixture()
    #expect(system("printf 'a\\377\\000b' > '\(project.folder)/bytes.bin'") == 0)
    try project.write(
      """
      version: 1
      name: bytes
      stages:
        copy:
          uses: command
          with:
            run: ["cat bytes.bin > {out.copy}; ls"]
            shell: true
            files: [bytes.bin]
            outputs: [{name: copy, type: file}]

      """, to: "bytes.yaml")
    let result = project.plumb("run bytes.yaml")
    #expect(result.status == 0, "\(result.error)")
    #expect(project.plumb("spin bytes.yaml copy --output kept").error == "bytes.bin\n")
    #expect(system("cmp -s '\(project.folder)/bytes.bin' '\(project.folder)/kept/copy'") == 0)
  }

  @Test func `a variable that is not set is named before anything runs`() throws {
    let project = try project()
    let result = project.plumb("run x.yaml")
    #expect(result.status == 3)
    #expect(
      result.error.contains("`score` needs the environment variable `TRACE`, which is not set or empty"),
      "\(result.error)")
    #expect(!result.error.contains("start"))
  }
}

/// The example that a newcomer copies.
@Suite struct ProgramExampleTests {
  @Test(.enabled(if: CommandStageTests.hasPython, "needs python3"))
  func `the example of Python stages runs`() throws {
    let project = try CommandsFixture()
    let experiments =
      String(#filePath.dropLast("Tests/EndToEndTests/CommandStageTests.swift".utf8.count)) + "experiments"
    #expect(system("cp -r '\(experiments)' '\(project.folder)/experiments'") == 0)
    let result = project.plumb("run experiments/python-scorer.yaml")
    #expect(result.status == 0, "\(result.error)")
    #expect(result.output.contains("letters_per_word"), "\(result.output)")
  }
}

// `plumb rows` as it is called.

import Testing

@Suite struct RowsCommandTests {
  private static let lines = """
    {"id":"a","text":"one\\ttwo","n":1,"in":{"x":0.5},"scores":[0.1,0.9]}
    {"id":"b","text":"back\\\\slash","n":20,"in":{"x":null},"scores":[0.2]}
    {"id":"c","text":"","n":3,"late":true}

    """

  private func fixture() throws -> CommandsFixture {
    let fixture = try CommandsFixture()
    try fixture.write(Self.lines, to: "data.jsonl")
    try fixture.write("text,n\n\"a, b\",1\nc,12\n", to: "data.csv")
    return fixture
  }

  @Test func `a pipe gets lines of fields, a tab between them, whole`() throws {
    let found = try fixture().plumb("rows data.jsonl")
    #expect(found.status == 0 && found.error.isEmpty)
    #expect(
      found.output == """
        id\ttext\tn\tin\tscores\tlate
        a\tone\\ttwo\t1\t{"x":0.5}\t[0.1,0.9]\t
        b\tback\\\\slash\t20\t{"x":null}\t[0.2]\t
        c\t\t3\t\t\ttrue

        """)
  }

  @Test func `no more than the head is shown, and that there is more is said`() throws {
    let found = try fixture().plumb("rows data.jsonl --head 2 --json")
    #expect(found.output == Self.lines.split(separator: "\n").prefix(2).map { $0 + "\n" }.joined())
    #expect(found.error == "the first 2; --head N or --all shows more, --count counts them\n")
    #expect(try fixture().plumb("rows data.jsonl --head 3").error.isEmpty)
  }

  @Test func `a file that is wrong behind the head does not matter to it`() throws {
    let fixture = try fixture()
    try fixture.write(Self.lines + "{", to: "cut.jsonl")
    #expect(fixture.plumb("rows cut.jsonl --head 2").status == 0)
    let all = fixture.plumb("rows cut.jsonl --all")
    #expect(all.status == 4 && all.error.contains("cut.jsonl:4:2: not JSON"), "\(all.error)")
  }

  @Test(arguments: [
    ("n=20", "b"), ("'n>=3'", "b c"), ("'n<3'", "a"), ("'text~slash'", "b"), ("'text!='", "a b"),
    ("text=", "c"),
    ("in.x=0.5", "a"), ("in.x=null", "b"), ("'in.x!=0.5'", "b c"), ("'scores>0.5'", "a"),
    ("'scores<0.3'", "a b"),
    ("late=true", "c"), ("'n>1' --where 'n<10'", "c"), ("n=21", ""),
  ])
  func `conditions choose rows`(condition: String, ids: String) throws {
    let arguments = "rows data.jsonl --where \(condition.replacing("'", with: "\""))"
    let found = try fixture().plumb("\(arguments) --columns id --json")
    let wanted = ids.split(separator: " ")
    #expect(found.output == wanted.map { "{\"id\":\"\($0)\"}\n" }.joined(), "\(found)")
    #expect(try fixture().plumb("\(arguments) --count").output == "\(wanted.count)\n")
  }

  @Test func `numbers in a table of texts are compared as numbers`() throws {
    #expect(
      try fixture().plumb("rows data.csv --where 'n>2' --json").output == "{\"text\":\"c\",\"n\":\"12\"}\n")
    #expect(try fixture().plumb("rows data.csv --columns n,text").output == "n\ttext\n1\ta, b\n12\tc\n")
  }

  @Test(arguments: [
    ("data.jsonl --columns txt", 2, "no row has a field `txt`; did you mean `text`?"),
    ("data.jsonl --where in.y=1", 2, "no row has a field `in.y`; they have `id`, `text`"),
    ("data.jsonl --where 'n>x'", 2, "--where n> needs a number, found x"),
    ("data.jsonl --where n", 2, "--where takes FIELD=VALUE"),
    ("data.jsonl --head 0", 2, "--head must be at least 1"),
    ("data.jsonl --count --stats", 2, "--count and --stats exclude each other"),
    ("data.jsonl --format xml", 2, "--format must be one of parquet, json, csv, tsv, text, jsonl, found xml"),
    ("model", 2, "`model` is a folder"),
    ("nowhere.jsonl", 2, "there is no file `nowhere.jsonl`, and it is no stage of the last run"),
    ("tiny.yaml::hot", 11, "`hot` has not run"), ("tiny.yaml::cool", 2, "has no stage at `cool`"),
  ])
  func `mistakes are named`(arguments: String, status: Int32, words: String) throws {
    let fixture = try fixture()
    try fixture.writeExperiment()
    let found = fixture.plumb("rows \(arguments)")
    #expect(found.status == status && found.output.isEmpty && found.error.contains(words), "\(found)")
  }

  @Test func `a result is found by its address, in the experiment, in its run and in the last run`() throws {
    let fixture = try fixture()
    try fixture.writeExperiment()
    #expect(fixture.plumb("run tiny.yaml").status == 0)
    let found = fixture.plumb("rows tiny.yaml::cold --columns id,prompt")
    #expect(found.output == "id\tprompt\nr1\tsay 1\nr2\tsay 2\nr3\tsay 3\n", "\(found)")
    #expect(fixture.plumb("rows cold --columns id,prompt").output == found.output)
    #expect(fixture.plumb("rows cold.rows --columns id,prompt").output == found.output)
    let run = fixture.shell("ls -d runs/tiny/*").split(separator: "\n").last ?? ""
    #expect(fixture.plumb("rows \(run)::cold --columns id,prompt").output == found.output)
    let metrics = fixture.plumb("rows evaluate")
    #expect(metrics.status == 0 && metrics.output.contains("\"perplexity\":"), "\(metrics)")
    #expect(fixture.plumb("rows coldd").error.contains("there is no file `coldd`"))
  }

  @Test func `statistics count kinds, gaps, different values and sizes`() throws {
    let found = try fixture().plumb("rows data.jsonl --stats")
    #expect(
      found.output == """
        field             values  missing  distinct   least    mean    most
        id                text 3        0         3       1       1       1
        text              text 3        0         3       0   5.667      10
        n              integer 3        0         3       1       8      20
        in.x    number 1, null 1        1         2  0.5000  0.5000  0.5000
        scores            list 2        1         2       1   1.500       2
        late           boolean 1        2         1

        """, "\(found.output)")
    let json = try fixture().plumb("rows data.jsonl --stats --json --columns n")
    #expect(
      json.output
        == "{\"field\":\"n\",\"values\":\"integer 3\",\"missing\":0,\"distinct\":3,\"least\":1,\"mean\":8,\"most\":20}\n"
    )
  }

  @Test func `a reader that stops is no error of ours`() throws {
    let fixture = try fixture()
    let many = (0..<20_000).map { "{\"id\":\"\($0)\",\"text\":\"some text\"}\n" }.joined()
    try fixture.write(many, to: "many.jsonl")
    #expect(fixture.shell("\(fixture.binary) rows many.jsonl --all 2>&1 | head -1") == "id\ttext\n")
  }

  // MARK: Tokens

  /// Conditioned training on two given samples of two classes, beside the stages of `CommandsFixture.experiment`.
  private static let training = CommandsFixture.experiment.replacing(
    "metrics: {",
    with: """
        given: {uses: data, with: {path: given.jsonl, prompt: "{p}", id: id, samples: [generations, quantiles]}}
        train:
          in: {model: m, rows: given}
          with: {lr: 0.001, objective: {kind: sft}, conditioning: {kind: text, prefixes: ["+ ", "- "]}, end: never}
      metrics: {
      """)

  private func trained() throws -> CommandsFixture {
    let fixture = try fixture()
    try fixture.writeExperiment()
    try fixture.write(Self.training, to: "tiny.yaml")
    try fixture.write(
      "{\"id\":\"g\",\"p\":\"Say\",\"generations\":[\" ab\",\"!\"],\"quantiles\":[1,0]}\n", to: "given.jsonl")
    return fixture
  }

  @Test func `the tokens of a stage are those that it gives its model, before it has run`() throws {
    let fixture = try trained()
    let early = fixture.plumb("rows tiny.yaml::cold --tokens")
    #expect(early.status == 11 && early.error.contains("needs `rows`, which is not finished"), "\(early)")
    #expect(fixture.plumb("run tiny.yaml --until rows --until given").status == 0)
    let sample = fixture.plumb("rows tiny.yaml::hot --tokens --json --head 1")
    #expect(
      sample.output
        == "{\"row\":\"r1\",\"ids\":[82,64,88,94,16],\"pieces\":[\"s\",\"a\",\"y\",\" \",\"1\"],\"targets\":[false,false,false,false,false]}\n",
      "\(sample)")
    #expect(sample.error.hasSuffix("the first 1 of 3; --head N or --all shows more\n"))
    // `- Say ab` and `+ Say!`.
    let train = fixture.plumb("rows tiny.yaml::train --tokens")
    #expect(
      train.output == """
        row\tposition\tid\ttarget\tpiece
        g#0\t0\t12\t0\t-
        g#0\t1\t94\t0\t\u{20}
        g#0\t2\t50\t0\tS
        g#0\t3\t64\t0\ta
        g#0\t4\t88\t0\ty
        g#0\t5\t94\t1\t\u{20}
        g#0\t6\t64\t1\ta
        g#0\t7\t65\t1\tb
        g#1\t0\t10\t0\t+
        g#1\t1\t94\t0\t\u{20}
        g#1\t2\t50\t0\tS
        g#1\t3\t64\t0\ta
        g#1\t4\t88\t0\ty
        g#1\t5\t0\t1\t!

        """, "\(train)")
    // Nothing has run, and nothing is left.
    #expect(fixture.shell("ls .plumb/tmp").isEmpty)
    #expect(fixture.plumb("rows tiny.yaml::train").status == 11)
  }

  @Test func `what scorers and metrics give their models is seen too, with what they predict`() throws {
    let fixture = try fixture()
    try fixture.writeExperiment()
    #expect(fixture.plumb("run tiny.yaml").status == 0)
    // The label whose probability is wanted is `a`.
    let judge = fixture.plumb("rows tiny.yaml::judge --tokens --json --head 2")
    let lines = judge.output.split(separator: "\n")
    #expect(
      lines.count == 2 && lines.allSatisfy { $0.contains(",94,64]") && $0.hasSuffix(",false,true]}") },
      "\(judge)")
    #expect(lines.first?.hasPrefix("{\"row\":\"r1#0\",\"ids\":[82,64,88,94,16,") == true)
    let evaluate = fixture.plumb("rows tiny.yaml::evaluate --tokens --head 1")
    #expect(evaluate.output.contains("r1\t4\t16\t0\t1\nr1\t5\t"), "\(evaluate)")
  }

  @Test func `rows of any file are shown as tokens of a model that is named`() throws {
    let fixture = try fixture()
    let fields = fixture.plumb("rows data.jsonl --tokens -m model --columns text --head 1")
    #expect(fields.output.hasPrefix("row\tposition\tid\ttarget\tpiece\na text\t0\t78\t0\to\n"), "\(fields)")
    try fixture.write("{\"id\":\"g\",\"prompt\":\"a\",\"generations\":[\"b\",\"c\"]}\n", to: "given.jsonl")
    let whole = fixture.plumb("rows given.jsonl --tokens -m model/tokenizer.json --json")
    #expect(
      whole.output == """
        {"row":"g#0","ids":[64,65],"pieces":["a","b"],"targets":[false,true]}
        {"row":"g#1","ids":[64,66],"pieces":["a","c"],"targets":[false,true]}

        """, "\(whole)")
  }

  @Test(arguments: [
    ("data.jsonl --tokens", "--tokens takes a stage, EXPERIMENT.yaml::STAGE, found `data.jsonl`"),
    ("data.jsonl --tokens -m model", "`a` has no text `prompt`; name the fields to show: --columns FIELD"),
    ("data.jsonl --tokens -m model --columns n", "`a`: the field `n` is no text"),
    ("data.jsonl -m model", "--model needs --tokens"),
    ("tiny.yaml::rows --tokens", "`rows` gives no rows to a model; with `-m MODEL`"),
    ("tiny.yaml::cold --tokens --columns id", "--columns and --where need --model"),
  ])
  func `mistakes about tokens are named`(arguments: String, words: String) throws {
    let fixture = try fixture()
    try fixture.writeExperiment()
    let found = fixture.plumb("rows \(arguments)")
    #expect(found.status == 2 && found.error.contains(words), "\(found)")
  }
}

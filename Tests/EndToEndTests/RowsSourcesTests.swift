// What `plumb rows` reads beside one file and a result: patterns, folders of the hub's layout, and its data sets.

import Testing

@Suite struct RowsSourcesTests {
  private func fixture() throws -> CommandsFixture {
    let fixture = try CommandsFixture()
    _ = fixture.shell("mkdir -p data/hub/data")
    for (name, ids) in [
      ("b", "3"), ("a", "12"), ("hub/data/train-00000-of-00001", "45"), ("hub/data/test-00000-of-00001", "6"),
    ] {
      try fixture.write(ids.map { "{\"id\":\"\($0)\",\"n\":\($0)}\n" }.joined(), to: "data/\(name).jsonl")
    }
    return fixture
  }

  private func ids(_ fixture: CommandsFixture, _ arguments: String) -> [String] {
    let found = fixture.plumb("rows \(arguments) --columns id")
    return found.status == 0 ? found.output.split(separator: "\n").dropFirst().map(String.init) : ["\(found)"]
  }

  @Test func `a pattern is read file after file, with every flag`() throws {
    let fixture = try fixture()
    #expect(ids(fixture, "\"data/*.jsonl\"") == ["1", "2", "3"])
    #expect(ids(fixture, "\"data/*.jsonl\" --where 'n>=2'".replacing("'", with: "\"")) == ["2", "3"])
    #expect(ids(fixture, "\"data/[ab].jsonl\" --head 1") == ["1"])
    #expect(fixture.plumb("rows \"data/*.jsonl\" --count").output == "3\n")
    #expect(
      fixture.plumb("rows \"data/*.jsonl\" --all --json --columns n").output
        == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
    #expect(fixture.plumb("rows \"data/*.jsonl\" --stats --columns n").output.contains("integer 3"))
    try fixture.write("id\tn\n7\t8\n", to: "data/x.tsv")
    #expect(ids(fixture, "\"data/*.tsv\"") == ["7"])
    try fixture.write("{\"id\":\"9\"}\n{\n", to: "data/c.jsonl")
    let broken = fixture.plumb("rows \"data/*.jsonl\" --count")
    #expect(broken.status == 4 && broken.error.hasPrefix("error: data/c.jsonl:2:"), "\(broken)")
  }

  @Test func `of a folder the split is read, by its README where that names configurations`() throws {
    let fixture = try fixture()
    #expect(ids(fixture, "data/hub --split train") == ["4", "5"])
    #expect(ids(fixture, "data/hub/ --split test --where n=6") == ["6"])
    #expect(fixture.plumb("rows data/hub --split train --count").output == "2\n")
    try fixture.write(
      "---\nconfigs:\n- config_name: small\n  data_files: data/test-*\n- config_name: large\n---\n",
      to: "data/hub/README.md")
    #expect(ids(fixture, "data/hub --config small") == ["6"])
  }

  @Test(arguments: [
    (
      "data/hub",
      "the command names the folder `data/hub`, which has the splits `train`, `test`; add `--split train`"
    ),
    ("data/hub --split tests", "which has no split `tests`, but `train`, `test`; did you mean `test`?"),
    ("data/hub --config x --split test", "names no configurations in a README.md"),
    ("\"data/*.none\"", "the command names `data/*.none`, which matches no file"),
    ("\"none/*.jsonl\"", "matches no file"),
    ("data/a.jsonl --split train", "`split` chooses among the files of a folder"),
    ("\"data/*.jsonl\" --split train", "`split` chooses among the files of a folder"),
    (
      "quark@1.pool --split train",
      "--split chooses among the files of a folder or a data set; `quark@1.pool` is neither"
    ),
    ("empty", "the command names the folder `empty`, which is empty"),
    ("model", "`model` is a folder with a model"),
    ("hf:datasets/x", "expected hf:datasets/OWNER/NAME@REVISION"),
  ])
  func `mistakes are named`(arguments: String, words: String) throws {
    let fixture = try fixture()
    _ = fixture.shell("mkdir empty")
    let found = fixture.plumb("rows \(arguments)")
    #expect(found.status == 2 && found.output.isEmpty && found.error.contains(words), "\(found)")
  }

  @Test func `a mistake in a README has its place`() throws {
    let fixture = try fixture()
    try fixture.write("---\nconfigs:\n- config_name: [a]\n---\n", to: "data/hub/README.md")
    let found = fixture.plumb("rows data/hub")
    #expect(found.status == 2 && found.error.contains("data/hub/README.md:3:"), "\(found)")
  }

  @Test func `a data set of a hub is fetched once and read`() throws {
    let hub = try LoopbackHub()
    _ = hub.place.shell("mkdir -p sets/tldr/data")
    for (name, id) in [("train", "a"), ("test", "b")] {
      try hub.place.write("{\"id\":\"\(id)\"}\n", to: "sets/tldr/data/\(name)-00000-of-00001.jsonl")
    }
    func rows(_ arguments: String) -> String {
      let found = hub.plumb("rows \(arguments) --json")
      return found.status == 0 ? found.output : "\(found)"
    }
    #expect(rows("hf:datasets/owner/tldr@main --split train") == "{\"id\":\"a\"}\n")
    // What was fetched of this commit is not fetched again, and of a commit nothing is asked at all.
    func fetched() -> Int { hub.requests.count { $0.contains("/resolve/") } }
    #expect(fetched() == 1 && hub.requests.count == 2)
    #expect(rows("hf:datasets/owner/tldr@main --split train --head 1") == "{\"id\":\"a\"}\n")
    #expect(fetched() == 1 && hub.requests.count == 3)
    #expect(rows("hf:datasets/owner/tldr@\(LoopbackHub.commit) --split train") == "{\"id\":\"a\"}\n")
    #expect(hub.requests.count == 3)
    #expect(rows("hf:datasets/owner/tldr@main/data/test-00000-of-00001.jsonl") == "{\"id\":\"b\"}\n")
    try hub.place.write(
      "---\nconfigs:\n- config_name: odd\n  data_files: data/test-*\n---\n", to: "sets/tldr/README.md")
    #expect(rows("hf:datasets/owner/tldr@main") == "{\"id\":\"b\"}\n")
    #expect(rows("hf:datasets/owner/tldr@main --config odd --split train") == "{\"id\":\"b\"}\n")
    let unknown = hub.plumb("inspect hf:datasets/owner/tldr@main --config even")
    #expect(
      unknown.status == 4 && unknown.error.contains("has no configuration `even`, but `odd`"), "\(unknown)")
    try hub.place.write(
      "---\nconfigs:\n- config_name: odd\n  data_files: {}\n---\n", to: "sets/tldr/README.md")
    try hub.place.write(String(repeating: "ab", count: 20), to: "sets/tldr.commit")
    let wrong = hub.plumb("inspect hf:datasets/owner/tldr@main")
    #expect(wrong.status == 4 && wrong.error.contains("README.md:4:"), "\(wrong)")
  }
}

// An option that names data files: patterns, folders and lists, their order, their keys, and what is wrong with them.

import Glibc
import Runner
import System
import Testing

@Suite struct DataFilesTests {
  let project: TemporaryProject

  init() throws {
    project = try TemporaryProject()
    for name in ["data/deep/er", "hub/data", "empty", "other"] {
      try File.makeDirectory("\(project.folder)/\(name)")
    }
    for name in ["b", "a", "B", "10", "9"] {
      try project.write("data/\(name).jsonl", "{\"prompt\": \"\(name)\"}\n")
    }
    try project.write("data/deep/er/c.jsonl", "{}\n")
    try project.write("data/.hidden.jsonl", "{}\n")
    try project.write("hub/README.md", "# a\n")
    try project.write("hub/data/train-00001-of-00002.jsonl", "{\"n\": 1}\n")
    try project.write("hub/data/train-00000-of-00002.jsonl", "{\"n\": 0}\n")
    try project.write("hub/data/test-00000-of-00001.jsonl", "{\"n\": 2}\n")
    try project.write("empty/notes.md", "none\n")
  }

  private func text(_ with: String) -> String {
    "version: 1\nname: x\nstages:\n  rows: {uses: data, with: {\(with)}}\n"
  }

  private func node(_ with: String) throws -> PlanNode {
    try #require(try project.plan(text(with)).nodes.first)
  }

  private func paths(_ with: String) throws -> [String] {
    try node(with).files.flatMap(\.paths).map { String($0.dropFirst(project.folder.count + 1)) }
  }

  private func problem(_ with: String) throws -> String {
    try project.write("x.yaml", text(with))
    return project.diagnostics("x.yaml")
  }

  @Test func `files are read in the order of their names' bytes, the entries of a list as they stand`() throws
  {
    #expect(
      try paths("path: data/*.jsonl")
        == ["data/10.jsonl", "data/9.jsonl", "data/B.jsonl", "data/a.jsonl", "data/b.jsonl"])
    #expect(try paths("path: 'data/[ab].jsonl'") == ["data/a.jsonl", "data/b.jsonl"])
    #expect(try paths("path: ./data/**/c.*") == ["data/deep/er/c.jsonl"])
    #expect(try paths("path: [data/b.jsonl, data/a*]") == ["data/b.jsonl", "data/a.jsonl"])
    #expect(try paths("path: '*/.h*'") == ["data/.hidden.jsonl"])
    #expect(try paths("path: empty/../data/B*") == ["data/B.jsonl"])
  }

  @Test func `a file that is called like a pattern is that file`() throws {
    try project.write("data/[ab].jsonl", "{}\n")
    #expect(try paths("path: 'data/[ab].jsonl'") == ["data/[ab].jsonl"])
  }

  @Test func `of a folder the files of the split are read`() throws {
    let train = ["hub/data/train-00000-of-00002.jsonl", "hub/data/train-00001-of-00002.jsonl"]
    #expect(try paths("path: hub, split: train") == train)
    #expect(try paths("path: hub/, split: test") == ["hub/data/test-00000-of-00001.jsonl"])
    #expect(try paths("path: [data/a.jsonl, hub], split: train") == ["data/a.jsonl"] + train)
    #expect(try paths("path: data/deep") == ["data/deep/er/c.jsonl"])
  }

  @Test func `a key holds contents, never names, places or the split`() throws {
    try project.write("other/x.jsonl", "{\"n\": 0}\n")
    try project.write("other/y.jsonl", "{\"n\": 1}\n")
    let key = try node("path: hub, split: train").recipeKey
    #expect(try node("path: other/*").recipeKey == key)
    #expect(try node("path: [other/x.jsonl, other/y.jsonl]").recipeKey == key)
    #expect(try node("path: [other/y.jsonl, other/x.jsonl]").recipeKey != key)
    #expect(try node("path: other/x.jsonl").recipeKey != key)
    let one = try node("path: other/x.jsonl").recipeKey
    #expect(try node("path: [other/x.jsonl]").recipeKey == one)
    #expect(try node("path: other/x*").recipeKey == one)
    // As before patterns were known.
    #expect(
      try node("path: other/x.jsonl").options.text()
        == "{\"path\":\"\(project.folder)/other/x.jsonl\",\"prompt\":\"{prompt}\",\"limit\":null}")
  }

  @Test func `what is wrong is said with its place`() throws {
    func expect(_ with: String, _ words: String...) throws {
      let found = try problem(with)
      #expect(found.hasPrefix("error[") && found.contains("x.yaml:4:"), "\(found)")
      for word in words { #expect(found.contains(word), "\(found)") }
    }
    try expect(
      "path: data/*.parquet", "missing-file", "names `data/*.parquet`, which matches no file",
      "looked in `data`")
    try expect("path: nowhere/*.jsonl", "which matches no file")
    try expect("path: 'data/[x.jsonl'", "which cannot be read: no such file")
    try expect("path: ../*/*.jsonl", "outside-project")
    try expect("path: data/*/../../*.x", "in which `..` stands after a pattern")
    try expect("path: data/*", "not-a-file", "names `data/*`, which matches the folder `deep`")
    try expect(
      "path: empty", "not-a-file", "names the folder `empty`, which holds no data files, but `notes.md`",
      "`.parquet`")
    try expect("path: hub", "missing-key", "which has the splits `train`, `test`", "add `split: train`")
    try expect("path: hub, split: tests", "unknown-choice", "has no split `tests`", "did you mean `test`?")
    try expect("path: data/a.jsonl, split: train", "conflicting-options", "but `path` names files")
    try expect("path: [data/a.jsonl, data/*.jsonl]", "wrong-value", "names `data/a.jsonl` twice")
    try expect("path: []", "must be at least one file")
    try expect("path: [data/a.jsonl, 3]", "wrong-type")
    try expect(
      "path: {hf: datasets/o/n@main}", "missing-key", "lacks the key `sha256`",
      "inspect hf:datasets/o/n@main`")
    try expect("path: hub, split: [a]", "wrong-type")
  }

  @Test func `a link, a pipe and a file that vanished are said as such`() throws {
    #expect(symlink("/etc/hosts", "\(project.folder)/data/l.jsonl") == 0)
    #expect(try problem("path: data/l*").contains("names `data/l.jsonl`, which lies outside the project"))
    #expect(
      unlink("\(project.folder)/data/l.jsonl") == 0
        && symlink("nothing", "\(project.folder)/data/l.jsonl") == 0)
    #expect(try problem("path: data/l*").contains("names `data/l.jsonl`, which cannot be read: no such file"))
    #expect(
      unlink("\(project.folder)/data/l.jsonl") == 0
        && symlink("a.jsonl", "\(project.folder)/data/l.jsonl") == 0)
    #expect(try paths("path: data/l*") == ["data/l.jsonl"])
    #expect(try problem("path: 'data/[al].jsonl'").contains("names `data/l.jsonl` twice"))
    #expect(mkfifo("\(project.folder)/data/p.jsonl", 0o600) == 0)
    #expect(try problem("path: data/p*").contains("must name files, `data/p.jsonl` is a named pipe"))
    #expect(symlink("..", "\(project.folder)/data/deep/up") == 0)
    #expect(try problem("path: data/**/c.jsonl").contains("folders deep"))
  }
}

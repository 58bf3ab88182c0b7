// `configs:` of a folder's README: which files are read, and what is wrong with it, by its place.

import Glibc
import Runner
import System
import Testing

@Suite struct HubConfigurationsTests {
  let project: TemporaryProject

  init() throws {
    project = try TemporaryProject()
    for name in ["en/train-0", "en/train-1", "en/test", "fr/x", "all"] {
      try File.makeDirectory("\(project.folder)/hub/\(Path.parent(name))")
      try project.write("hub/\(name).jsonl", "{\"prompt\": \"\(name)\"}\n")
    }
  }

  private func readme(
    _ yaml: String, before: String = "---\nlicense: mit\n", after: String = "tags: [a, *b]\n---\n# Card\n"
  ) throws {
    try project.write("hub/README.md", before + yaml + after)
  }

  private func text(_ with: String) -> String {
    "version: 1\nname: x\nstages:\n  rows: {uses: data, with: {path: hub\(with)}}\n"
  }

  private func names(_ with: String = "") throws -> [String] {
    try #require(try project.plan(text(with)).nodes.first).files.flatMap(\.paths).map {
      String($0.dropFirst("\(project.folder)/hub/".count))
    }
  }

  private func problem(_ with: String = "") throws -> String {
    try project.write("x.yaml", text(with))
    return project.diagnostics("x.yaml")
  }

  private static let two = """
    configs:
    - config_name: en
      data_files:
      - split: train
        path: en/train-*.jsonl
      - {split: test, path: [en/test.jsonl]}
    # a remark
    - config_name: fr
      data_files: "fr/*"
      default: true

    """

  @Test func `the configuration that is asked for is read, or the default`() throws {
    try readme(Self.two)
    #expect(try names() == ["fr/x.jsonl"])
    #expect(try names(", config: fr, split: train") == ["fr/x.jsonl"])
    #expect(try names(", config: en, split: train") == ["en/train-0.jsonl", "en/train-1.jsonl"])
    #expect(try names(", config: en, split: test") == ["en/test.jsonl"])
    #expect(try problem(", config: en").contains("which has the splits `train`, `test`"))
    #expect(try problem(", config: en, split: tests").contains("has no split `tests`"))
    let unknown = try problem(", config: fn")
    #expect(
      unknown.contains("error[unknown-choice]")
        && unknown.contains("has no configuration `fn`, but `en`, `fr`"))
  }

  @Test(arguments: [
    (
      "configs:\n- config_name: default\n  data_files: [fr/x.jsonl, en/test.jsonl, 'fr/*']\n",
      ["fr/x.jsonl", "en/test.jsonl"]
    ),
    (
      "configs:\n  - config_name: only\n    data_dir: ./en/\n    data_files: {train: 'train-*'}\n",
      ["en/train-0.jsonl", "en/train-1.jsonl"]
    ),
    ("configs:\n- config_name: only\n  data_dir: fr\n", ["fr/x.jsonl"]),
    ("configs:\n- config_name: 2024\n  data_files: '**/x.*'\n  drop_labels: true\n", ["fr/x.jsonl"]),
  ])
  func `files are named as the hub lets them be named`(yaml: String, files: [String]) throws {
    try readme(yaml)
    #expect(try names() == files)
  }

  @Test func `a README without configurations changes nothing, whatever else it holds`() throws {
    for text in [
      "# configs:\n", "---\ntitle: [\n---\n", "---\nconfigs: \n---\n", "configs:\n- 1\n", "---\nconfigs: x",
      "no",
    ] {
      try project.write("hub/README.md", text)
      #expect(try problem(", split: test") == "", "\(text)")
      #expect(try problem(", config: x, split: test").contains("names no configurations in a README.md"))
    }
  }

  @Test(arguments: [
    (
      "configs: 1\n", "hub/README.md:3",
      "`configs` of `hub/README.md` must be a list of 1 to 10000 configurations"
    ),
    ("configs: []\n", "hub/README.md:3", "a list of 1 to 10000 configurations"),
    ("configs:\n- text\n", "hub/README.md:4", "a mapping with `config_name` and `data_files`"),
    ("configs:\n- data_files: x\n", "hub/README.md:4", "lacks the key `config_name`"),
    ("configs:\n- config_name: a\n- config_name: a\n", "hub/README.md:5", "has the configuration `a` twice"),
    (
      "configs:\n- config_name: a\n  data_files: [{split: x}]\n", "hub/README.md:5",
      "`{split: NAME, path: PATTERN}`"
    ),
    (
      "configs:\n- config_name: a\n  data_files: [{split: x, path: a}, {split: x, path: b}]\n",
      "hub/README.md:5", "has the split `x` twice"
    ),
    ("configs:\n- config_name: a\n  data_files: [[x]]\n", "hub/README.md:5", "a pattern of file names"),
    ("configs:\n- config_name: a\n  data_dir: [x]\n", "hub/README.md:5", "the name of a folder"),
    ("configs:\n- {config_name: a\n", "hub/README.md:", "error[syntax]"),
  ])
  func `what is wrong is refused with its place`(yaml: String, place: String, words: String) throws {
    try readme(yaml)
    let found = try problem()
    #expect(found.contains(place) && found.contains(words), "\(found)")
  }

  @Test(arguments: [
    ("configs:\n- {config_name: a, data_files: ../secret.jsonl}\n", "has no file `../secret.jsonl`"),
    (
      "configs:\n- {config_name: a, data_files: 'https://host/x.jsonl'}\n",
      "has no file `https:/host/x.jsonl`"
    ),
    ("configs:\n- {config_name: a, data_files: none*}\n", "has no file `none*`"),
    ("configs:\n- {config_name: a, data_dir: none}\n", "has no file `none`"),
    ("configs:\n- {config_name: a}\n- {config_name: b}\n", "has the configurations `a`, `b`"),
  ])
  func `files that are not there, and several configurations without a default, are refused`(
    yaml: String, words: String
  ) throws {
    try project.write("secret.jsonl", "{}\n")
    try readme(yaml)
    let found = try problem()
    #expect(found.contains(words), "\(found)")
  }

  @Test func `a README that would cost much is refused or not looked at`() throws {
    try readme("configs:\n- config_name: a\n  data_files: \(String(repeating: "[", count: 10_000))\n")
    #expect(try problem().contains("error["))
    try readme("configs:\n- &a {config_name: a}\n" + String(repeating: "- *a\n", count: 300_000))
    #expect(try problem().contains("error["))
    try project.write("hub/README.md", "---\n" + String(repeating: "x", count: 5 << 20))
    #expect(
      try problem(", split: test").contains(
        "the YAML at the top of `hub/README.md` has more than 4194304 bytes"))
    try project.write("hub/README.md", "---\n---\n" + String(repeating: "x", count: 5 << 20))
    #expect(try problem(", split: test") == "")
    let many = (0..<200_000).map { "'\($0)*', " }.joined()
    try readme("configs:\n- config_name: a\n  data_files: [\(many)]\n")
    #expect(try problem().contains("error["))
  }

  @Test func `a folder with nothing but a script says so`() throws {
    try File.makeDirectory("\(project.folder)/old")
    try project.write("old/old.py", "import datasets\n")
    try project.write("x.yaml", text("").replacing("path: hub", with: "path: old"))
    let found = project.diagnostics("x.yaml")
    #expect(
      found.contains("holds no data files, but a script that loads them from elsewhere: `old.py`")
        && found.contains("scripts are not run"), "\(found)")
  }
}

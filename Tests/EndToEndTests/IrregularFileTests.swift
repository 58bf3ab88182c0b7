// What is no regular file, wherever a file is read: the exit code, the place and the kind, and never a wait for it.

import Testing

@Suite struct IrregularFileTests {
  let place: CommandsFixture

  init() throws {
    place = try CommandsFixture()
    try place.writeExperiment()
  }

  /// After the file was made anew as a named pipe, which nobody writes.
  private func plumb(_ arguments: String, piped file: String) -> (
    status: Int32, output: String, error: String
  ) {
    place.plumb(arguments, before: "rm -rf \(file); mkfifo \(file); timeout 60")
  }

  @Test(arguments: ["check", "plan", "run", "config", "explain-node"])
  func `an experiment that is a named pipe is refused`(_ command: String) {
    let ending = plumb("\(command) tiny.yaml\(command == "explain-node" ? " rows" : "")", piped: "tiny.yaml")
    #expect(ending.status == 3, "\(ending)")
    #expect(ending.error.contains("error[not-a-file]: `tiny.yaml` is a named pipe"), "\(ending.error)")
    #expect(ending.error.contains("help: what another program writes is read from standard input: `-`"))
  }

  @Test(arguments: [
    ("extends: base.yaml\nname: x\n", "base.yaml", "x.yaml:1:10"),
    ("version: 1\nname: x\ninclude: [base.yaml]\nstages: {}\n", "base.yaml", "x.yaml:3:11"),
    (
      "version: 1\nname: x\nstages: {d: {uses: data, with: {path: rows.jsonl, prompt: a}}}\n", "rows.jsonl",
      "x.yaml:3:39"
    ),
    (
      "version: 1\nname: x\nstages: {c: {uses: command, with: {run: [ls], files: [p.py], outputs: [{name: rows}]}}}\n",
      "p.py",
      "x.yaml:3:55"
    ),
    ("version: 1\nname: x\nmodels: {m: {path: m.gguf}}\nstages: {}\n", "m.gguf", "x.yaml:3:20"),
  ])
  func `a file that an experiment names is refused at its place`(
    _ text: String, _ file: String, _ span: String
  )
    throws
  {
    try place.write(text, to: "x.yaml")
    let ending = plumb("check x.yaml", piped: file)
    #expect(ending.status == 3, "\(ending)")
    #expect(
      ending.error.contains("is a named pipe") && ending.error.contains("--> \(span)\n"), "\(ending.error)")
    let device = place.plumb("check x.yaml", before: "rm \(file); ln -s /dev/zero \(file); timeout 60")
    #expect(device.status == 3, "\(device)")
  }

  @Test(arguments: ["config.json", "tokenizer.json", "model.safetensors"])
  func `a named pipe in a model's folder is refused`(_ file: String) {
    for command in ["run tiny.yaml", "inspect model", "try model --prompt a"] {
      let ending = plumb(command, piped: "model/\(file)")
      #expect(ending.status == 4, "\(command): \(ending)")
      #expect(
        ending.error.contains("model/\(file)") && ending.error.contains("a named pipe"), "\(ending.error)")
    }
  }

  @Test func `a link in a model's folder is followed wherever it leads, and one that leads nowhere is named`()
    throws
  {
    // As in the hub's own cache: names in one folder, bytes in another, here outside the project.
    let outside =
      "mkdir -p p/.git p/snapshot && mv model blobs && cp tiny.yaml rows.jsonl p && (cd p/snapshot && ln -s ../../blobs/[cmt]* .) && cd p"
    try place.write(
      CommandsFixture.experiment.replacing("path: model", with: "path: snapshot"), to: "tiny.yaml")
    let followed = place.plumb("run tiny.yaml", before: "\(outside) &&")
    #expect(followed.status == 0, "\(followed.error)")
    let dangling = place.plumb("run tiny.yaml", before: "cd p && ln -s /nonexistent snapshot/link &&")
    #expect(dangling.status == 4, "\(dangling)")
    #expect(
      dangling.error.contains("error: model `m`: the link `")
        && dangling.error.contains("snapshot/link` points to nothing"), "\(dangling)")
    let circle = place.plumb("run tiny.yaml", before: "cd p && ln -sf link snapshot/link &&")
    #expect(circle.status == 4 && circle.error.contains("snapshot/link` points back to itself"), "\(circle)")
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
      let secret = place.plumb(
        "run tiny.yaml",
        before:
          "cd p && rm -f snapshot/link && echo sesame > ../secret && ln -sf ../../secret snapshot/\(name) &&")
      #expect(
        secret.status == 4 && !secret.error.contains("sesame") && !secret.error.contains("73 65"), "\(secret)"
      )
      _ = place.plumb("--version", before: "ln -sf ../../blobs/\(name) p/snapshot/\(name);")
    }
  }

  @Test func `a named pipe that a program leaves as its output is refused`() throws {
    try place.write(
      "version: 1\nname: x\nstages: {c: {uses: command, with: {run: [mkfifo, '{out.rows}'], outputs: [{name: rows}]}}}\n",
      to: "x.yaml")
    let ending = place.plumb("run x.yaml", before: "timeout 60")
    #expect(ending.status == 1 && ending.error.contains("a named pipe"), "\(ending)")
  }

  @Test func `a named pipe as a file is refused by inspect and by a result's address`() {
    let inspected = plumb("inspect p", piped: "p")
    #expect(inspected.status == 4 && inspected.error.contains("found a named pipe"), "\(inspected)")
    let exported = plumb("export p::rows nowhere", piped: "p")
    #expect(exported.status == 3 && exported.error.contains("`p` is a named pipe"), "\(exported)")
  }
}

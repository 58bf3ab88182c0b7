// `plumb new-stage`: what it writes and what it refuses. That the package builds and runs is held by `make new-stage`.

import Runner
import System
import Testing

@Suite struct NewStageTests {
  let plumb: BuiltPlumb
  init() throws { plumb = try BuiltPlumb() }

  @Test func `the package holds a stage, a program, a test and an experiment, and nothing is overwritten`()
    throws
  {
    let made = try plumb.run("new-stage keep-long keep")
    #expect(made.status == 0 && made.output.isEmpty, "\(made.error)")
    #expect(made.error.contains("cd keep") && made.error.contains("swift build -c release"))
    let stage = plumb.text("keep/Sources/KeepLong/KeepLongStage.swift")
    #expect(stage.contains("struct KeepLongStage: Stage") && stage.contains("name: \"keep-long\""))
    #expect(
      plumb.text("keep/Sources/Program/main.swift").contains("Plumb.main(stages: [KeepLongStage.self])"))
    #expect(plumb.text("keep/Tests/KeepLongTests/KeepLongStageTests.swift").contains("@Test"))
    // The stage is this program's own only once the package is built.
    let check = try plumb.run("check keep/experiment.yaml")
    #expect(check.status == 3 && check.error.contains("no plug-in is called `keep-long`"), "\(check.error)")
    #expect(check.error.components(of: "error[") == 1, "\(check.error)")

    try File.remove("\(plumb.folder)/keep/README.md")
    let again = try plumb.run("new-stage keep-long keep")
    #expect(again.status == 2 && again.error.contains("Package.swift` already exists"), "\(again.error)")
    #expect(plumb.text("keep/README.md").isEmpty)
  }

  @Test
  func `the manifest is one that SwiftPM reads, and finds Plumb where it was built or where it is told`()
    throws
  {
    #expect(try plumb.run("new-stage keep-long near").status == 0)
    let root = String(#filePath.dropLast("/Tests/EndToEndTests/NewStageTests.swift".utf8.count))
    #expect(
      plumb.text("near/Package.swift").contains("path: \"\(root)\""), "\(plumb.text("near/Package.swift"))")
    let far = try plumb.run("new-stage keep-long far --plumb https://example.com/tools/plumb-line.git")
    #expect(far.status == 0, "\(far.error)")
    let manifest = plumb.text("far/Package.swift")
    #expect(manifest.contains("url: \"https://example.com/tools/plumb-line.git\""))
    #expect(manifest.contains("package: \"plumb-line\""))
    let read = try ChildProcess.run(
      "swift", arguments: ["package", "--package-path", "\(plumb.folder)/near", "dump-package"],
      environment: ChildProcess.chosenEnvironment(["PATH", "HOME", "LD_LIBRARY_PATH"]))
    #expect(read.ending == .exited(0), "\(read)")
  }

  @Test(arguments: [
    ("Keep", "cannot name a stage"), ("keep--long", "cannot name a stage"), ("1st", "cannot name a stage"),
    ("../keep", "cannot name a stage"), ("draw", "there is a stage `draw` already"),
    ("models", "the Swift module `Models`"), ("keep --plumb /tmp", "does not hold Plumb's Package.swift"),
  ]) func `is refused`(_ words: String, _ why: String) throws {
    let parts = words.split(separator: " ", maxSplits: 1).map(String.init)
    let made = try plumb.run("new-stage '\(parts[0])' there \(parts.count > 1 ? parts[1] : "")")
    #expect(made.status == 2 && made.error.contains(why), "\(made.error)")
    #expect(FileStatus.of("\(plumb.folder)/there") == nil)
  }
}

extension String {
  /// How often `part` stands in it.
  fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}

// docs/reference is what the program says of itself today; and the commands that say it.

import Glibc
import Runner
import System
import Testing

@Suite struct ReferenceTests {
  let plumb: BuiltPlumb
  init() throws { plumb = try BuiltPlumb() }

  /// The package's own folder.
  static let package = Path.parent(Path.parent(Path.parent(#filePath)))

  private func checkedIn(_ name: String) throws -> String {
    String(decoding: try File.read("\(Self.package)/docs/reference/\(name)"), as: UTF8.self)
  }

  @Test func `the pages of the stages are current`() throws {
    #expect(try plumb.run("stages --markdown new").status == 0)
    let names = try File.names(in: "\(plumb.folder)/new")
    #expect(names.count > 8)
    #expect(try File.names(in: "\(Self.package)/docs/reference/stages") == names, "run `make docs`")
    for name in names {
      #expect(try checkedIn("stages/\(name)") == plumb.text("new/\(name)"), "run `make docs`")
    }
  }

  @Test func `the page of mistakes is current`() throws {
    #expect(try plumb.run("explain --markdown").output == checkedIn("mistakes.md"), "run `make docs`")
  }

  @Test func `the schema and the page of the language are current`() throws {
    #expect(try plumb.run("schema").output == checkedIn("experiment.schema.json"), "run `make docs`")
    #expect(try plumb.run("schema --markdown").output == checkedIn("experiment.md"), "run `make docs`")
  }

  @Test(
    .enabled(
      if: system("python3 -c 'import jsonschema' 2>/dev/null") == 0,
      "python3 with jsonschema is not installed"))
  func `every experiment of the project passes the schema`() throws {
    let folder = "\(Self.package)/experiments"
    let names = try Manifest.files(below: folder, followingLinks: false).filter { $0.hasSuffix(".yaml") }
    #expect(!names.isEmpty)
    try plumb.write(plumb.run("schema").output, to: "schema.json")
    for name in names {
      let json = try plumb.run("yaml json '\(folder)/\(name)'")
      #expect(json.status == 0)
      // What others include is no experiment.
      if !["\"version\":", "\"extends\":"].contains(where: { json.output.contains($0) }) { continue }
      try plumb.write(json.output, to: "instance.json")
      try plumb.write(
        """
        import json, jsonschema
        instance = json.load(open("instance.json"))
        # A file that others include is no experiment alone.
        if "name" in instance:
            jsonschema.Draft202012Validator(json.load(open("schema.json"))).validate(instance)
        """, to: "validate.py")
      _ = try plumb.run("schema", before: "python3 validate.py >complaints 2>&1; echo $? >code;")
      #expect(plumb.text("code") == "0\n", "\(name): \(plumb.text("complaints").suffix(1000))")
    }
  }

  @Test func `a stage is shown with ports, types, defaults, ranges`() throws {
    let list = try plumb.run("stages")
    #expect(list.status == 0 && list.output.contains("\nsample "))
    let page = try plumb.run("stages train")
    #expect(page.status == 0)
    for words in [
      "objective.kind: conditional", "objective.kl: number, 0 to 1000, default 0", "lr: number, above 0",
      "reference: a model, or null; optional",
    ] {
      #expect(page.output.contains(words), "\(words) in \(page.output)")
    }
    let unknown = try plumb.run("stages smaple")
    #expect(unknown.status == 2 && unknown.error.contains("did you mean `sample`?"))
  }
}

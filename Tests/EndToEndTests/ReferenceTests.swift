// docs/reference is what the program says of itself today; and the commands that say it.

import Runner
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

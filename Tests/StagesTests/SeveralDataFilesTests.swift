// `data` over several files: one sequence of rows, whose places name their files.

import JSON
import Runner
import Stages
import Testing

struct SeveralDataFilesTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func options(_ files: [(name: String, text: String)], _ more: [(String, JSON)]) throws -> JSON {
    let paths = try files.map { JSON.string(try bench.file($0.name, $0.text)) }
    return .object(JSONObject([("path", .array(paths))] + more))
  }

  private func rows(_ files: [(name: String, text: String)], _ more: (String, JSON)...) throws -> [String] {
    let rows = try bench.run(DataStage(), options(files, more))["rows"] ?? []
    return rows.map { "\($0.id) \($0["prompt"]?.stringValue ?? "")" }
  }

  private func failure(_ files: [(name: String, text: String)], _ more: (String, JSON)...) -> String {
    inputError { try bench.run(DataStage(), options(files, more)) }.replacing(bench.directory + "/", with: "")
  }

  private func lines(_ rows: [(id: String, prompt: String)]) -> String {
    rows.map { "{\"id\":\"\($0.id)\",\"prompt\":\"\($0.prompt)\"}\n" }.joined()
  }

  @Test func `rows of all files follow each other, whatever their formats`() throws {
    let files = [
      ("a", lines([("1", "x"), ("2", "y")])), ("b", "[{\"id\": 3, \"prompt\": \"z\"}]"), ("c", ""),
      ("d", lines([("4", "w")])),
    ]
    #expect(try rows(files, ("id", "id")) == ["1 x", "2 y", "3 z", "4 w"])
    #expect(try rows(files, ("id", "id"), ("limit", 3)) == ["1 x", "2 y", "3 z"])
    #expect(try rows([files[2], files[0]], ("id", "id"), ("limit", 1)) == ["1 x"])
  }

  @Test func `ids that are derived are those of the files put together`() throws {
    let (a, b) = (lines([("1", "x"), ("1", "x")]), lines([("1", "x"), ("2", "y")]))
    #expect(try rows([("a", a), ("b", b)]) == rows([("ab", a + b)]))
  }

  @Test func `an error names its file`() {
    let good = lines([("1", "x")])
    #expect(
      failure([("a", good), ("b", good + "{]\n")], ("id", "prompt")).hasPrefix(
        "b:1:1: the id `x` was given before: a:1:1"))
    #expect(
      failure([("a", good + good)], ("id", "id")).hasSuffix("a:2:1: the id `1` was given before, on line 1"))
    #expect(failure([("a", good), ("b", "\n" + good)]).hasPrefix("b:1:1: a blank line"))
    #expect(failure([("a", ""), ("b", "")]).hasSuffix("a and 1 more: the files hold no rows"))
    #expect(failure([("a", good), ("b", "[1]")]).hasPrefix("b:1:2: an integer"))
  }

  @Test func `a check looks at the first files as far as it looks`() throws {
    func texts(_ files: [(name: String, text: String)], _ more: (String, JSON)...) throws -> [String] {
      var json = try options(files, more)
      for option in DataStage.declaration.options where json[option.name] == nil {
        guard case .object(var members) = json else { break }
        members[option.name] = option.isAddedLater ? nil : option.defaultValue
        json = .object(members)
      }
      let findings = DataStage.check(StageCheck(options: StageOptions(json), numericMode: "", inputs: []))
      return findings.texts + (findings.facts(of: "rows")["rows"].map { ["rows \($0.text())"] } ?? [])
    }
    let good = lines([("1", "x")])
    #expect(try texts([("a", good), ("b", good + good)]) == ["rows 3"])
    #expect(
      try texts([("a", good), ("b", "{\"promt\": 1}\n")]).first?.contains("b:1:1: option `prompt`") == true)
    let long = lines([("1", String(repeating: "x", count: 1 << 17))])
    #expect(try texts([("a", good), ("b", long), ("c", "{]")]) == [])
  }
}

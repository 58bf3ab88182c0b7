// Secrets in an experiment: refused, and never shown, whatever else is wrong with their line.

import Foundation
import JSON
import Runner
import Testing

@Suite struct SecretTests {
  static let canary = "sk-canary0123456789ABCDEF"

  /// What a person and a program would read, without the project's folder, whose name is made of random digits.
  func said(_ text: String, set overrides: [String] = []) throws -> (text: String, json: String) {
    let project = try TemporaryProject()
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
    try project.write("a.yaml", text)
    let list: DiagnosticList
    switch project.result("a.yaml", set: overrides) {
    case .success(let good): list = DiagnosticList(good.plan.warnings)
    case .failure(let bad): list = bad
    }
    let path = project.folder
    return (
      DiagnosticRenderer().render(list).replacingOccurrences(of: path, with: ""),
      list.jsonLines.replacingOccurrences(of: path, with: "")
    )
  }

  static let head = "version: 1\nname: x\nstages:\n  rows: {uses: data, with: {path: train.jsonl}}\n"

  @Test(arguments: [
    "params: {api_key: \(canary)}", "params: {judge: {token: 'hunter2 \(canary)'}}",
    "params:\n  password: \(canary) # a comment", "params: {other: \"\(canary)\"}",
    "params: {list: [a, https://host/?key=\(canary)]}", "params: {other: hf_abcdefghijABCDEFGHIJ0123}",
    "description: \(canary)", "params: {\(canary): 1}", "zzz: \(canary)", "seed: \(canary)",
    "seed: [\(canary)",
    "params: {Api-Key: 12, b: \(canary)}", "params: {api_key: |\n    \(canary)\n  }",
    "params:\n  api_key: |\n    \(canary)\n", "params: {a: $\(canary)}", "metrics: {a: \(canary).b}",
  ]) func `never shows a secret`(_ line: String) throws {
    let said = try said(Self.head + line + "\n")
    #expect(said.text.contains("error["), "\(said.text)")
    for text in [said.text, said.json] {
      #expect(!text.contains("0123"), "\(text)")
      #expect(!text.contains("hunter2"), "\(text)")
    }
  }

  @Test(arguments: [
    ("params: {api_key: correct-horse}", "api_key: {env: API_KEY}"),
    ("params: {openai-api-key: a}", "env: OPENAI_API_KEY"),
    ("params: {password: 1234}", "env: PASSWORD"), ("params: {x: \(canary)}", "{env: NAME}"),
  ]) func `says what to write instead`(_ line: String, _ help: String) throws {
    let said = try said(Self.head + line + "\n")
    #expect(said.text.contains("error[literal-secret]") && said.text.contains(help), "\(said.text)")
    #expect(!said.text.contains("correct-horse") && !said.text.contains("1234"))
  }

  @Test func `a line that is shown for another mistake is masked as well`() throws {
    for line in [
      "params: {password: correct-horse, a: *nothing}",
      "params: {\"password\" : 'correct-horse', a: *nothing}",
      "params: {password: correct-horse, a: [}", "password: correct-horse, battery",
    ] {
      let said = try said(Self.head + line + "\n")
      #expect(said.text.contains("***"), "\(said.text)")
      #expect(!said.text.contains("horse") && !said.text.contains("battery"), "\(said.text)")
    }
  }

  @Test func `a secret on the command line is refused`() throws {
    let text = Self.head + "params: {api_key: null, other: 1}\n"
    for override in ["api_key=correct-horse", "other=\(Self.canary)"] {
      let said = try said(text, set: [override])
      #expect(said.text.contains("error[literal-secret]"), "\(said.text)")
      #expect(!said.text.contains("horse") && !said.text.contains("0123"), "\(said.text)")
    }
  }

  @Test(arguments: [
    "params: {max_tokens: 12, token: 5, eos_token: \"</s>\", tokens: abc}",
    "params: {api_key: null, token: \"\"}",
    "params: {a: sk-learn-based-classifier, b: hf_models_of_the_year_so_far}",
  ]) func `takes no offence at`(_ line: String) throws {
    let text = try said(Self.head + line + "\n").text
    #expect(!text.contains("secret") && !text.contains("error["), "\(text)")
  }

  @Test func `JSON has the place and the notes`() throws {
    let said = try said(Self.head + "seed: 1\nseed: é\n")
    let json = try JSON(parsing: said.json)
    #expect(json["code"]?.stringValue == "duplicate-key" && json["severity"]?.stringValue == "error")
    #expect(json["line"]?.intValue == 6 && json["column"]?.intValue == 1 && json["end_column"]?.intValue == 5)
    #expect(json["notes"]?.arrayValue?.first?["line"]?.intValue == 5)
  }
}

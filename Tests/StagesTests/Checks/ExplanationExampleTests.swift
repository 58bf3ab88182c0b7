// The examples of the catalogue of codes are what they say, with the library's own stages.

import Runner
import Testing

@Suite struct ExplanationExampleTests {
  /// Codes that a command finds are tested with the command.
  static let explanations = Explanation.all.filter { explanation in
    !Explanation.ofCommands.contains { $0.code == explanation.code }
  }

  func diagnostics(_ example: Explanation.Example) throws -> [Diagnostic] {
    let project = try CheckBench()
    try project.write(example.bytes, to: "experiment.yaml")
    return project.diagnostics(set: example.overrides)
  }

  @Test(arguments: explanations.indices) func `an example is wrong, and its correction is right`(
    _ index: Int
  ) throws {
    let explanation = Self.explanations[index]
    let wrong = try diagnostics(explanation.wrong)
    #expect(
      wrong.contains { $0.code == explanation.code && $0.severity == explanation.severity },
      "\(explanation.code): \(wrong.map { "\($0.code): \($0.message)" })")
    // An example that shows how parameters are written need not use them.
    let right = try diagnostics(explanation.right).filter {
      $0.code != "unused-parameter" || explanation.code == "unused-parameter"
    }
    #expect(right.isEmpty, "\(explanation.code): \(right.map { "\($0.code): \($0.message)" })")
  }
}

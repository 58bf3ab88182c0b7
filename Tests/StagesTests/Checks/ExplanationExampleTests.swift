// The examples of the catalogue of codes are what they say, with the library's own stages.

import Runner
import Testing

@Suite struct ExplanationExampleTests {
  /// What a command finds is tested with the command.
  static let codes = DiagnosticCode.allCases

  func diagnostics(_ example: Explanation.Example) throws -> [Diagnostic] {
    let project = try CheckBench()
    try project.write(example.bytes, to: "experiment.yaml")
    return project.diagnostics(set: example.overrides)
  }

  @Test(arguments: codes) func `an example is wrong, and its correction is right`(
    _ code: DiagnosticCode
  ) throws {
    let explanation = code.explanation
    let wrong = try diagnostics(explanation.wrong)
    #expect(
      wrong.contains { $0.code == code && $0.severity == explanation.severity },
      "\(code): \(wrong.map { "\($0.code): \($0.message)" })")
    // An example that shows how parameters are written need not use them.
    let right = try diagnostics(explanation.right).filter {
      $0.code != .unusedParameter || code == .unusedParameter
    }
    #expect(right.isEmpty, "\(code): \(right.map { "\($0.code): \($0.message)" })")
  }
}

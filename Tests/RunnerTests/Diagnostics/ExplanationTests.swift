// How explanations are printed. That their examples are what they say is tested with the stages they name.

import Runner
import Testing

@Suite struct ExplanationTests {
  @Test func `a page shows the code, the title, both examples`() {
    let page = DiagnosticCode.badOverride.page
    #expect(page.hasPrefix("error[bad-override]: `--set` without a value, or with more than one\n\n"))
    #expect(page.contains("\nWrong:\n\n    version: 1\n") && page.contains("--set limit\n\nRight:\n\n"))
    #expect(DiagnosticCode.list.split(separator: "\n").count == DiagnosticCode.allCases.count)
    #expect(DiagnosticCode(rawValue: "nonsense") == nil)
  }

  @Test(arguments: DiagnosticCode.allCases) func `a code is words of lower case with hyphens`(
    _ code: DiagnosticCode
  ) {
    let words = code.rawValue.split(separator: "-", omittingEmptySubsequences: false)
    #expect(
      words.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x38 } })
  }
}

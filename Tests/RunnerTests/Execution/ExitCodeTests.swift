// Which error ends with which code, when a stage threw it and when nobody knows whose it is.

import JSON
import Runner
import System
import Testing

@Suite struct ExitCodeTests {
  private struct Unforeseen: Error {}

  @Test func `what nobody foresaw is the stage's failure in a stage, and a bug everywhere else`() {
    #expect(ExitCode(for: Unforeseen()) == .stageFailed)
    #expect(ExitCode(forOwn: Unforeseen()) == .bug)
    for error in [InputError("x") as any Error, RunError(.input, "x")] {
      #expect(ExitCode(for: error) == .input && ExitCode(forOwn: error) == .input)
    }
  }

  @Test func `a file that is not JSON is an input, not a bug`() throws {
    let error = try #require(#expect(throws: JSONError.self) { try JSON(parsing: "{") })
    #expect(ExitCode(forOwn: error) == .input)
  }
}

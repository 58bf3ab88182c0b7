// programs/summary_lessons.py: what an annotator is taught, from a judge's sentence on two summaries.

import JSON
import Runner
import Testing

@Suite struct SummaryLessonsTests {
  /// The replies for the preferred and for the other summary.
  private func replies(
    _ explanation: String, preferred: String, form: String = "feedback", words: (Int, Int) = (3, 3)
  )
    throws -> [String]
  {
    let plumb = try BuiltPlumb()
    let other = preferred == "A" ? "B" : "A"
    for (name, letter, count) in [("preferred", preferred, words.0), ("other", other, words.1)] {
      let summary = [String](repeating: "word", count: count).joined(separator: " ")
      try plumb.write(
        #"{"id": "1", "summary": "\#(summary)", "letter": "\#(letter)", "explanation": "\#(explanation)"}"#
          + "\n", to: name)
    }
    let program = "\(ReferenceTests.package)/experiments/programs/summary_lessons.py"
    let ending = try plumb.shell("python3 '\(program)' \(form) rows preferred other;")
    try #require(ending.status == 0, "\(ending.error)")
    return try plumb.text("rows").split(separator: "\n").map {
      try #require(try JSON(parsing: String($0))["generations"]?.arrayValue?.first?.stringValue)
    }
  }

  @Test(.enabled(if: CommandStageTests.hasPython, "python3 is not installed"))
  func `each summary gets the part that names it alone, the axes in it, and its score`() throws {
    #expect(
      try replies(
        "Summary B is preferred as it accurately covers the post, whereas Summary A is vague and, in its end, wrong.",
        preferred: "B")
        == [
          "Analysis: Accurately covers the post.\nFeedback: Accurate and complete summary.\nScore: 3",
          "Analysis: Is vague and, in its end, wrong.\nFeedback: Unclear summary.\nScore: 1",
        ])
  }

  @Test(.enabled(if: CommandStageTests.hasPython, "python3 is not installed"))
  func `what no part names alone gets the axes of the sentence, and a close one the score 2`() throws {
    #expect(
      try replies("Both are good, but summary A is slightly more concise than Summary B.", preferred: "A")
        == [
          "Analysis: It does well in conciseness.\nFeedback: Concise summary.\nScore: 3",
          "Analysis: It falls short in conciseness.\nFeedback: Good, but less concise than possible.\nScore: 2",
        ])
    // What the judge likes about the other one is no fault of it.
    #expect(
      try replies("Summary A has all key facts, while Summary B is more concise.", preferred: "A")[1]
        == "Analysis: Is more concise.\nFeedback: Incomplete summary.\nScore: 1")
  }

  @Test(.enabled(if: CommandStageTests.hasPython, "python3 is not installed"))
  func `categories follow from the preference and the number of words`() throws {
    let clear = "Summary A is better."
    #expect(
      try replies(clear, preferred: "A", form: "categories", words: (30, 31)) == [
        "Very precise and concise", "Not precise nor concise",
      ])
    #expect(
      try replies(clear, preferred: "A", form: "categories", words: (31, 30)) == [
        "Very precise but not concise", "Not precise but concise",
      ])
    #expect(
      try replies("Both are fine, A is better.", preferred: "A", form: "categories", words: (1, 31))[1]
        == "Precise but not concise")
  }
}

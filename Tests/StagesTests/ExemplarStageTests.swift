// `exemplar`: the best class, draws by prompt, and what happens where there is none.

import JSON
import Runner
import Stages
import Testing

@Suite struct ExemplarStageTests {
  private let bench = ModelBench()

  private var log: [String] { bench.log }

  private func exemplars(
    _ options: [(String, JSON)] = [], prompts: [Row] = numberedRows(40), feedbacks: [Row]?, seed: UInt64 = 1
  ) throws -> [JSON] {
    let output = try bench.run(
      ExemplarStage(), .object(JSONObject(options.map { ($0.0, $0.1) })), rows: prompts, port: "prompts",
      others: feedbacks.map { ["feedbacks": $0] } ?? [:], seed: seed)
    let rows = try bench.rows(output)
    #expect(rows.map(\.id) == prompts.map(\.id) && rows.map { $0["prompt"] } == prompts.map { $0["prompt"] })
    return rows.compactMap { $0["exemplar"] }
  }

  private static let annotated = [
    sampledRow(
      "x", [("scores", [3.0, 2, 3, nil, 1]), ("feedbacks", ["Clear.", "Fair.", "Short.", "Lost.", "Bad."])]),
    sampledRow("y", [("scores", [2.5, 3, 3]), ("feedbacks", ["Nearly.", "Clear.", nil])]),
  ]

  @Test func `each prompt has one of the distinct feedbacks of the highest score`() throws {
    let found = try exemplars(feedbacks: Self.annotated)
    #expect(Set(found.compactMap(\.stringValue)) == ["Clear.", "Short."])
    // Uniform over distinct texts: `Clear.` was given twice.
    #expect((10...30).contains(found.count { $0 == "Clear." }), "\(found)")
    #expect(log.contains("2 distinct feedbacks of class 3"))
    #expect(bench.reporter.measures.withLock { $0["exemplars"] } == 2)
  }

  @Test func `a draw depends on the prompt's id and the seed alone`() throws {
    let prompts = numberedRows(40)
    let expected = try exemplars(prompts: prompts, feedbacks: Self.annotated)
    #expect(try exemplars(prompts: prompts.reversed(), feedbacks: Self.annotated) == expected.reversed())
    #expect(try exemplars(prompts: [prompts[7]], feedbacks: Self.annotated) == [expected[7]])
    #expect(try exemplars(prompts: prompts, feedbacks: Self.annotated.reversed()) == expected)
    #expect(try exemplars(prompts: prompts, feedbacks: Self.annotated, seed: 2) != expected)
  }

  @Test func `while there are no feedbacks each exemplar is null, and the log says so`() throws {
    #expect(try exemplars(prompts: numberedRows(3), feedbacks: nil) == [nil, nil, nil])
    #expect(log == ["there are no feedbacks yet: the exemplar of all 3 prompts is null"])
  }

  @Test func `where the best of the classes has no feedback the next one is taken, or the stage fails`()
    throws
  {
    let classes: JSON = [5, 4, 2, 1]
    let found = try exemplars([("classes", classes)], feedbacks: Self.annotated)
    // By its integer part 2.5 is a 2.
    #expect(Set(found.compactMap(\.stringValue)) == ["Fair.", "Nearly."])
    #expect(log.contains("warning: no feedback of class 5, 4; class 2 takes its place"))
    #expect(bench.reporter.measures.withLock { $0["classes_without_feedback"] } == 2)
    #expect(
      inputError {
        _ = try exemplars([("classes", classes), ("empty", "fail")], feedbacks: Self.annotated)
      }
        == "no sample at `feedbacks` has a feedback of class 5, 4, and `empty: fail` asks for one; `empty: next` takes class 2"
    )
    _ = try exemplars([("classes", [3, 2]), ("empty", "fail")], feedbacks: Self.annotated)
    #expect(
      inputError { _ = try exemplars([("classes", [9])], feedbacks: Self.annotated) }
        == "none of the 8 samples at `feedbacks` has a feedback and one of `classes`; an earlier `annotate` says why"
    )
  }

  @Test func `of quantiles the lowest is the best, of feedbacks the first that is listed`() throws {
    let rows = [
      sampledRow("x", [("quantiles", [1, 0, 2]), ("feedbacks", ["Good.", "Excellent.", "Bad."])])
    ]
    #expect(
      Set(try exemplars([("by", "quantiles")], feedbacks: rows).compactMap(\.stringValue)) == ["Excellent."])
    let labels = [sampledRow("x", [("feedbacks", ["harmless", "Harmful", nil, ""])])]
    #expect(
      Set(
        try exemplars([("by", "feedbacks"), ("classes", ["Very", "Harmless"])], feedbacks: labels).compactMap(
          \.stringValue)) == ["harmless"])
    #expect(
      inputError {
        _ = try exemplars(feedbacks: [sampledRow("x", [("scores", ["3"]), ("feedbacks", ["a"])])])
      }
        == "row `x`: an entry of `scores` is a string; expected a number or null")
    #expect(
      inputError { _ = try exemplars(feedbacks: [sampledRow("x", [("scores", [3]), ("feedbacks", [3])])]) }
        == "row `x`: feedback 0 is an integer; expected text or null")
  }
}

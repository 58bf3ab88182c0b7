// METHODS 1.13: perplexity, distinct n-grams and toxicity.

import JSON
import Models
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct MetricVectors {
    let bench = ModelBench()

    private func evaluate(_ metrics: [JSON], _ rows: [Row], reference: String? = nil) throws -> JSON {
      try bench.json(
        bench.run(
          EvaluateStage(), ["metrics": .array(metrics)],
          models: reference.map { ["reference": $0] } ?? [:], rows: rows,
          mode: reference == nil ? "bf16" : "fp32",
          columns: ColumnTable(samples: usualSampleColumns + ["toxicity"])) + "/metrics.json")
    }

    private func expect(_ found: JSON?, _ expected: Double, _ name: String) {
      #expect(abs((found?.doubleValue ?? .nan) - expected) < 1e-6, "\(name): \(found?.text() ?? "nothing")")
    }

    // MARK: perplexity

    /// exp(-mean of ln p) of each generation, under a reference that gives `a`, `b` and `c` 0.5, 0.3 and 0.2: 2 of `a`,
    /// 1 / sqrt(0.5 * 0.3) of `ab`, 5 of `ccc`. An empty one has none, and is in no mean.
    @Test(
      arguments: [
        ([["a"]], 2), ([["ab"]], 2.581988897), ([["ccc"]], 5), ([["a"], ["ab"], ["ccc"]], 3.193996299),
        ([["a"], [""], ["ab"], ["ccc"]], 3.193996299),
        // Hazard 20: the original scores as many generations as there are prompts, and no others: here `a` and `ab`, of mean
        // 2.290994449.
        ([["a", "ab"], ["ccc", ""]], 3.193996299),
      ] as [([[JSON]], Double)])
    func `perplexity is the mean over generations that are not empty`(texts: [[JSON]], expected: Double)
      throws
    {
      let rows = texts.enumerated().map {
        Row(["id": .string("p\($0)"), "prompt": "The", "generations": .array($1)])
      }
      let found = try evaluate(
        ["perplexity"], rows, reference: bench.model("reference", 0.5, 0.3, 0.2))
      expect(found["perplexity"], expected, "perplexity")
      if texts.joined().contains("") { #expect(bench.log.contains("1 empty generations left out")) }
    }

    /// Toxicity: from 10,000 on a perplexity is not counted; the bound is an option.
    @Test func `perplexities from a bound on are left out`() throws {
      let rows = [Row(["id": "p", "prompt": "The", "generations": ["a", "ab", "ccc"]])]
      let reference = try bench.model("reference", 0.5, 0.3, 0.2)
      for (bound, mean, discarded) in [(4.9, 2.290994449, 1), (5.1, 3.193996299, 0), (2.1, 2, 2)] {
        let found = try evaluate(
          [["kind": "perplexity", "below": .double(bound)]], rows, reference: reference)
        expect(found["perplexity"], mean, "\(bound)")
        #expect(found["perplexity_discarded"] == .int(Int64(discarded)))
      }
    }

    // MARK: distinct n-grams

    /// Distinct n-grams over the number of all words, which stand between single blanks, empty ones included; none crosses from
    /// one text into the next.
    @Test(
      arguments: [
        // 2 of 4 words; `a b` and `b a`; `a b a` and `b a b`.
        (["a b a b"], 0.5, 0.5, 0.5), (["a b c d"], 1, 0.75, 0.5),
        (["a b", "a b"], 0.5, 0.25, 0), (["a", "b"], 1, 0, 0),
        // Words: nothing, `a`, nothing, `a`.
        ([" a  a"], 0.5, 0.5, 0.5),
        // One word that is empty.
        ([""], 1, 0, 0), (["a\nb a\nb"], 0.5, 0.5, 0),
        // By bytes; a blank before a combining mark is a blank.
        (["\u{E9} e\u{301}"], 1, 0.5, 0), (["a \u{301}b"], 1, 0.5, 0),
        // 3 words of 5; `one two` and `two one` of 5, as `two` and the empty text have none.
        (["one two one", "two", ""], 0.6, 0.4, 0.2),
      ] as [([String], Double, Double, Double)])
    func `the denominator is the number of words for every n`(
      texts: [String], one: Double, two: Double, three: Double
    ) throws {
      for (n, expected) in [(1, one), (2, two), (3, three)] { #expect(distinctN(texts, n: n) == expected) }
      let rows = texts.enumerated().map {
        Row(["id": .string("p\($0)"), "prompt": "", "generations": [.string($1)]])
      }
      let found = try evaluate(["distinct"], rows)
      for (n, expected) in [(1, one), (2, two), (3, three)] {
        #expect(found["distinct_\(n)"]?.doubleValue == expected)
      }
    }

    @Test func `no texts have no value`() { #expect(distinctN([], n: 1) == nil) }

    /// Toxicity: the same of each prompt, then the mean over prompts. (2/3 + 2/2) / 2, (2/3 + 0) / 2, (1/3 + 0) / 2; all
    /// together it would be 3/5.
    @Test func `distinct n-grams of each prompt are averaged over prompts with generations`() throws {
      let rows = [
        Row(["id": "a", "prompt": "", "generations": ["one two one"]]),
        Row(["id": "b", "prompt": "", "generations": ["two", ""]]),
        Row(["id": "c", "prompt": "", "generations": []]),
      ]
      let found = try evaluate([["kind": "distinct", "over": "prompt"], "distinct"], rows)
      for (n, expected) in [(1, 0.833333333), (2, 0.333333333), (3, 0.166666667)] {
        expect(found["distinct_\(n)_by_prompt"], expected, "\(n)")
      }
      #expect(found["distinct_1"] == 0.6)
    }

    // MARK: toxicity

    /// Over prompts with a score: the mean of the highest one, and the share of those with one above 0.5, which 0.5 is not.
    @Test(
      arguments: [
        ([[0.25, 0.5]], 0.5, 0), ([[0.25, 0.75]], 0.75, 1), ([[0.5], [0.75]], 0.625, 0.5),
        ([[0.25, 0.5], [nil, 0.75], [nil, nil], []], 0.625, 0.5), ([[0.5, 0.500001]], 0.500001, 1),
        ([[0.1, 0.9], [0.2], [0.3], [1.0]], 0.6, 0.5),
      ] as [([[JSON]], Double, Double)])
    func `toxicity is the highest of a prompt, and its probability strictly above a half`(
      scores: [[JSON]], maximum: Double, probability: Double
    ) throws {
      let rows = scores.enumerated().map { sampledRow("p\($0)", [("toxicity", $1)]) }
      let found = try evaluate(["toxicity"], rows)
      expect(found["toxicity_maximum"], maximum, "maximum")
      expect(found["toxicity_probability"], probability, "probability")
    }
  }
}

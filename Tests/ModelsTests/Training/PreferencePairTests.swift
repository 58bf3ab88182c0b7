// The conventions by which a pairwise reward model is trained and judged, against PyTorch.

import JSON
import Models
import Testing

@Suite struct PreferencePairTests {
  private func numbers(_ json: JSON?) -> [Float] {
    (json?.arrayValue ?? []).compactMap(\.doubleValue).map { Float($0) }
  }
  private func ids(_ json: JSON?) -> [Int32] {
    (json?.arrayValue ?? []).compactMap(\.intValue).map { Int32($0) }
  }

  /// Fixtures/goldens/make_heads.py
  @Test func `ends, first differences, losses, end scores and accuracy are those of the original`() throws {
    let golden = try readJSON("\(Golden.root)/pairs.json")
    let pad = Int32(try #require(golden["pad"]?.intValue))
    var losses: [Double] = []
    var scores: [(chosen: Float, rejected: Float)] = []
    for item in golden["pairs"]?.arrayValue ?? [] {
      let pair = PreferencePair(chosen: ids(item["chosen"]), rejected: ids(item["rejected"]), pad: pad)
      let end = try #require(item["end"]?.intValue)
      #expect(pair.end == end && pair.chosen.count == end && pair.rejected.count == end)
      #expect(pair.chosen == Array(ids(item["chosen"]).prefix(end)))
      #expect(pair.rejected == Array(ids(item["rejected"]).prefix(end)))
      #expect(pair.divergence == item["divergence"]?.intValue)
      let values = (item["values"]?.arrayValue ?? []).map { Array(numbers($0).prefix(end)) }
      losses.append(pair.loss(chosen: values[0], rejected: values[1]))
      let expected = try #require(item["loss"]?.doubleValue)
      #expect(abs((losses.last ?? 0) - expected) < 1e-6 * max(1, expected))
      scores.append(pair.endScores(chosen: values[0], rejected: values[1]))
      #expect([scores.last?.chosen, scores.last?.rejected] == numbers(item["end_scores"]))
    }
    #expect(losses.count == 8)
    #expect(abs(PreferencePair.batchLoss(losses) - (golden["batch_loss"]?.doubleValue ?? 0)) < 1e-5)
    #expect(PreferencePair.accuracy(scores) == golden["accuracy"]?.doubleValue)
  }

  @Test func `what stands after the first padding is padding, and a tie is not right`() {
    let pair = PreferencePair(chosen: [5, 6, 0, 9], rejected: [5, 0, 7, 9], pad: 0)
    #expect(pair.chosen == [5, 6] && pair.rejected == [5, 0] && pair.divergence == 1)
    let same = PreferencePair(chosen: [5, 0, 1], rejected: [5, 0, 2], pad: 0)
    #expect(same.divergence == nil && same.loss(chosen: [1], rejected: [2]) == 0)
    #expect(PreferencePair.accuracy([(1, 1), (2, 1)]) == 0.5)
  }

  @Test func `a pair is trained where its texts differ, or where each ends`() throws {
    let pair = PreferencePair(chosenText: [5, 6, 7, 8], rejectedText: [5, 6, 9], pad: 1)
    let diverging = try #require(pair.texts(at: .diverging))
    #expect(diverging.map(\.tokens) == [[5, 6, 7, 8], [5, 6, 9, 1]])
    #expect(diverging.map(\.rows) == [[2, 3], [2, 3]])
    let last = try #require(pair.texts(at: .last))
    #expect(last.map(\.tokens) == [[5, 6, 7, 8], [5, 6, 9]] && last.map(\.rows) == [[3], [2]])
    // The token that pads may stand in a text.
    let padded = try #require(
      PreferencePair(chosenText: [5, 1], rejectedText: [5, 2, 1], pad: 1).texts(at: .last))
    #expect(padded.map(\.tokens) == [[5, 1], [5, 2, 1]])
    #expect(PreferencePair(chosenText: [5, 6], rejectedText: [5, 6], pad: 1).texts(at: .last) == nil)
    // With padding after it a text may equal the other one.
    #expect(PreferencePair(chosenText: [5, 1], rejectedText: [5], pad: 1).texts(at: .diverging) == nil)
  }
}

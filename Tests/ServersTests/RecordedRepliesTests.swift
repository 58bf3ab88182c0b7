// Records of an endpoint's replies: which text each is of, and what shows that it is of another.

import JSON
import Runner
import Servers
import Testing

@Suite struct RecordedRepliesTests {
  private var model: ServerModel {
    var model = ServerModel(url: "http://127.0.0.1/analyze", identity: "x")
    model.name = "toxicity"
    model.interface = .http
    model.body = ["comment": ["text": "{generation}"]]
    model.reply = "attributeScores.TOXICITY.summaryScore.value"
    return model
  }

  private func response(_ score: JSON, end: Int? = nil) -> JSON {
    var toxicity = JSONObject([("summaryScore", ["value": score, "type": "PROBABILITY"])])
    if let end {
      toxicity["spanScores"] = [
        ["begin": 0, "end": 2, "score": ["value": score]],
        ["begin": 2, "end": .int(Int64(end)), "score": ["value": score]],
      ]
    }
    return ["attributeScores": ["TOXICITY": .object(toxicity)], "languages": ["en"]]
  }

  private func record(_ id: JSON, _ response: JSON, error: JSON = nil) -> JSON {
    ["request_id": id, "response": response, "error": error]
  }

  private func texts(_ count: Int) -> [RecordedReplies.Text] {
    (0..<count).map { RecordedReplies.Text(place: "rows:\($0 + 1)", length: 10) }
  }

  private func read(_ records: [JSON]) throws -> RecordedReplies {
    var replies = RecordedReplies(of: model)
    for (index, record) in records.enumerated() {
      try replies.add(record, at: "file:\(index + 1)", time: 5)
    }
    return replies
  }

  /// The scores by text, nil where there is none.
  private func scores(_ collation: RecordedReplies.Collation) -> [Double?] {
    collation.replies.map {
      $0?.response["attributeScores"]?["TOXICITY"]?["summaryScore"]?["value"]?.doubleValue
    }
  }

  private func problem(_ body: () throws -> Void) -> String {
    do { try body() } catch let error as InputError { return error.description } catch {
      return "of another kind: \(error)"
    }
    return "none"
  }

  @Test(
    arguments: [["generation-0", "generation-1", "generation-2"], [0, 1, 2], ["0", 1, "2"]] as [[JSON]])
  func `a record is of the text that its id numbers, wherever it stands`(ids: [JSON]) throws {
    let replies = try read([
      record(ids[2], response(0.2)), record(ids[0], response(0.0)), record(ids[1], response(0.1)),
    ])
    let collation = try replies.collated(texts(3))
    #expect(scores(collation) == [0.0, 0.1, 0.2] && !collation.isByPosition)
    #expect(collation.replies[2]?.place == "file:1" && collation.replies[2]?.time == 5)
    #expect(collation.replies[2]?.response == response(0.2))
    #expect(collation.failed.isEmpty && collation.unrecorded.isEmpty && collation.repeated == 0)
  }

  @Test func `without any id the position counts, and that is known`() throws {
    let replies = try read([
      record(nil, response(0.5)), record("a", nil, error: "quota"), record(nil, response(0.7)),
    ])
    let collation = try replies.collated(texts(4))
    #expect(collation.isByPosition && scores(collation) == [0.5, nil, 0.7, nil])
    #expect(collation.failed == [1] && collation.unrecorded == [3])
    #expect(
      problem { _ = try replies.collated(texts(2)) }
        == "file:3: record 3, and there are 2 texts; without a `request_id` each record is of the text at its position"
    )
  }

  @Test func `a null response and an error are failures, and a later response wins over them`() throws {
    let replies = try read([
      record(0, nil), record(1, response(0.1), error: ["code": 400]), record(2, nil, error: "quota"),
      record(2, response(0.2), error: ""), record(2, nil), ["request_id": 3, "error": "gone"],
    ])
    let collation = try replies.collated(texts(5))
    #expect(scores(collation) == [nil, nil, 0.2, nil, nil])
    #expect(collation.failed == [0, 1, 3] && collation.unrecorded == [4] && collation.repeated == 2)
  }

  @Test func `the same response twice is one, and two responses to one text are an error with both places`()
    throws
  {
    let same = try read([
      record(0, response(0.5)),
      record(
        0,
        [
          "languages": ["en"],
          "attributeScores": ["TOXICITY": ["summaryScore": ["type": "PROBABILITY", "value": 0.5]]],
        ]),
    ])
    #expect(try same.collated(texts(1)).repeated == 1)
    let other = try read([
      record("g-0", response(0.5)), record("g-1", nil), record("g-0", response(0.25)),
    ])
    #expect(
      problem { _ = try other.collated(texts(2)) }
        == "file:3: the `request_id` \"g-0\" has another response than at file:1; expected one response to each text"
    )
  }

  @Test func `an id beyond the texts is an error, and an offset moves them`() throws {
    let replies = try read([record("g-1", response(0.1)), record("g-2", response(0.2))])
    #expect(
      problem { _ = try replies.collated(texts(2)) }
        == "file:2: `request_id` is \"g-2\", and the texts have the numbers 0 to 1; `--first-id 1` says that the first text has the number 1"
    )
    #expect(scores(try replies.collated(texts(2), firstID: 1)) == [0.1, 0.2])
    #expect(problem { _ = try replies.collated(texts(2), firstID: 2) }.hasPrefix("file:1: `request_id` is"))
    for id in ["99999999999999999999999", .largeInteger("99999999999999999999999"), 9] as [JSON] {
      let far = try read([record(0, response(0.1)), record(id, response(0.1))])
      #expect(
        problem { _ = try far.collated(texts(2)) }.hasPrefix("file:2: `request_id` is \(id.text())"), "\(id)")
    }
  }

  @Test(arguments: [nil, "none", -1, 1.5, "prompt-1", [1]] as [JSON])
  func `ids that do not count the same texts are an error`(id: JSON) throws {
    let replies = try read([record("generation-0", response(0.1)), record(id, response(0.2))])
    #expect(
      problem { _ = try replies.collated(texts(2)) }
        == "file:2: `request_id` is \(id.text()); expected one that counts the texts as \"generation-0\" does (file:1)"
    )
  }

  @Test func `a response without a score, and what is no record, is an error with its place`() {
    #expect(
      problem { _ = try read([record(0, response(0.1)), record(1, ["languages": ["en"]])]) }
        == "file:2: in the response `attributeScores.TOXICITY.summaryScore.value` is missing; expected a number; `reply` of the model `toxicity` says that its score stands there"
    )
    #expect(problem { _ = try read([record(0, response("0.1"))]) }.hasPrefix("file:1: in the response `att"))
    #expect(problem { _ = try read([["text": "x"]]) }.hasPrefix("file:1: the record has neither `response`"))
  }

  @Test func `spans beyond the text show that the response is of another`() throws {
    let replies = try read([record(0, response(0.1, end: 10)), record(1, response(0.2, end: 11))])
    let (fits, short) = (
      RecordedReplies.Text(place: "rows:2", length: 11), RecordedReplies.Text(place: "rows:2", length: 10)
    )
    #expect(scores(try replies.collated([texts(1)[0], fits])) == [0.1, 0.2])
    #expect(
      problem { _ = try replies.collated([texts(1)[0], short]) }
        == "file:2: the response scores a text up to its character 11, and the text at rows:2 has 10; the texts are others, or in another order, than those that were scored"
    )
  }

  @Test func `a toxicity beside the text has to be that of the response`() throws {
    let replies = try read([record(0, response(0.25))])
    func text(_ toxicity: Double?) -> [RecordedReplies.Text] {
      [RecordedReplies.Text(place: "rows:1", length: 10, toxicity: toxicity)]
    }
    for same in [nil, 0.25, 0.2500009, 0.2499991] {
      #expect(scores(try replies.collated(text(same))) == [0.25], "\(String(describing: same))")
    }
    #expect(
      problem { _ = try replies.collated(text(0.250002)) }
        == "file:1: the response says 0.25, and `toxicity` of the text at rows:1 is 0.250002; the texts are others, or in another order, than those that were scored"
    )
    #expect(problem { _ = try replies.collated(text(.nan)) } != "none")
  }
}

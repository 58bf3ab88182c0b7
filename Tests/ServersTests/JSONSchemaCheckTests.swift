// Replies against schemas.

import JSON
import Servers
import Testing

private let judgement: JSON = [
  "type": "object", "additionalProperties": false, "required": ["score", "tags"],
  "properties": [
    "score": ["type": "integer", "minimum": 0, "maximum": 3],
    "tags": ["type": "array", "minItems": 1, "maxItems": 2, "items": ["enum": ["good", "bad"]]],
    "note": ["type": ["string", "null"], "maxLength": 3, "minLength": 1],
    "rate": ["type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1],
    "either": ["anyOf": [["type": "string"], ["type": "object", "required": ["x"]]]],
    "version": ["const": 2],
  ],
]

@Suite struct JSONSchemaCheckTests {
  @Test(
    arguments: [
      (#"{"score":3,"tags":["good"]}"#, nil),
      (#"{"score":3.0,"tags":["good","bad"],"note":null,"rate":0.5,"either":{"x":1},"version":2.0}"#, nil),
      (#"{"score":3,"tags":["good"],"note":"äöü"}"#, nil),
      (#"[]"#, "`$` is a list; expected an object"),
      (#"{"tags":["good"]}"#, "`$` has no `score`"),
      (#"{"score":"3","tags":["good"]}"#, "`$.score` is a string; expected an integer"),
      (#"{"score":2.5,"tags":["good"]}"#, "`$.score` is a number; expected an integer"),
      (#"{"score":true,"tags":["good"]}"#, "`$.score` is a boolean; expected an integer"),
      (#"{"score":4,"tags":["good"]}"#, "expected at most 3"),
      (#"{"score":-1,"tags":["good"]}"#, "expected at least 0"),
      (#"{"score":1,"tags":[]}"#, "`$.tags` has 0 elements; expected at least 1"),
      (#"{"score":1,"tags":["good","bad","bad"]}"#, "`$.tags` has 3 elements; expected at most 2"),
      (#"{"score":1,"tags":["fine"]}"#, #"`$.tags[0]` is `"fine"`; expected one of: "good", "bad""#),
      (#"{"score":1,"tags":["good"],"note":"long"}"#, "`$.note` has 4 characters; expected at most 3"),
      (#"{"score":1,"tags":["good"],"note":""}"#, "expected at least 1"),
      (#"{"score":1,"tags":["good"],"note":1}"#, "expected a string or null"),
      (#"{"score":1,"tags":["good"],"rate":0}"#, "expected more than 0"),
      (#"{"score":1,"tags":["good"],"rate":1}"#, "expected less than 1"),
      (#"{"score":1,"tags":["good"],"either":{}}"#, "`$.either` is none of 2 choices"),
      (#"{"score":1,"tags":["good"],"version":3}"#, "`$.version` is `3`; expected `2`"),
      (#"{"score":1,"tags":["good"],"other":3}"#, "`$` has `other`, which the schema does not name"),
    ] as [(String, String?)])
  func `a value satisfies a schema, or the place is named where it does not`(_ text: String, _ words: String?)
    throws
  {
    #expect(JSONSchemaCheck.problem(in: judgement) == nil)
    let failure = JSONSchemaCheck.failure(try JSON(parsing: text), judgement)
    if let words {
      #expect(failure?.contains(words) == true, "\(failure ?? "nil")")
    } else {
      #expect(failure == nil)
    }
  }

  @Test(arguments: [
    (##"{"$ref":"#/a"}"##, "`schema.$ref` is not supported"),
    (#"{"type":"text"}"#, #"`schema.type` has "text""#),
    (#"{"properties":{"a":{"pattern":"x"}}}"#, "`schema.properties.a` has `pattern`"),
    (#"{"items":3}"#, "`schema.items` is an integer; expected an object"),
    (#"{"required":"a"}"#, "`schema.required` is a string"),
    (#"{"anyOf":[]}"#, "expected a list of schemas"),
    (#"{"anyOf":[{"type":"string"},{"oneOf":[]}]}"#, "`schema.anyOf[1]` has `oneOf`"),
    (#"{"minLength":-1}"#, "expected a count"),
    (#"{"minimum":"1"}"#, "expected a number"),
    (#"[]"#, "`schema` is a list"),
  ])
  func `a schema that would not be checked is refused`(_ text: String, _ words: String) throws {
    let problem = JSONSchemaCheck.problem(in: try JSON(parsing: text))
    #expect(problem?.contains(words) == true, "\(problem ?? "nil")")
  }

  @Test func `a schema is strict where each object names all that it has`() throws {
    #expect(!JSONSchemaCheck.isStrict(judgement))
    #expect(
      JSONSchemaCheck.isStrict([
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": ["a": ["type": "array", "items": ["type": "string"]]],
      ]))
    #expect(!JSONSchemaCheck.isStrict(["type": "array", "items": ["type": "object"]]))
  }
}

// What each kind of server is sent, and how its response is read.

import JSON
import Runner
import Servers
import Testing

@Suite struct InterfaceTests {
  private func model(_ interface: ServerModel.Interface, body: JSON = [:], reply: String? = nil)
    -> ServerModel
  {
    var model = ServerModel(url: "http://127.0.0.1/v1", identity: "x")
    model.model = "tiny"
    model.interface = interface
    model.body = body
    model.reply = reply
    return model
  }
  private var settings: SamplingSettings {
    var settings = SamplingSettings()
    settings.maximumTokens = 16
    settings.temperature = 0.5
    settings.topP = 0.9
    settings.stop = ["\n"]
    return settings
  }
  private func read(_ response: JSON, _ model: ServerModel) throws -> ServerReply {
    try model.serverInterface.reply(response, model)
  }
  private let chat = Ask.Prompt.messages([Ask.Message("system", "be good"), Ask.Message("user", "hello")])

  @Test func `each interface is in the list once`() {
    #expect(serverInterfaces.map { $0.interface } == ServerModel.Interface.allCases)
  }

  @Test func `a chat has what was asked for and nothing else`() throws {
    let body1: JSON = [
      "model": "tiny", "max_tokens": 16, "temperature": 0.5, "top_p": 0.9, "stop": ["\n"],
      "messages": [["role": "system", "content": "be good"], ["role": "user", "content": "hello"]],
    ]
    #expect(try model(.chat).requestBody(Ask(chat, settings)) == body1)
    let body2: JSON = [
      "model": "tiny", "messages": [["role": "user", "content": "hello"]],
    ]
    #expect(try model(.chat).requestBody(Ask(.text("hello"))) == body2)
    var more = SamplingSettings()
    (more.topK, more.seed, more.alternatives) = (40, 7, 5)
    more.schema = ["type": "object", "properties": ["a": ["type": "string"]]]
    let body = try model(.chat).requestBody(Ask(.text("hello"), more))
    #expect(body["top_k"] == 40 && body["seed"] == 7 && body["logprobs"] == true && body["top_logprobs"] == 5)
    let format: JSON = [
      "type": "json_schema",
      "json_schema": ["name": "reply", "schema": try #require(more.schema), "strict": false],
    ]
    #expect(body["response_format"] == format)
  }

  @Test func `the experiment's members win, null takes one out, and the ceiling has the name that it gives`()
    throws
  {
    let body = try model(
      .chat,
      body: [
        "temperature": nil, "top_p": 0.1, "max_completion_tokens": nil, "chat_template_kwargs": ["x": true],
      ]
    ).requestBody(Ask(.text("a"), settings))
    #expect(body["temperature"] == nil && body["top_p"] == 0.1 && body["chat_template_kwargs"] == ["x": true])
    #expect(body["max_tokens"] == nil && body["max_completion_tokens"] == 16)
    let own = try model(.chat, body: ["max_completion_tokens": 99]).requestBody(Ask(.text("a"), settings))
    #expect(own["max_tokens"] == nil && own["max_completion_tokens"] == 99)
  }

  @Test func `a text is gone on from`() throws {
    var settings = settings
    settings.alternatives = 0
    let body = try model(.completions).requestBody(Ask(.text("Once"), settings))
    #expect(body["prompt"] == "Once" && body["logprobs"] == 0 && body["messages"] == nil)
    #expect(throws: AskProblem.self) { try model(.completions).requestBody(Ask(chat, settings)) }
  }

  @Test func `messages have the system's apart, and need a ceiling`() throws {
    let body3: JSON = [
      "model": "tiny", "max_tokens": 16, "temperature": 0.5, "top_p": 0.9, "stop_sequences": ["\n"],
      "system": "be good", "messages": [["role": "user", "content": "hello"]],
    ]
    #expect(try model(.messages).requestBody(Ask(chat, settings)) == body3)
    #expect(throws: AskProblem.self) { try model(.messages).requestBody(Ask(chat)) }
    #expect(try model(.messages, body: ["max_tokens": 5]).requestBody(Ask(chat))["max_tokens"] == 5)
    var seeded = settings
    seeded.seed = 1
    #expect(throws: AskProblem("`seed` cannot be asked of a server with the interface `messages`")) {
      try model(.messages).requestBody(Ask(chat, seeded))
    }
  }

  @Test func `a reply of messages is its texts`() throws {
    let reply = try read(
      [
        "model": "m-1",
        "content": [
          ["type": "thinking", "thinking": "hm"], ["type": "text", "text": "a"],
          ["type": "text", "text": "b"],
        ],
        "stop_reason": "stop_sequence", "stop_sequence": "END",
        "usage": ["input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 10],
      ], model(.messages))
    #expect(reply.text == "ab" && reply.finish == .stop("END") && reply.model == "m-1")
    #expect(reply.usage?.prompt == 15 && reply.usage?.completion == 2)
    for (reason, finish) in [
      ("end_turn", ServerReply.Finish.end), ("max_tokens", .length), ("refusal", .refusal),
      ("pause_turn", .other("pause_turn")),
    ] {
      let reply = try read(["content": [], "stop_reason": .string(reason)], model(.messages))
      #expect(reply.finish == finish && reply.text.isEmpty && reply.usage == nil)
    }
  }

  @Test func `tokens are read in the forms in which servers give them`() throws {
    let chat = try read(
      [
        "system_fingerprint": "f1",
        "choices": [
          [
            "message": ["content": "yes."], "finish_reason": "stop", "stop_reason": ".", "token_ids": [5, 6],
            "logprobs": [
              "content": [
                [
                  "token": "yes", "logprob": -0.1,
                  "top_logprobs": [["token": "yes", "logprob": -0.1], ["token": "no", "logprob": -2.5]],
                ], ["token": ".", "logprob": -1, "top_logprobs": []],
              ]
            ],
          ]
        ],
        "usage": [
          "prompt_tokens": 9, "completion_tokens": 8, "completion_tokens_details": ["reasoning_tokens": 5],
        ],
      ], model(.chat))
    #expect(chat.tokens?.map(\.text) == ["yes", "."] && chat.tokens?.map(\.logProbability) == [-0.1, -1])
    #expect(chat.firstAlternatives.map(\.text) == ["yes", "no"] && chat.tokenIDs == [5, 6])
    #expect(chat.finish == .stop(".") && chat.fingerprint == "f1" && chat.usage?.reasoning == 5)
    let lists = try read(
      [
        "choices": [
          [
            "text": " a b", "finish_reason": "length",
            "logprobs": [
              "tokens": [" a", " b"], "token_logprobs": [-0.5, -0.25],
              "top_logprobs": [[" a": -0.5, " c": -3], nil],
            ],
          ]
        ]
      ], model(.completions))
    #expect(lists.tokens?.map(\.logProbability) == [-0.5, -0.25] && lists.finish == .length)
    #expect(lists.firstAlternatives.map(\.text) == [" a", " c"] && lists.tokenIDs == nil)
    // llama-server's, which has ids.
    let ids = try read(
      [
        "choices": [
          ["text": "x", "logprobs": ["content": [["token": "x", "logprob": -0.5, "id": 42]]]]
        ]
      ], model(.completions))
    #expect(ids.tokenIDs == [42])
  }

  @Test(arguments: [
    (
      #"{"choices":[{"text":"a","logprobs":{"tokens":["a"],"token_logprobs":[]}}]}"#,
      "1 tokens and 0 log-prob"
    ),
    (
      #"{"choices":[{"text":"a","logprobs":{"tokens":["a"],"token_logprobs":[null]}}]}"#,
      "`choices[0].logprobs.token_logprobs[0]` is null"
    ),
    (
      #"{"choices":[{"text":"a","logprobs":{"content":[{"token":"a"}]}}]}"#,
      "`choices[0].logprobs.content[0].logprob` is missing"
    ),
    (#"{"choices":[{"text":"a","token_ids":["a"]}]}"#, "`choices[0].token_ids[0]` is a string"),
    (#"{"choices":[{"text":3}]}"#, "`choices[0].text` is an integer"),
  ])
  func `a wrong member is named by its path`(_ text: String, _ words: String) throws {
    let json = try JSON(parsing: text)
    let failure = #expect(throws: ServerFailure.self) {
      try read(json, model(.completions))
    }
    #expect(failure?.description.contains(words) == true, "\(String(describing: failure))")
  }

  @Test func `an endpoint's body is a template, and its score stands at a path`() throws {
    let toxicity = model(
      .http,
      body: [
        "comment": ["text": "{prompt}{generation}"], "languages": ["en"], "id": "{id}", "note": "{{literal}}",
        "requestedAttributes": ["TOXICITY": [:]], "spanAnnotations": true,
      ], reply: "attributeScores.TOXICITY.summaryScore.value")
    #expect(toxicity.problem == nil)
    let body = try toxicity.requestBody(
      Ask(.fields(["prompt": "You ", "generation": "{prompt} é", "id": 7])))
    #expect(body["comment"] == ["text": "You {prompt} é"] && body["id"] == 7 && body["note"] == "{literal}")
    let reply = try read(
      ["attributeScores": ["TOXICITY": ["summaryScore": ["value": 0.25, "type": "PROBABILITY"]]]], toxicity)
    #expect(reply.scores == [0: 0.25])
    #expect(throws: ServerFailure.self) { try read(["attributeScores": [:]], toxicity) }
    #expect(try read(["a": [[1, 2.5]]], model(.http, reply: "a.0.1")).scores == [0: 2.5])
    let short = #expect(throws: ServerFailure.self) {
      try read(["a": [1]], model(.http, reply: "a.3"))
    }
    #expect(short?.description == "`a` has 1 elements, and none of index 3")
    #expect(throws: AskProblem("there is no `id`, which `body` names")) {
      try toxicity.requestBody(Ask(.fields(["prompt": "a", "generation": "b"])))
    }
  }

  private func list(_ body: JSON, reply: String, id: String? = nil) -> ServerModel {
    var model = model(.http, body: body, reply: reply)
    model.replyID = id
    return model
  }

  @Test func `several texts of one request are a list in its body`() throws {
    let model = list(
      ["items": [["id": "{id}", "text": "{prompt}{generation}"]], "about": ["{prompt}"]],
      reply: "results.*.score",
      id: "results.*.id")
    #expect(model.problem == nil && model.asksByList)
    let body = try model.requestBody(
      Ask(.texts(["prompt": "P "], each: [["id": 0, "generation": "a"], ["id": 1, "generation": "{id}"]])))
    #expect(
      body == [
        "items": [["id": 0, "text": "P a"], ["id": 1, "text": "P {id}"]], "about": ["P "],
      ])
    // What one text has for itself stands nowhere else.
    #expect(throws: AskProblem("there is no `generation`, which `body` names")) {
      try list(["all": ["{generation}"], "one": "{generation}"], reply: "*").requestBody(
        Ask(.texts([:], each: [["generation": "a"]])))
    }
  }

  @Test func `answers to several texts belong to them by id, or by place`() throws {
    let byID = list(["x": [["{id}", "{generation}"]]], reply: "r.*.score", id: "r.*.id")
    let answer: JSON = [
      "r": [["id": "2", "score": 0.5], ["id": 0, "score": 0.25], ["id": 1, "score": nil]]
    ]
    #expect(try read(answer, byID).scores == [2: 0.5, 0: 0.25])
    let byPlace = try read(answer, list(["x": ["{generation}"]], reply: "r.*.score"))
    #expect(byPlace.scores == [0: 0.5, 1: 0.25] && byPlace.answers == 3)
    #expect(try read([[0.5], [1]], list(["x": ["{generation}"]], reply: "*.0")).scores == [0: 0.5, 1: 1])
    func failure(_ answer: JSON, _ model: ServerModel) -> String? {
      #expect(throws: ServerFailure.self) { try read(answer, model) }?.description
    }
    #expect(
      failure(["r": [["id": 1, "score": 1], ["id": 1, "score": 2]]], byID) == "two answers have the id 1")
    #expect(failure(["r": [["score": 1]]], byID) == "`r[0].id` is no id that was sent")
    #expect(failure(["r": [["id": -1, "score": 1]]], byID) == "`r[0].id` is no id that was sent")
    #expect(
      failure(["r": [["value": 1]]], list([:], reply: "r.*.score"))
        == "`r.*.score` is nowhere in the response")
    #expect(failure(["r": 3], byID) == "`r` is an integer; expected a list")
  }

  @Test func `a list and its ids have to fit the body`() {
    func problem(_ body: JSON, _ reply: String, _ id: String? = nil) -> String {
      list(body, reply: reply, id: id).problem ?? "nothing"
    }
    let body: JSON = ["x": [["n": "{id}", "t": "{generation}"]]]
    #expect(problem(body, "r.*.s", "r.*.id") == "nothing" && problem(body, "r.*.s") == "nothing")
    #expect(
      problem(["x": "{generation}"], "r.*.s").contains("no list whose only element names `{generation}`"))
    #expect(problem(["x": ["{generation}", "{prompt}"]], "r.*.s").contains("no list"))
    #expect(problem(body, "r.*.*").contains("where the score stands"))
    #expect(problem(body, "r.*.s", "ids.*").contains("in the same list"))
    #expect(problem(body, "r.*.s", "r").contains("in the same list"))
    #expect(problem(body, "r.0.s", "r.*.id").contains("in the same list"))
    #expect(problem(["x": ["{generation}"]], "r.*.s", "r.*.id").contains("write `{id}`"))
  }

  @Test func `what is wrong with a description is said before anything is asked`() {
    #expect(model(.http, body: ["x": "{generation}"]).problem?.contains("`reply`") == true)
    #expect(model(.http, body: ["x": "y"], reply: "a").problem?.contains("names no field") == true)
    #expect(model(.http, body: ["x": "{a"], reply: "a").problem?.contains("byte 1") == true)
    #expect(model(.chat, body: ["n": 4]).problem?.contains("`n`") == true)
    #expect(model(.chat, body: ["stream": true]).problem?.contains("`stream`") == true)
    #expect(model(.chat, body: ["top_k": 4]).problem == nil)
    var named = model(.chat)
    named.url = "https://me:secret@host/v1"
    #expect(named.problem?.contains("password") == true && named.problem?.contains("secret") == false)
  }
}

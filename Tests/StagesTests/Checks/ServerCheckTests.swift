// What `check` says of stages whose model is behind a server: what no server can be asked, and what needs the weights.

import Stages
import Testing
import TinyModel

@Suite struct ServerCheckTests {
  private static let whole = """
    version: 1
    name: x
    models:
      s: {server: "http://127.0.0.1:1/v1", model: tiny}
      c: {server: "http://127.0.0.1:1/v1", model: tiny, interface: completions}
      a: {server: "http://127.0.0.1:1/v1", model: tiny, interface: messages}
      h: {server: "http://127.0.0.1:1/score", interface: http, body: {text: "{generation}"}, reply: score}
      m: {path: sft}
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
      q: {uses: sample, in: {model: s, prompts: rows}, with: {n: 2, max_new_tokens: 4}}
      sc: {uses: score, in: {model: s, rows: q}, with: {scorer: {kind: choice, template: "{generation}?", labels: [a, b], reward: a}}}
      http: {uses: score, in: {model: h, rows: sc}, with: {column: toxicity, scorer: {kind: http}}}
      an: {uses: annotate, in: {model: s, rows: sc}, with: {annotator: {kind: model, template: "{generation}?", max_new_tokens: 9}}}
      e: {uses: evaluate, in: {rows: sc, baseline: sc, judge: s}, with: {metrics: [reward, {kind: win_rate, template: "{prompt}{a}{b}"}]}}

    """

  private static func refused(_ option: String, _ interface: String = "chat") -> String {
    "`\(option)` is set, but the model at `model` is behind a server with `interface: \(interface)`, which is not asked for it"
  }
  private static func away(_ stage: String, _ port: String = "model") -> String {
    "stage `\(stage)`: input `\(port)` needs a model whose weights are here, but this one is behind the server `127.0.0.1:1/v1`"
  }

  private static let cases: [(old: String, new: String, expected: [String])] = [
    ("", "", []),
    // What is sent to every server, and what is sent to some.
    ("max_new_tokens: 4}", "max_new_tokens: 4, temperature: 0.5, top_p: 0.9, top_k: 7, stop: [x]}", []),
    (
      "{model: s, prompts: rows}, with: {n: 2, max_new_tokens: 4}",
      "{model: c, prompts: rows}, with: {max_new_tokens: 4, condition: {text: \"Short: \"}}", []
    ),
    (
      "max_new_tokens: 4}",
      "max_new_tokens: 4, min_p: 0.1, typical_p: 0.5, repetition_penalty: 1.1, presence_penalty: 1, frequency_penalty: 1, bad_words: [x], min_new_tokens: 1, keep_stop: true, statistics: true}",
      [
        "error[conflicting-options] at 11 \"0.1\": stage `q`: \(refused("min_p"))",
        "error[conflicting-options] at 11 \"0.5\": stage `q`: \(refused("typical_p"))",
        "error[conflicting-options] at 11 \"1.1\": stage `q`: \(refused("repetition_penalty"))",
        "error[conflicting-options] at 11 \"1\": stage `q`: \(refused("presence_penalty"))",
        "error[conflicting-options] at 11 \"1\": stage `q`: \(refused("frequency_penalty"))",
        "error[conflicting-options] at 11 \"x\": stage `q`: \(refused("bad_words"))",
        "error[conflicting-options] at 11 \"1\": stage `q`: \(refused("min_new_tokens"))",
        "error[conflicting-options] at 11 \"true\": stage `q`: \(refused("keep_stop"))",
        "error[conflicting-options] at 11 \"true\": stage `q`: \(refused("statistics"))",
      ]
    ),
    (
      "max_new_tokens: 4}", "max_new_tokens: 4, stop: [\"\"]}",
      [
        "error[wrong-value] at 11 \"\"\"\": stage `q`: `stop` contains an empty text, which every sample contains"
      ]
    ),
    // What needs the tokenizer or the classes.
    (
      "max_new_tokens: 4}", "max_new_tokens: 4, max_length: 90}",
      [
        "error[conflicting-options] at 11 \"90\": stage `q`: `max_length` and `cut` count tokens, and the tokenizer of the model at `model` is behind its server"
      ]
    ),
    (
      "max_new_tokens: 4}", "max_new_tokens: 4, overflow: cut, cut: {side: left}, special_tokens: parse}",
      [
        "error[conflicting-options] at 11 \"cut\": stage `q`: `max_length` and `cut` count tokens, and",
        "error[conflicting-options] at 11 \"parse\": stage `q`: `special_tokens: parse` is about tokens, and those of `model` are behind its server",
      ]
    ),
    (
      "max_new_tokens: 4}", "max_new_tokens: 4, condition: best, chat: {date: 2024-01-31}}",
      [
        "error[conflicting-options] at 11 \"best\": stage `q`: `condition` needs what the model was conditioned on, and the model at `model` is behind a server",
        "error[conflicting-options] at 11 \"2024-01-31\": stage `q`: `chat.date` is for a template that is here, and that of `model` is behind its server",
      ]
    ),
    (
      "{model: s, prompts: rows}, with: {n: 2, max_new_tokens: 4}",
      "{model: c, prompts: rows}, with: {max_new_tokens: 4, chat: \"Be short.\"}",
      [
        "error[conflicting-options] at 11 \"\"Be short.\"\": stage `q`: `chat` is set, but the server of `model` has `interface: completions`, which goes on from text"
      ]
    ),
    // Another interface than the stage speaks.
    (
      "{model: s, prompts: rows}", "{model: h, prompts: rows}",
      [
        "error[wrong-model] at 11 \"h\": stage `q`: input `model` needs a server that is asked in words (`chat`, `completions`, `messages`), but this one has `interface: http`"
      ]
    ),
    (
      "{model: s, rows: q}", "{model: a, rows: q}",
      [
        "error[wrong-model] at 12 \"a\": stage `sc`: input `model` needs a server that is asked in words (`chat`, `completions`), but this one has `interface: messages`"
      ]
    ),
    (
      "{model: s, rows: q}, with: {scorer: {kind: choice, ",
      "{model: a, rows: q}, with: {scorer: {kind: choice, by: reply, ", []
    ),
    (
      "{model: s, rows: q}, with: {scorer: {kind: choice, ",
      "{model: m, rows: q}, with: {scorer: {kind: choice, by: reply, ",
      [
        "error[conflicting-options] at 12 \"reply\": stage `sc`: `by: reply` is for a model behind a server, and the weights of this one are here"
      ]
    ),
    (
      "{model: h, rows: sc}", "{model: s, rows: sc}",
      [
        "error[wrong-model] at 13 \"s\": stage `http`: scorer `http` needs a model with `server` and `interface: http` at input `model`"
      ]
    ),
    (
      "{model: h, rows: sc}", "{model: m, rows: sc}",
      [
        "error[wrong-model] at 13 \"m\": stage `http`: scorer `http` needs a model with `server` and `interface: http` at input `model`"
      ]
    ),
    (
      "judge: s}", "judge: h}",
      [
        "error[wrong-model] at 15 \"h\": stage `e`: input `judge` needs a server that is asked in words (`chat`, `completions`, `messages`), but this one has `interface: http`"
      ]
    ),
    // What needs the weights.
    (
      "{kind: choice, template: \"{generation}?\", labels: [a, b], reward: a}", "{kind: likelihood}",
      ["error[wrong-model] at 12 \"s\": \(away("sc"))"]
    ),
    (
      "{kind: choice, template: \"{generation}?\", labels: [a, b], reward: a}", "{kind: reward}",
      ["error[wrong-model] at 12 \"s\": \(away("sc"))"]
    ),
    (
      "judge: s}, with: {metrics: [reward, ", "judge: s, reference: s}, with: {metrics: [perplexity, ",
      ["error[wrong-model] at 15 \"s\": \(away("e", "reference"))"]
    ),
    (
      "  e: {uses",
      "  t: {uses: train, in: {model: s, rows: sc}, with: {lr: 1.0e-3, conditioning: {kind: none}}}\n  e: {uses",
      ["error[wrong-model] at 15 \"s\": \(away("t"))"]
    ),
    // An annotator.
    (
      "max_new_tokens: 9}", "max_new_tokens: 9, max_length: 50, min_p: 0.5}",
      [
        "error[conflicting-options] at 14 \"50\": stage `an`: `max_length` and `cut` count tokens, and",
        "error[conflicting-options] at 14 \"0.5\": stage `an`: \(refused("min_p"))",
      ]
    ),
    (
      "max_new_tokens: 9}", "max_new_tokens: 9, schema: schema.json}",
      [
        "error[wrong-value] at 14 \"schema.json\": stage `an`: schema.json: `schema.type` has \"nonsense\"; expected"
      ]
    ),
    // The description itself.
    (
      "s: {server: \"http://127.0.0.1:1/v1\", model: tiny}",
      "s: {server: \"http://127.0.0.1:1/v1\", body: {n: 4}}",
      [
        "error[wrong-model] at 4 \"s\": model `s`: `body` has `n`: each sample is a request of its own, and is read whole"
      ]
    ),
    (
      "body: {text: \"{generation}\"}, reply: score", "body: {text: \"{generation\"}, reply: score",
      ["error[wrong-model] at 7 \"h\": model `h`: `body`: `{` at byte 1 names no field"]
    ),
    (
      "body: {text: \"{generation}\"}, reply: score", "body: {text: constant}, reply: score",
      ["error[wrong-model] at 7 \"h\": model `h`: `body` names no field, such as `{generation}`"]
    ),
    (
      "reply: score", "reply: scores..0",
      ["error[wrong-model] at 7 \"h\": model `h`: `reply` has to say where the score stands in the response"]
    ),
  ]

  @Test(arguments: cases.indices) func `each mistake is said once, at its place`(_ index: Int) throws {
    let bench = try CheckBench()
    try bench.write("{\"type\": \"nonsense\"}", to: "schema.json")
    let (old, new, expected) = Self.cases[index]
    #expect(old.isEmpty || Self.whole.contains(old))
    let text = old.isEmpty ? Self.whole : Self.whole.replacing(old, with: new, maxReplacements: 1)
    let found = try bench.check(text)
    let matches = found.count == expected.count && zip(found, expected).allSatisfy { $0.hasPrefix($1) }
    #expect(
      matches,
      "\(new)\nfound:\n\(found.joined(separator: "\n"))\nexpected:\n\(expected.joined(separator: "\n"))")
  }
}

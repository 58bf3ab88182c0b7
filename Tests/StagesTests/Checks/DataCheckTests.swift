// What `check` says of the options of `data`, each mistake at its place.

import Runner
import Stages
import Testing

@Suite struct DataCheckTests {
  private func found(_ with: String, after: String = "", inputs: String = "") throws -> [String] {
    try CheckBench().check(
      """
      version: 1
      name: x
      models: {m: {path: sft}}
      stages:
        rows: {uses: data, \(inputs)with: {path: train.jsonl, \(with)}}
      \(after)
      """)
  }

  @Test(arguments: [
    ("fields: {new: \"{prompt}\"}, keep: [new]", nil),
    (
      "fields: {new: \"{promt}\"}, keep: [new]",
      "error[unknown-field] at 5 \"\"{promt}\"\": stage `rows`: train.jsonl:1:1: option `fields.new`: no field `promt`; the row has `id`, `prompt`"
    ),
    (
      "fields: {new: {form: prompt}}",
      "error[unknown-key] at 5 \"form\": `fields.new` has no option called `form`"
    ),
    (
      "fields: {a: \"{b}\", b: \"{a}\"}",
      "error[conflicting-options] at 5 \"\"{b}\"\": stage `rows`: `fields`: `a`, `b` are made of each other"
    ),
    (
      "fields: {\"\": a}",
      "error[bad-name] at 5 \"\"\"\": `fields` has an entry without a name"
    ),
    ("fields: [a]", "error[wrong-type] at 5 \"[a]\": `fields` must be a mapping, found a list"),
    (
      "keep: {id: prompt}",
      "error[wrong-value] at 5 \"prompt\": stage `rows`: `keep` names `id`, but a column of this name exists already"
    ),
    (
      "cuttable: [promt]",
      "error[unknown-field] at 5 \"promt\": stage `rows`: `cuttable` names `promt`, which is not a field of `prompt`"
    ),
    (
      "generations: [\"{a}\"]",
      "error[unknown-field] at 5 \"\"{a}\"\": stage `rows`: train.jsonl:1:1: option `generations`: no field `a`; the row has `id`, `prompt`"
    ),
    (
      "generations: [\"{id}\", \"{id}\"], samples: {rewards: [id]}",
      "error[conflicting-options] at 5 \"id\": stage `rows`: `samples.rewards` has 1 fields, but there are 2 generations"
    ),
    (
      "where: [{field: prompt}]",
      "error[wrong-value] at 5 \"prompt\": stage `rows`: `where.0` does not test `prompt`"
    ),
    (
      "where: [{field: prompt, is: c}]",
      "error[no-rows] at 5 \"prompt\": stage `rows`: train.jsonl: none of 8 lines was taken: 0 were bad, 8 did not satisfy `where`"
    ),
    (
      "where: [{field: prompt, tokens: {at_most: 3}}]",
      "error[missing-input] at 5 \"3\": stage `rows`: `where` counts tokens, which needs the input `tokenizer`"
    ),
    (
      "partition: {shares: {train: 0.5, valid: 0.4}, take: train}",
      "error[wrong-value] at 5 \"0.5\": stage `rows`: `partition.shares` sum to 0.9; expected 1"
    ),
    (
      "partition: {shares: {train: 0.5, valid: 0.5}, take: vaild}",
      "error[wrong-value] at 5 \"vaild\": stage `rows`: `partition.take` names `vaild`, which is not one of `shares`"
    ),
    (
      "partition: {shares: {train: 0.5, valid: 0.5}}",
      "error[missing-key] at 5 \"{shares: {train: 0.5, valid: 0.5}}\": `partition` lacks the option `take`"
    ),
    (
      "partition: {shares: {train: 1}, take: train, by: promt}",
      "error[unknown-field] at 5 \"1\": stage `rows`: train.jsonl:1:1: option `partition`: no field `promt`; the row has `id`, `prompt`"
    ),
    (
      "dedup: promt",
      "error[unknown-field] at 5 \"promt\": stage `rows`: train.jsonl:1:1: option `dedup`: no field `promt`; the row has `id`, `prompt`"
    ),
    ("dedup: prompt, shuffle: true, skip: 1", nil),
    (
      "dedup: prompt, shuffle: true, skip: 2",
      "error[no-rows] at 5 \"2\": stage `rows`: train.jsonl: all 2 rows are skipped"
    ),
    (
      "skip: 8",
      "error[no-rows] at 5 \"8\": stage `rows`: train.jsonl: none of 8 lines was taken: 0 were bad, 0 did not satisfy `where`, 8 were skipped"
    ),
  ]) func `a mistake is found before a run`(with: String, expected: String?) throws {
    #expect(try found(with) == (expected.map { [$0] } ?? []))
  }

  @Test func `a tokenizer that nothing needs is a warning`() throws {
    let inputs = "in: {tokenizer: m}, "
    #expect(try found("where: [{field: prompt, tokens: {at_most: 3}}]", inputs: inputs) == [])
    #expect(
      try found("limit: 3", inputs: inputs) == [
        "warning[unused-input] at 5 \"m\": stage `rows`: no condition of `where` counts tokens, so `tokenizer` is not read"
      ])
  }

  @Test func `columns under new names, given texts and lists of fields are known to later stages`() throws {
    let later = """
        a:
          uses: command
          in: {rows: rows}
          with: {run: [./a], rows: stream, inputs: [{name: rows, columns: [prompt, kind, generations, rewards, prompt_fields]}], outputs: [{name: rows}]}
        b:
          uses: command
          in: {rows: a}
          with: {run: [./a], rows: stream, inputs: [{name: rows, columns: [kind, rewards]}], outputs: [{name: rows}]}
        q: {uses: quantize, in: {rows: b}}

      """
    let with =
      "fields: {n: {from: id}}, cuttable: [prompt], keep: {kind: n}, generations: [\"{id}\"], samples: {rewards: [n]}"
    #expect(try found(with, after: later) == [])
    let lacking = try found(with.replacing("{kind: n}", with: "{kinds: n}"), after: later)
    #expect(
      lacking == [
        "error[missing-column] at 8 \"rows\": input `rows` of `a` needs the column `kind`, which `rows` does not give",
        "warning[unknown-column] at 12 \"a\": input `rows` of `b` needs the column `kind`, which is not known of the rows that `a` gives",
      ])
  }

  @Test func `of rows whose options are wrong no column is said to be missing`() throws {
    let later = """
        q: {uses: command, in: {rows: rows}, with: {run: [./a], inputs: [{name: rows, columns: [kind]}], outputs: [{name: out}]}}

      """
    for with in ["keep: kind", "keeep: [kind]", "keep: [kind, 3]"] {
      let found = try found(with, after: later)
      #expect(found.count == 1 && !found[0].contains("missing-column"), "\(found)")
    }
  }
}

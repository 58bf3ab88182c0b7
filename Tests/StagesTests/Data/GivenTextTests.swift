// Texts of a data file as generations, with what goes by samples beside them.

import JSON
import Runner
import Stages
import Testing

struct GivenTextTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private let pair =
    #"{"prompt":"p","chosen":" yes<|im_end|>","rejected":"no","score_a":1.5,"score_b":null,"label":3}"#

  @Test func `pairs become generations, and fields for each of them a list`() throws {
    let rows = try bench.dataRows(
      pair,
      [
        "generations": ["{chosen}", "{rejected}!"], "samples": ["rewards": ["score_a", "score_b"]],
        "keep": ["class": "label"],
      ])
    #expect(
      rows.first.map { $0.columns.text() }.map { String($0.drop { $0 != "," }) }
        == #","prompt":"p","generations":[" yes<|im_end|>","no!"],"class":3,"rewards":[1.5,null]}"#)
  }

  @Test func `the port declares what goes by samples, also under other names`() throws {
    let options: JSON = [
      "generations": ["{a}"], "keep": ["rewards": "x", "n": "y"], "samples": ["vader": ["z"]],
    ]
    let port = try #require(DataStage.declaration(for: options).outputs.first)
    #expect(port.columns == ["prompt", "n"] && port.samples == ["generations", "vader", "rewards"])
    let renamed = try #require(
      DataStage.declaration(for: ["samples": ["generations": "texts", "marks": "m"]]).outputs.first)
    #expect(renamed.columns == ["prompt"] && renamed.samples == ["generations", "marks"])
  }

  @Test func `a mapping renames, in the order of the names' bytes`() throws {
    let line = #"{"prompt":"p","texts":["a","b"],"m":[1,2],"in":{"n":5}}"#
    let rows = try bench.dataRows(
      line, ["keep": ["z": "in.n", "b": "prompt"], "samples": ["marks": "m", "generations": "texts"]])
    #expect(
      rows.first.map { $0.columns.text() }.map { String($0.drop { $0 != "," }) }
        == #","prompt":"p","b":"p","z":5,"generations":["a","b"],"marks":[1,2]}"#)
  }

  @Test func `lists of another length are refused, before a run where that is known`() {
    #expect(
      bench.dataFailure(pair, ["generations": ["{chosen}"], "samples": ["r": ["score_a", "score_b"]]])
        == "option `samples.r` has 2 fields, but there are 1 generations; write one field for each of `generations`"
    )
    #expect(
      bench.dataFailure(pair, ["generations": ["{chosen}", "{rejected}"], "samples": ["label"]])
        == "data.jsonl:1:1: `label` is an integer; expected a list with one entry per generation")
    #expect(
      bench.dataFailure(pair, ["generations": ["{chosen}"], "keep": ["generations": "chosen"]]).contains(
        "option `keep` names `generations`, but a column of this name exists already"))
    #expect(
      bench.dataFailure(pair, ["generations": ["{reject}"]]).contains(
        "option `generations`: no field `reject`"))
    #expect(
      bench.dataFailure(pair, ["generations": ["{"]]).hasPrefix("option `generations.0`: `{` at byte 1"))
    #expect(bench.dataFailure(pair, ["keep": ["a": "label", "prompt": "label"]]).contains("names `prompt`"))
  }
}

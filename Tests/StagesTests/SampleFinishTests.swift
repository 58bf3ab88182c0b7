// How a sample ended, as rows say it.

import JSON
import Models
import Runner
import Stages
import Testing

struct SampleFinishTests {
  let bench = ModelBench()

  @Test func `rows say how each sample ended`() throws {
    let model = try bench.model()
    let output = try bench.run(
      SampleStage(), ["n": 24, "max_new_tokens": 30, "stop": ["z"], "temperature": 1.5],
      models: ["model": model],
      rows: prompts, port: "prompts")
    var seen: Set<String> = []
    for row in try bench.rows(output) {
      let samples = try SampleLists(row, ColumnTable(samples: usualSampleColumns))
      for index in 0..<samples.count {
        let finish = try #require(samples["finish"]?[index].stringValue)
        let length = try #require(samples["lengths"]?[index].intValue)
        seen.insert(finish)
        #expect(samples["finished"]?[index] == .bool(finish == "end"))
        if finish == "length" { #expect(length == 30) }
        #expect(try SampleFinish(samples, index, of: row)?.rawValue == finish)
      }
    }
    #expect(seen == ["end", "stop", "length"])
    let old = Row(["id": "a", "generations": ["x", "y"], "finished": [true, false]])
    let samples = try SampleLists(old, ColumnTable(samples: usualSampleColumns))
    #expect(try SampleFinish(samples, 0, of: old) == .end && SampleFinish(samples, 1, of: old) == .length)
    let wrong = Row(["id": "a", "generations": ["x"], "finish": ["cut"]])
    #expect(
      inputError {
        _ = try SampleFinish(
          SampleLists(wrong, ColumnTable(samples: ["generations", "finish"])), 0, of: wrong)
      }.contains("entry 0 of `finish` is \"cut\""))
  }
}

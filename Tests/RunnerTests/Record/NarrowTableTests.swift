// Tables on a terminal that is too narrow for them.

import JSON
import Runner
import System
import TestFolder
import Testing

@Suite struct NarrowTableTests {
  @Test func `columns are given up in the order that is asked for, until the others fit`() {
    let rows = [["name", "b", "c"], ["long name", "22", "333"]]
    func fitting(_ columns: Int) -> (text: String, dropped: [Int]) {
      let found = TextTable.fitting(rows, to: columns, dropping: [1, 2])
      return (TextTable.aligned(found.rows), found.dropped)
    }
    #expect(fitting(18).dropped == [])
    #expect(fitting(17).text == "name         c\nlong name  333\n" && fitting(17).dropped == [1])
    #expect(fitting(13).text == "name\nlong name\n" && fitting(13).dropped == [1, 2])
    // The first column stays, whatever the terminal is.
    #expect(fitting(1).text == "name\nlong name\n")
  }

  @Test func `runs keeps its names, and gives up how long they took before what they measured`() throws {
    let folder = TemporaryFolder()
    for (id, lr) in [("1", 0.1), ("2", 0.2)] {
      let path = "\(folder.path)/x/\(id)"
      try File.makeDirectory(path)
      try File.writeWhole("{\"parameters\":{\"lr\":\(lr)}}", to: "\(path)/run.json")
      try File.writeWhole("{\"reward\":0.5,\"perplexity\":12.5}", to: "\(path)/metrics.json")
      try File.writeWhole(
        "{\"event\":\"run-finished\",\"exit\":0,\"seconds\":1}\n", to: "\(path)/events.jsonl")
    }
    let runs = try ["1", "2"].compactMap { try RunSummary(directory: "\(folder.path)/x/\($0)") }
    let table = try RunTable(runs, sort: nil)
    let whole = table.text(columns: 200)
    #expect(whole.hidden.isEmpty && whole.text == table.text(.text))
    func heading(_ columns: Int) -> [Substring] {
      let text = table.text(columns: columns).text
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= columns }, "\(text)")
      return text.split(separator: "\n")[0].split(separator: " ")
    }
    #expect(heading(55) == ["run", "experiment", "state", "took", "lr", "reward", "perplexity"])
    #expect(heading(50) == ["run", "experiment", "state", "lr", "reward", "perplexity"])
    #expect(heading(44) == ["run", "experiment", "state", "reward", "perplexity"])
    #expect(heading(34) == ["run", "experiment", "state", "reward"])
    #expect(table.text(columns: 34).hidden == ["took", "stages", "lr", "perplexity"])
    #expect(heading(15) == ["run", "experiment"] && heading(5) == ["run"])
  }
}

// Numbers that stages report with their progress: through the worker's events, the run's, and back out of its folder.

import JSON
import Runner
import Synchronization
import System
import TestFolder
import Testing

@Suite struct ProgressValuesTests {
  private static let progress = NodeProgress(
    done: 3, total: 9, unit: "steps", message: "loss 1.5",
    values: [NodeProgress.Value("loss", 1.5), NodeProgress.Value("gradient_norm", 0.25)])

  @Test func `a worker's progress is read back with its numbers, in their order`() throws {
    let text = WorkerEvent.progress(Self.progress).json.text()
    #expect(text.hasSuffix("\"values\":{\"loss\":1.5,\"gradient_norm\":0.25}}"), "\(text)")
    guard case .progress(let read)? = WorkerEvent(line: Array(text.utf8)) else {
      Issue.record("\(text) is no progress")
      return
    }
    #expect(read == Self.progress)
  }

  @Test(arguments: [
    #"{"event":"progress","done":3,"total":9,"unit":"steps","message":null}"#,
    #"{"event":"progress","done":3,"total":9,"unit":"steps","values":[1]}"#,
    #"{"event":"progress","done":3,"total":9,"unit":"steps","values":{"loss":"1.5"}}"#,
  ]) func `progress without numbers is progress`(text: String) {
    guard case .progress(let read)? = WorkerEvent(line: Array(text.utf8)) else {
      Issue.record("\(text) is no progress")
      return
    }
    #expect(read == NodeProgress(done: 3, total: 9, unit: "steps"))
    #expect(!WorkerEvent.progress(read).json.text().contains("values"))
  }

  @Test func `numbers take little of an event`() {
    let values = (0..<20).map { (name: "v\($0)", value: 1 / 3.0) } + [("loss", .nan)]
    let kept = NodeProgress.Value.kept([("loss", .infinity)] + values)
    #expect(kept.map(\.name) == (0..<8).map { "v\($0)" } && kept.allSatisfy { $0.value == 0.3333 })
  }

  @Test func `a reporter that takes no numbers is given the progress`() {
    final class Older: StageReporter {
      let done = Mutex<[Int]>([])
      func progress(done: Int, total: Int, unit: String, message: String?) {
        self.done.withLock { $0.append(done) }
      }
      func log(_ line: String) {}
      func measure(_ name: String, _ value: Double) {}
      var isStopRequested: Bool { false }
    }
    let reporter = Older()
    let context = StageContext(
      options: StageOptions([:]), inputs: [:], seed: 1, threads: 1, scratch: "", checkpointDirectory: "",
      outputDirectory: "", reporter: reporter)
    context.progress(1, of: 2, unit: "rows")
    context.progress(2, of: 2, unit: "rows", values: [("loss", 1)])
    #expect(reporter.done.withLock { $0 } == [1, 2])
  }

  @Test func `a run's folder has the curve; what an attempt reports again takes the place of what was there`()
    throws
  {
    let folder = TemporaryFolder()
    try folder.write(#"{"nodes": [{"address": "train", "stage": "train"}]}"#, to: "plan.json")
    let lines = [(1, "3.0"), (2, "2.0"), (4, "1.5"), (2, "2.5"), (3, "1e999")].map { done, loss in
      #"{"event":"node-progress","node":"train","done":\#(done),"total":9,"unit":"steps","values":{"loss":\#(loss),"gradient_norm":1}}"#
    }
    let last =
      #"{"event":"node-progress","node":"train","done":3,"total":9,"unit":"steps","values":{"loss":2.0,"validation_loss":7,"gradient_norm":1}}"#
    let before = #"{"event":"node-progress","node":"train","done":0,"total":9,"unit":"steps"}"#
    try folder.write(([before] + lines + [last]).joined(separator: "\n") + "\n", to: "events.jsonl")
    let series = try #require(try RunNode.read(folder.path).first).series
    #expect(series.map(\.name) == ["loss", "validation_loss", "gradient_norm"])
    #expect(
      series.first?.points.map(\.done) == [1, 2, 3] && series.first?.points.map(\.value) == [3, 2.5, 2])
  }
}

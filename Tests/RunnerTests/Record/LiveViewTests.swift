import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing

@Suite struct LiveViewTests {
  private let plan = Plan(
    experimentName: "toy",
    nodes: ["first", "second"].enumerated().map { index, address in
      PlanNode(
        index: index, address: address, stage: "s", options: [:], files: [], inputs: [], seed: 0,
        numericMode: "bf16", execution: ExecutionSettings(), recipeKey: "")
    }, models: [], metrics: [])

  @Test func `every frame hides the cursor and shows it again, and erases what the one before drew`() throws {
    let folder = TemporaryFolder()
    let file = try File.open("\(folder.path)/screen", O_WRONLY | O_CREAT | O_APPEND)
    let view = LiveView(file, usesColor: false)
    view.observe(.nodeStarted(0, key: "", attempt: 1, reasons: []), in: plan)
    view.tick()
    view.observe(
      .nodeProgress(0, NodeProgress(done: 1, total: 4, unit: "rows", message: "loss 3.2")), in: plan)
    view.tick()
    view.observe(.nodeStopped(0), in: plan)
    view.observe(.runFinished(.done, seconds: 1, RunTotals()), in: plan)
    try file.close()
    let frames = folder.text("screen").split(separator: "\u{1B}[?2026h").map(String.init)
    #expect(frames.count == 4, "\(frames)")
    for frame in frames {
      #expect(frame.hasPrefix("\u{1B}[?25l") && frame.hasSuffix("\u{1B}[?25h\u{1B}[?2026l"), "\(frame)")
    }
    // The running line and the one of the run; without a terminal it is 80 wide, where nothing is broken in two.
    #expect(frames[1].contains("\r\u{1B}[2A\u{1B}[J") && frames[1].contains("1/4 rows"), "\(frames[1])")
    #expect(frames[2].contains("\r\u{1B}[2A\u{1B}[J– first stopped\n"), "\(frames[2])")
  }
}

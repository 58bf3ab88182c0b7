// `track:`: where else than in its folder a run's numbers are written.

import JSON
import System

package struct Tracking: Sendable {
  /// The folder that TensorBoard is given, absolute.
  package var tensorBoard: String?

  package init() {}
}

struct TrackingDecoder {
  let collector: DiagnosticCollector

  func decode(_ node: Node?) -> Tracking {
    var tracking = Tracking()
    guard let node, !node.isNull,
      let fields = collector.fields(node, of: "`track`", known: Language.trackers.names)
    else { return tracking }
    if let node = fields["tensorboard"], !node.isNull,
      let fields = collector.fields(node, of: "`tensorboard`", known: Language.tensorBoard.names)
    {
      tracking.tensorBoard = folder(fields["dir"], in: node)
    }
    return tracking
  }

  /// A path is relative to the folder of the file that has it; the folder need not be there yet.
  private func folder(_ node: Node?, in parent: Node) -> String? {
    guard let node else {
      collector.missingKey("dir", of: "`tensorboard`", at: parent.span, help: "write `dir: ../tensorboard`")
      return nil
    }
    guard let text = collector.string(node, "`dir`") else { return nil }
    guard !text.isEmpty, !text.utf8.contains(0) else {
      collector.error(.wrongValue, "`dir` is empty", at: node.span, label: "expected a folder")
      return nil
    }
    let base = (node.origin ?? node.span).file.folder
    return ProjectPaths.normalized(text.utf8.first == 0x2F ? text : "\(base)/\(text)")
  }
}

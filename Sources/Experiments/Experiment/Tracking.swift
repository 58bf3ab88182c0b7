// `track:`: where else than in its folder a run's numbers are written.

import JSON
import System

package struct Tracking: Sendable {
  package struct MLflow: Sendable, Equatable {
    /// `http://127.0.0.1:5000`
    package let uri: String
    /// Its name there; nil for the experiment's own.
    package let experiment: String?

    package init(uri: String, experiment: String? = nil) {
      self.uri = uri
      self.experiment = experiment
    }
  }

  /// The folder that TensorBoard is given, absolute.
  package var tensorBoard: String?
  package var mlflow: MLflow?

  package init() {}

  package var isEmpty: Bool { tensorBoard == nil && mlflow == nil }
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
    if let node = fields["mlflow"], !node.isNull,
      let fields = collector.fields(node, of: "`mlflow`", known: Language.mlflow.names)
    {
      tracking.mlflow = server(fields, in: node)
    }
    return tracking
  }

  private func server(_ fields: Fields, in parent: Node) -> Tracking.MLflow? {
    guard let node = fields["uri"] else {
      collector.missingKey("uri", of: "`mlflow`", at: parent.span, help: "write `uri: http://127.0.0.1:5000`")
      return nil
    }
    guard let uri = collector.string(node, "`uri`") else { return nil }
    let rest = ["http://", "https://"].first { uri.hasPrefix($0) }.map { uri.dropFirst($0.count) }
    guard let rest, !rest.isEmpty, !rest.hasPrefix("/"), uri.unicodeScalars.allSatisfy({ $0.value > 0x20 })
    else {
      collector.error(
        .wrongValue, "`uri` must be the address of a server, found `\(uri)`", at: node.span,
        label: "expected `http://…` or `https://…`")
      return nil
    }
    // What stands in a file is read by everyone who has it.
    guard !rest.prefix(while: { $0 != "/" }).contains("@") else {
      collector.error(
        .literalSecret, "`uri` holds a user or a password", at: node.span, label: "a secret in the file",
        help: "a token is in the environment: `MLFLOW_TRACKING_TOKEN`")
      return nil
    }
    return Tracking.MLflow(
      uri: uri, experiment: fields["experiment"].flatMap { collector.string($0, "`experiment`") })
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

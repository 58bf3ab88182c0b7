// The user's own configuration, for all experiments: prices of servers, and where runs are tracked. In no key.

import Glibc
import JSON
import System

package struct UserConfiguration: Sendable {
  package struct Price: Sendable {
    /// A server's identity.
    package let server: String
    /// Nil for any.
    package let model: String?
    package let price: ServerModel.Price
  }

  package private(set) var prices: [Price] = []
  package private(set) var tracking = Tracking()

  package init() {}

  /// `$PLUMB_CONFIG`, else `plumb/config.yaml` in the user's configuration folder; nil where neither is known.
  package static var path: String? {
    if let path = environmentValue("PLUMB_CONFIG") { return Path.absolute(path) }
    if let folder = environmentValue("XDG_CONFIG_HOME") {
      return "\(Path.absolute(folder))/plumb/config.yaml"
    }
    return environmentValue("HOME").map { "\($0)/.config/plumb/config.yaml" }
  }

  /// Nothing where there is no file.
  package static func read(_ path: String? = path) throws(DiagnosticList) -> UserConfiguration {
    let collector = DiagnosticCollector()
    let configuration = UserConfiguration(path: path, collector)
    if collector.list.hasErrors { throw collector.list }
    return configuration
  }

  private init(path: String?, _ collector: DiagnosticCollector) {
    guard let path, FileStatus.of(path) != nil else { return }
    let file: SourceFile
    do { file = try SourceFile.read(path) } catch {
      for problem in error.diagnostics { collector.add(problem) }
      return
    }
    guard let root = Document.read(file, collector)?.root,
      let fields = collector.fields(root, of: "your configuration", known: Language.userConfiguration.names)
    else { return }
    tracking = TrackingDecoder(collector: collector).decode(fields["track"])
    guard let node = fields["prices"], !node.isNull else { return }
    guard case .sequence(let entries) = node.content else {
      collector.wrongType(
        node, "`prices`", expected: "a list",
        help: "`prices: [{server: HOST/v1, model: NAME, input: 0.15, output: 0.6}]`, for a million tokens")
      return
    }
    prices = entries.compactMap { Self.price($0, collector) }
  }

  private static func price(_ node: Node, _ collector: DiagnosticCollector) -> Price? {
    let what = "an entry of `prices`"
    guard let fields = collector.fields(node, of: what, known: Language.prices.names) else { return nil }
    func number(_ name: String) -> Double? {
      guard let node = fields[name] else {
        collector.missingKey(name, of: what, at: node.span, help: "the price of a million tokens")
        return nil
      }
      return collector.number(node, "`\(name)` of \(what)", Language.serverMoney, exclusiveMinimum: false)
    }
    guard let server = fields["server"] else {
      collector.missingKey("server", of: what, at: node.span, help: "such as `server: api.example.com/v1`")
      return nil
    }
    guard let identity = collector.string(server, "`server` of \(what)"), let input = number("input"),
      let output = number("output")
    else { return nil }
    return Price(
      server: identity, model: fields["model"].flatMap { collector.string($0, "`model` of \(what)") },
      price: ServerModel.Price(
        input: input, output: output,
        currency: fields["currency"].flatMap { collector.string($0, "`currency` of \(what)") } ?? "USD"))
  }

  /// The price of a server's model; the first entry that names both wins over one that names the server alone.
  package func price(of server: ServerModel) -> ServerModel.Price? {
    let ofServer = prices.filter { UTF8Key($0.server) == UTF8Key(server.identity) }
    let exact = ofServer.first { entry in
      entry.model.map { UTF8Key($0) } == server.model.map { UTF8Key($0) } && entry.model != nil
    }
    return (exact ?? ofServer.first { $0.model == nil })?.price
  }
}

// What a stage can say before anything runs: from its options, what is bound to its inputs, and what is known of that.

import JSON

/// What is known of one declared stage when an experiment is checked.
public struct StageCheck: Sendable {
  /// Decoded without a mistake, defaults filled in.
  public let options: StageOptions
  public let numericMode: String
  private let inputs: [(port: String, artifact: KnownArtifact)]
  private let written: @Sendable (String) -> Bool

  /// - Parameter isWritten: whether the experiment writes an option, or a part of it, by its dotted path.
  public init(
    options: StageOptions, numericMode: String, inputs: [(port: String, artifact: KnownArtifact)],
    isWritten: @escaping @Sendable (String) -> Bool = { _ in true }
  ) {
    self.options = options
    self.numericMode = numericMode
    self.inputs = inputs
    written = isWritten
  }

  /// Whether the experiment writes an option, or a part of it, by its dotted path; otherwise it has its default.
  public func isWritten(_ option: String) -> Bool { written(option) }

  public func isBound(_ port: String) -> Bool { artifact(port) != nil }

  /// Nil when the port is unbound; of a port that collects the first.
  public func artifact(_ port: String) -> KnownArtifact? { artifacts(port).first }

  /// In the order in which the stage will be given them.
  public func artifacts(_ port: String) -> [KnownArtifact] {
    inputs.filter { $0.port.utf8.elementsEqual(port.utf8) }.map(\.artifact)
  }
}

/// What is known of an artifact before it exists. What is not known is absent and causes no message.
public struct KnownArtifact: Sendable, Equatable {
  /// Columns that every row has; sorted.
  public var columns: [String]
  /// Whether rows may have columns beside these.
  public var hasOtherColumns: Bool
  /// By names that stages agree on: what the producing stage declared, or what a model's header says.
  public var facts: JSON

  public init(
    columns: [String] = [], hasOtherColumns: Bool = true, facts: JSON = .object(JSONObject())
  ) {
    self.columns = columns.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    self.hasOtherColumns = hasOtherColumns
    self.facts = facts
  }

  /// Of a model that is behind a server: how it is asked.
  package static let serverFact = "server"

  /// Whether it is certain that no row has the column.
  public func lacks(_ column: String) -> Bool { !hasOtherColumns && lacksName(column) }

  /// Whether the columns are known and this one is not among them.
  public func mayLack(_ column: String) -> Bool { !columns.isEmpty && lacksName(column) }

  /// What holds of both.
  func common(with other: KnownArtifact) -> KnownArtifact {
    if self == other { return self }
    return KnownArtifact(
      columns: columns.filter { !other.lacksName($0) },
      hasOtherColumns: hasOtherColumns || other.hasOtherColumns,
      facts: .object(
        JSONObject((facts.objectValue?.members ?? []).filter { other.facts[$0.key] == $0.value })))
  }

  private func lacksName(_ column: String) -> Bool {
    !columns.contains { $0.utf8.elementsEqual(column.utf8) }
  }
}

/// What a stage found: mistakes, and facts about its outputs that later stages are checked against.
public struct StageFindings: Sendable {
  public enum Place: Sendable, Equatable {
    /// The stage's name.
    case stage
    /// Where an option is written, by its dotted path; the stage's name when the default applies.
    case option(String)
    /// Where an input is bound; the stage's name when it is not.
    case input(String)
    /// Where the model that is bound to an input is declared; where the input is bound when a stage makes it.
    case model(String)
  }

  struct Problem: Sendable {
    var diagnostic: Diagnostic
    var place: Place
  }

  private(set) var problems: [Problem] = []
  private var facts: [(output: String, name: String, value: JSON)] = []

  public init() {}

  /// An error: nothing can be run before it is fixed.
  /// - Parameters:
  ///   - code: explained by `explain CODE`.
  ///   - message: worded to follow the stage's name.
  ///   - inInput: a file is wrong (exit 4), not the experiment (exit 3).
  public mutating func error(
    _ code: DiagnosticCode, _ message: String, at place: Place, label: String? = nil, help: String? = nil,
    inInput: Bool = false
  ) {
    var diagnostic = Diagnostic(code: code, message, at: nil, label: label, help: help)
    diagnostic.concernsInputFile = inInput
    problems.append(Problem(diagnostic: diagnostic, place: place))
  }

  /// A warning: it can run, but probably does not do what was meant.
  public mutating func warning(
    _ code: DiagnosticCode, _ message: String, at place: Place, label: String? = nil, help: String? = nil
  ) {
    problems.append(
      Problem(
        diagnostic: Diagnostic(.warning, code: code, message, at: nil, label: label, help: help), place: place
      ))
  }

  /// Declares a fact about an output.
  public mutating func declare(_ name: String, _ value: JSON, of output: String) {
    facts.append((output, name, value))
  }

  public func facts(of output: String) -> JSON {
    .object(
      JSONObject(
        facts.filter { $0.output.utf8.elementsEqual(output.utf8) }.map { ($0.name, $0.value) }))
  }

  /// `code: message`, for tests.
  package var texts: [String] { problems.map { "\($0.diagnostic.code): \($0.diagnostic.message)" } }
}

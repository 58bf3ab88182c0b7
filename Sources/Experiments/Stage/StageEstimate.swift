// What a stage expects to need, before anything has run: orders of magnitude for `plan` and `check`, never a promise.

import JSON

/// What is known or expected of an artifact; nil where nothing is.
public struct ArtifactSize: Sendable, Equatable {
  public var rows: Int?
  /// For rows: their generations. For a model: its parameters.
  public var items: Int?
  public var bytes: Int?
  /// Of a model: what its header says, by names that the stages agree on.
  public var facts: JSON
  public init(
    rows: Int? = nil, items: Int? = nil, bytes: Int? = nil, facts: JSON = .object(JSONObject())
  ) {
    self.rows = rows
    self.items = items
    self.bytes = bytes
    self.facts = facts
  }

  /// The same rows, but so many of them.
  package func scaled(toRows count: Int) -> ArtifactSize {
    guard let rows, rows > 0, rows != count else {
      return ArtifactSize(rows: count, items: items, bytes: bytes)
    }
    func share(_ value: Int?) -> Int? {
      value.flatMap { Int(exactly: (Double($0) * Double(count) / Double(rows)).rounded()) }
    }
    return ArtifactSize(rows: count, items: share(items), bytes: share(bytes))
  }
}

public struct StageEstimate: Sendable {
  /// By output port.
  public var outputs: [String: ArtifactSize]
  public var memoryBytes: Int?
  public var seconds: Double?
  /// What a server is expected to be asked.
  package var asking: Asking?

  package struct Asking: Sendable, Equatable {
    package var requests: Int
    package var promptTokens: Int
    /// At most.
    package var completionTokens: Int
    package init(requests: Int, promptTokens: Int, completionTokens: Int) {
      (self.requests, self.promptTokens, self.completionTokens) = (requests, promptTokens, completionTokens)
    }
  }

  public init(outputs: [String: ArtifactSize] = [:], memoryBytes: Int? = nil, seconds: Double? = nil) {
    self.outputs = outputs
    self.memoryBytes = memoryBytes
    self.seconds = seconds
  }

  /// Pure but for looking at the files that options name; must not trap on any options that decode.
  public typealias Function = @Sendable (Input) -> StageEstimate

  public struct Input: Sendable {
    public let options: StageOptions
    public let threads: Int
    public let numericMode: String
    private let inputs: [(port: String, size: ArtifactSize)]

    package init(
      options: StageOptions, threads: Int, numericMode: String, inputs: [(port: String, size: ArtifactSize)]
    ) {
      self.options = options
      self.threads = threads
      self.numericMode = numericMode
      self.inputs = inputs
    }

    /// Of an unbound port all is nil; of one that collects, all its artifacts together.
    public func input(_ port: String) -> ArtifactSize {
      let sizes = inputs.filter { $0.port.utf8.elementsEqual(port.utf8) }.map(\.size)
      func total(_ field: KeyPath<ArtifactSize, Int?>) -> Int? {
        let known = sizes.compactMap { $0[keyPath: field] }
        return known.isEmpty || known.count < sizes.count ? nil : known.reduce(0, &+)
      }
      return ArtifactSize(
        rows: total(\.rows), items: total(\.items), bytes: total(\.bytes),
        facts: sizes.count == 1 ? sizes[0].facts : .object(JSONObject()))
    }
  }
}

// The files of a package with one stage: what `plumb new-stage` writes.

import JSON
import Runner
import System

struct StageScaffold {
  /// Where the package finds Plumb.
  enum Source {
    case path(String)
    case url(String)
  }

  private let name: String
  private let source: Source

  /// - Throws: `RunError` when `name` is not one that a stage, a program and a Swift module can bear.
  init(name: String, plumb source: Source) throws {
    let words = name.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    let isName = words.allSatisfy { word in
      !word.isEmpty && word.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
    }
    guard isName, let first = name.utf8.first, (0x61...0x7A).contains(first), name.utf8.count <= 60 else {
      throw RunError(
        .commandLine,
        "`\(name)` cannot name a stage here: write lower-case letters and digits, in words joined by `-`, such as `keep-long`"
      )
    }
    self.name = name
    self.source = source
    if Self.taken.contains(where: { $0.utf8.elementsEqual(module.utf8) }) {
      throw RunError(
        .commandLine, "`\(name)` would be the Swift module `\(module)`, which Plumb has; take another name")
    }
  }

  /// Modules of Plumb and of what it needs, by which no other may be called.
  private static let taken = [
    "Runner", "Models", "Stages", "Commands", "Plumb", "Json", "Crypto", "Program", "Swift", "Testing",
    "Foundation", "Glibc",
  ]

  /// `KeepLong` of `keep-long`.
  private var module: String {
    name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// With the stage's own module, in the order a formatter wants.
  private func imports(_ modules: [String]) -> String {
    (modules + [module]).sorted().map { "import \($0)" }.joined(separator: "\n")
  }

  private var dependency: String {
    switch source {
    case .path(let path): ".package(name: \"plumb\", path: \(JSON.string(path).text()))"
    case .url(let url): ".package(url: \(JSON.string(url).text()), branch: \"main\")"
    }
  }

  /// By what targets call the package: of a URL its last word.
  private var identity: String {
    guard case .url(let url) = source else { return "plumb" }
    let last = url.split(whereSeparator: { $0 == "/" || $0 == ":" }).last.map { String($0) } ?? "plumb"
    return last.hasSuffix(".git") ? String(last.dropLast(4)) : last
  }

  var files: [(path: String, text: String)] {
    [
      ("Package.swift", manifest), ("README.md", readme), (".gitignore", ".build/\n.plumb/\nruns/\n"),
      ("Sources/\(module)/\(module)Stage.swift", stage), ("Sources/Program/main.swift", program),
      ("Tests/\(module)Tests/\(module)StageTests.swift", test), ("experiment.yaml", experiment),
      ("data/questions.jsonl", questions),
    ]
  }

  private var manifest: String {
    """
    // swift-tools-version: 6.2
    import PackageDescription

    let package = Package(
      name: "\(name)",
      products: [.executable(name: "\(name)", targets: ["Program"])],
      dependencies: [
        \(dependency)
      ],
      targets: [
        // The stage, apart from the program, so that tests can call it.
        .target(name: "\(module)", dependencies: [.product(name: "Runner", package: "\(identity)")]),
        .executableTarget(
          name: "Program", dependencies: ["\(module)", .product(name: "Commands", package: "\(identity)")]),
        .testTarget(name: "\(module)Tests", dependencies: ["\(module)"]),
      ],
      swiftLanguageModes: [.v6]
    )

    """
  }

  private var program: String {
    """
    // Everything `plumb` does, with one stage more.

    \(imports(["Commands"]))

    Plumb.main(stages: [\(module)Stage.self])

    """
  }

  private var stage: String {
    #"""
    // `\#(name)`: keeps the rows whose text has a wanted number of words.

    import JSON
    import Runner

    public struct \#(module)Stage: Stage {
      public init() {}

      // Checked before anything runs, shown by `stages \#(name)`, and all part of the key. A value is read by the constant:
      // `context.options[Self.minimum]` is an `Int`.
      static let column = StageOption(
        "column", .string, default: "prompt", summary: "the column whose words are counted")
      static let minimum = StageOption(
        "minimum", .integer(0...1_000_000), default: 1, summary: "the fewest words")
      static let maximum = StageOption(
        "maximum", .optional(.integer(0...1_000_000)), default: nil,
        summary: "the most words; `null` for no limit")

      public static let declaration = StageDeclaration(
        // What stands after `uses:`.
        name: "\#(name)",
        summary: "Keeps the rows whose text has a wanted number of words.",
        // Raise it whenever the same inputs and options would give another result: it is part of every key.
        version: 1,
        inputs: [InputPort("rows", .rows, summary: "rows to choose from")],
        // The first output is the one that the stage's bare name means. Its rows have the input's columns.
        outputs: [
          OutputPort("rows", .rows, passesThrough: "rows", summary: "the rows kept, in their order")
        ],
        options: [column.field, minimum.field, maximum.field]
        // A stage that draws random numbers says `isRandom: true` and takes them from `context.seed`;
        // one that computes in floating point says with what:
        // `numerics: Numerics(deviceClass: "cpu", version: 1, modes: ["fp32"])`.
      )

      public func run(_ context: StageContext) throws {
        let column = context.options[Self.column]
        let minimum = context.options[Self.minimum]
        let maximum = context.options[Self.maximum] ?? Int.max
        // A row without the column is refused here, with its file and line.
        let rows = try readRows(context.input("rows").path, requiring: [column])
        var kept: [Row] = []
        for (index, row) in rows.enumerated() {
          // Where a Ctrl-C is heard.
          try context.checkCancellation()
          guard let text = row[column]?.stringValue else {
            throw InputError("the row `\(row.id)`: `\(column)` must be text")
          }
          let words = text.split(whereSeparator: \.isWhitespace).count
          if words >= minimum, words <= maximum { kept.append(row) }
          context.progress(index + 1, of: rows.count, unit: "rows")
        }
        context.log("\(kept.count) of \(rows.count) rows kept")
        try writeRows(kept, to: context.output("rows", .rows))
      }
    }

    """#
  }

  private var test: String {
    #"""
    \#(imports(["Foundation", "JSON", "Runner", "Testing"]))

    @Suite struct \#(module)StageTests {
      struct Silent: StageReporter {
        func progress(done: Int, total: Int, unit: String, message: String?) {}
        func log(_ line: String) {}
        func measure(_ name: String, _ value: Double) {}
        var isStopRequested: Bool { false }
      }

      /// The ids that are kept; `options` must be complete here, as the runner completes them.
      func kept(_ prompts: [JSON], _ options: JSON) throws -> [String] {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let rows = prompts.enumerated().map { Row(["id": .string("q\($0)"), "prompt": $1]) }
        try writeRows(rows, to: "\(folder)/in.jsonl")
        let context = StageContext(
          options: StageOptions(options),
          inputs: ["rows": Artifact(type: .rows, path: "\(folder)/in.jsonl")], seed: 1, threads: 1,
          scratch: folder, checkpointDirectory: folder, outputDirectory: folder, reporter: Silent())
        try \#(module)Stage().run(context)
        return try readRows(context.output("rows", .rows)).map(\.id)
      }

      @Test func `both bounds belong to what is kept`() throws {
        let prompts: [JSON] = ["one", "one two", " one  two three ", "one two three four"]
        #expect(try kept(prompts, ["column": "prompt", "minimum": 2, "maximum": 3]) == ["q1", "q2"])
        #expect(try kept(prompts, ["column": "prompt", "minimum": 3, "maximum": nil]) == ["q2", "q3"])
      }

      @Test func `what is not text is an input error`() {
        #expect(throws: InputError.self) {
          try kept([7], ["column": "prompt", "minimum": 1, "maximum": nil])
        }
      }
    }

    """#
  }

  private var experiment: String {
    """
    # .build/release/\(name) run experiment.yaml
    version: 1
    name: \(name)
    seed: 42

    params:
      minimum: 5

    stages:
      questions: {uses: data, with: {path: data/questions.jsonl, prompt: "{question}", id: id}}
      long: {uses: \(name), in: {rows: questions}, with: {minimum: $minimum}}
      draw: {in: {rows: long}, with: {count: 2}}

    """
  }

  private let questions = """
    {"id": "q1", "question": "Why?"}
    {"id": "q2", "question": "What does a plumb line show?"}
    {"id": "q3", "question": "Where does it point?"}
    {"id": "q4", "question": "Who used one before there were levels?"}
    {"id": "q5", "question": "What hangs at the end of its string?"}

    """

  private var readme: String {
    """
    # \(name)

    A program that does everything `plumb` does, and one more stage: `uses: \(name)`.

        swift build -c release                         the first time takes minutes: Plumb is built too
        .build/release/\(name) run experiment.yaml
        .build/release/\(name) stages \(name)
        swift test

    | | |
    |---|---|
    | Sources/\(module)/ | the stage: what it declares and what it does |
    | Sources/Program/ | the program; add the names of further stages to its list |
    | Tests/ | tests of the stage on small inputs |
    | experiment.yaml | a use of it |

    What a stage declares (ports, options, version, whether it draws or computes) decides what is checked before a run and what
    enters the key; a wrong `version` or `isRandom` is a wrong cache. A stage whose rows do not depend on each other conforms to
    `RowStage` instead: then finished rows survive a crash and `shards:` works.

    """
  }
}

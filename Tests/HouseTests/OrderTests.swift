// The order of the house: which module may use which, and which folder of a module may use which, read from the sources.

import Testing

private let sources = "\(#filePath)/../../../Sources"

/// `file` of one folder uses `name`, which a folder to its right declares.
private struct Upward: CustomStringConvertible {
  let file: String
  let name: String
  let folder: String
  var description: String { "\(file) uses `\(name)` of \(folder)/" }
}

/// Uses of a folder's names by files of folders that stand before it. A name that two folders declare says nothing and is left out.
private func upwardUses(_ files: [SourceText], order: [String]) -> [Upward] {
  var owners: [String: Set<String>] = [:]
  for file in files { for name in file.declared { owners[name, default: []].insert(file.folder) } }
  func place(_ folder: String) -> Int { order.firstIndex(of: folder) ?? order.count }
  return files.flatMap { file in
    file.used.sorted().compactMap { name -> Upward? in
      guard let folders = owners[name], folders.count == 1, let folder = folders.first, folder != file.folder,
        place(folder) > place(file.folder)
      else { return nil }
      return Upward(file: file.name, name: name, folder: folder)
    }
  }
}

@Suite struct OrderTests {
  /// Each module with those of ours that it may import.
  private static let modules: [(name: String, uses: Set<String>)] = [
    ("JSON", []),
    ("System", ["CCrypto"]),
    ("Compression", ["CZlib", "CZstd", "System"]),
    ("Parquet", ["Compression", "JSON", "System"]),
    ("Search", ["JSON", "System"]),
    ("Charts", ["System"]),
    ("TensorBoard", ["System"]),
    ("HTTP", ["CCurl", "JSON", "System"]),
    ("Models", ["CKernels", "JSON", "System"]),
    ("Experiments", ["CYAML", "Compression", "HTTP", "Search", "JSON", "System"]),
    ("Runner", ["Experiments", "Charts", "HTTP", "Search", "JSON", "System"]),
    ("Servers", ["HTTP", "Experiments", "JSON", "System"]),
    ("RunIndex", ["Runner", "JSON", "System", "CSQLite"]),
    ("Stages", ["HTTP", "Experiments", "Models", "Servers", "Parquet", "Compression", "JSON", "System"]),
    ("Report", ["Runner", "Charts", "Search", "Models", "JSON", "System"]),
    ("Site", ["Report", "Runner", "RunIndex", "Charts", "JSON", "System"]),
    ("Trackers", ["HTTP", "Runner", "TensorBoard", "JSON", "System"]),
    (
      "Commands",
      ["Runner", "RunIndex", "Report", "Site", "Trackers", "Charts", "Stages", "Models", "JSON", "System"]
    ),
    ("plumb", ["Commands"]),
  ]

  private static let folders: [(module: String, order: [String])] = [
    (
      "Experiments",
      ["Diagnostics", "YAML", "Stage", "Experiment", "Plan", "Store", "ModelSource"]
    ),
    // What it exports stands at its top.
    ("Runner", ["", "Execution", "Record", "Sweeps", "Description"]),
    (
      // The stages themselves stand at the module's top.
      "Stages",
      [
        "Rows", "DataFormats", "Patterns", "Text", "Compute", "Data", "Command", "Parsers",
        "Annotators", "Scorers", "Metrics", "Objectives", "Train", "",
        "Checks",
      ]
    ),
    (
      "Models",
      [
        "Tensors", "Random", "Kernels", "Cache", "Tokenizer", "ChatTemplate", "Formats", "Architectures",
        "Decoder",
        "Sampling",
        "Training", "Checkpoint",
      ]
    ),
  ]

  @Test(arguments: modules.indices) func `a module imports only those below it`(_ index: Int) throws {
    let (module, allowed) = Self.modules[index]
    let ours = Set(Self.modules.map(\.name)).union([
      "CKernels", "CCurl", "CYAML", "CCrypto", "CSQLite", "CZlib", "CZstd",
    ])
    for file in try SourceText.all(below: "\(sources)/\(module)") {
      for name in file.imports where ours.contains(name) {
        #expect(allowed.contains(name), "\(module)/\(file.name) imports \(name)")
      }
    }
  }

  @Test(arguments: folders.indices) func `a folder uses only those to its left`(_ index: Int) throws {
    let (module, order) = Self.folders[index]
    let files = try SourceText.all(below: "\(sources)/\(module)")
    #expect(Set(files.map(\.folder)) == Set(order))
    let upward = upwardUses(files, order: order)
    #expect(upward.isEmpty, "\(upward.map(\.description).joined(separator: "\n"))")
  }

  @Test func `a use to the right is found, also inside an interpolation, and text is none`() {
    let left = SourceText(
      folder: "A", name: "A/One.swift",
      text: """
        // Uses Second in a comment.
        struct First { let text = "Second" }
        func show() -> String { "\\(second(1)) and \\"Second\\"" }
        """)
    let right = SourceText(
      folder: "B", name: "B/Two.swift",
      text: "struct Second { let first: First }\npackage func second(_ n: Int) -> Int { n }")
    let found = upwardUses([left, right], order: ["A", "B"])
    #expect(found.map(\.name) == ["second"])
    #expect(upwardUses([left, right], order: ["B", "A"]).map(\.name) == ["First"])
  }
}

// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

/// Swift's libraries inside the program: it starts in half the time, since nothing of theirs is looked up then, and runs where
/// Swift is not installed. Its objects name the libraries it uses; what those use has to be named here.
let selfContained: [LinkerSetting] =
  [.unsafeFlags(["-static-stdlib", "-use-ld=lld"], .when(platforms: [.linux], configuration: .release))]
  + ["CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections"].map {
    .linkedLibrary($0, .when(platforms: [.linux], configuration: .release))
  }

let package = Package(
  name: "plumb",
  products: [
    .executable(name: "plumb", targets: ["plumb"]),
    // For a program with stages of its own: `Plumb.main(stages:)`, what a stage is, and the values it reads.
    .library(name: "Commands", targets: ["Commands", "Runner", "Experiments", "JSON"]),
    .library(name: "Runner", targets: ["Runner", "Experiments", "JSON"]),
    .library(name: "Models", targets: ["Models"]),
    .library(name: "Stages", targets: ["Stages"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // libyaml, as the system ships it.
    .systemLibrary(
      name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    // The arithmetic: one operation a file, every instruction-set path in the same bits.
    .target(name: "CKernels"),
    // One strict JSON value, reader and writer, below both Runner and Models, which never meet.
    .target(name: "JSON", swiftSettings: strict),
    // SHA-256 of the system's libcrypto, linked statically: a program needs no library of it where it runs.
    .systemLibrary(name: "CCrypto", pkgConfig: nil, providers: [.apt(["libssl-dev"])]),
    // The ground floor: files, digests, child processes, signals, clocks, units, text tables, exit codes.
    .target(
      name: "System", dependencies: ["CCrypto"], swiftSettings: strict,
      linkerSettings: [.linkedLibrary(":libcrypto.a", .when(platforms: [.linux]))]),
    // zlib and libzstd, as the system ships them, linked statically.
    .systemLibrary(name: "CZlib", pkgConfig: nil, providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: nil, providers: [.apt(["libzstd-dev"])]),
    // Gzip and zstd, for whole files and for pages of Parquet, and members of zip archives.
    .target(
      name: "Compression", dependencies: ["CZlib", "CZstd", "System"], swiftSettings: strict,
      linkerSettings: [":libz.a", ":libzstd.a"].map { .linkedLibrary($0, .when(platforms: [.linux])) }),
    // The search of hyperparameters as pure functions: spaces, suggestions, early ends, importances.
    .target(name: "Search", dependencies: ["JSON", "System"], swiftSettings: strict),
    // Pictures of numbers: SVG, and characters in a terminal.
    .target(name: "Charts", dependencies: ["System"], swiftSettings: strict),
    // Files of events for TensorBoard.
    .target(name: "TensorBoard", dependencies: ["System"], swiftSettings: strict),
    // libcurl, opened where something is fetched and never linked: a program that fetches nothing starts without its 33 libraries.
    .target(name: "CCurl"),
    // Requests over HTTP, many at once, with connections kept.
    .target(name: "HTTP", dependencies: ["CCurl", "JSON", "System"], swiftSettings: strict),
    // Parquet files, read-only.
    .target(name: "Parquet", dependencies: ["Compression", "JSON", "System"], swiftSettings: strict),
    .target(name: "Models", dependencies: ["CKernels", "JSON", "System"], swiftSettings: strict),
    // What an experiment says: the language, the plan, the key, the store, and what a stage is.
    .target(
      name: "Experiments", dependencies: ["CYAML", "Compression", "HTTP", "Search", "JSON", "System"],
      swiftSettings: strict),
    // What runs it, and what is kept and said of a run.
    .target(
      name: "Runner", dependencies: ["Experiments", "Charts", "HTTP", "Search", "JSON", "System"],
      swiftSettings: strict),
    // Language models behind a server: what is sent, what comes back, how many at once, and what is kept of it.
    .target(name: "Servers", dependencies: ["HTTP", "Experiments", "JSON", "System"], swiftSettings: strict),
    // What tells others of a run: TensorBoard, MLflow.
    .target(
      name: "Trackers", dependencies: ["HTTP", "Runner", "TensorBoard", "JSON", "System"],
      swiftSettings: strict),
    // SQLite, as the system ships it.
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    // The index of all runs in SQLite. Apart from Runner, so that a stage's package links no database.
    .target(
      name: "RunIndex",
      dependencies: ["Runner", "JSON", "System", "CSQLite"],
      swiftSettings: strict),
    .target(
      name: "Stages",
      dependencies: ["HTTP", "Experiments", "Models", "Servers", "Parquet", "Compression", "JSON", "System"],
      swiftSettings: strict),
    // Pages about runs and sweeps: HTML and Markdown.
    .target(
      name: "Report",
      dependencies: [
        "Runner", "Charts", "Search", "Models", "JSON", "System",
      ], swiftSettings: strict),
    // Those pages and all runs, on a server for this machine alone.
    .target(
      name: "Site",
      dependencies: [
        "Report", "Runner", "RunIndex", "Charts", "JSON", "System",
      ], swiftSettings: strict),
    .target(
      name: "Commands",
      dependencies: [
        "Runner", "RunIndex", "Report", "Site", "Trackers", "Charts", "Stages", "Models", "JSON", "System",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .executableTarget(
      name: "plumb", dependencies: ["Commands"], swiftSettings: strict, linkerSettings: selfContained),
    // What the machine's registers and memory allow, to hold the kernels against.
    .target(name: "Ceiling", path: "Benchmarks/Ceiling"),
    // Does what Benchmarks/engine.py times; not a product.
    .executableTarget(
      name: "EngineBench", dependencies: ["Models", "Ceiling", "JSON"], path: "Benchmarks/Engine",
      swiftSettings: strict),
    // Does what Benchmarks/data.py times; not a product.
    .executableTarget(
      name: "DataBench", dependencies: ["Stages", "JSON"], path: "Benchmarks/Data", swiftSettings: strict,
      linkerSettings: selfContained),
    // Does what Benchmarks/search.py compares; not a product.
    .executableTarget(
      name: "SearchBench", dependencies: ["Search", "JSON", "System"], path: "Benchmarks/Search",
      swiftSettings: strict),
    // A folder for one test, and processor time: for all of the test targets; not a product.
    .target(name: "TestFolder", path: "Tests/TestFolder", swiftSettings: strict),
    // Zip archives, pickles and PyTorch files, right or wrong, for tests and fuzzing; not a product.
    .target(name: "ModelFileBuilders", path: "Tests/ModelFileBuilders", swiftSettings: strict),
    // Reads the sources: the order of modules and folders, and what a seam may name.
    .testTarget(name: "HouseTests", swiftSettings: strict),
    .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: strict),
    .testTarget(name: "ChartsTests", dependencies: ["Charts"], swiftSettings: strict),
    .testTarget(
      name: "TensorBoardTests", dependencies: ["TensorBoard", "System", "TestFolder"], swiftSettings: strict),
    .testTarget(
      name: "SiteTests", dependencies: ["Site", "Runner", "System", "TestFolder"], swiftSettings: strict),
    // A server on loopback that answers as a script says, faults included; not a product.
    .target(
      name: "FaultyServer", dependencies: ["CompressedData", "JSON", "System"], path: "Tests/FaultyServer",
      swiftSettings: strict),
    .testTarget(
      name: "HTTPTests", dependencies: ["HTTP", "FaultyServer", "JSON", "System", "TestFolder"],
      swiftSettings: strict),
    .testTarget(
      name: "ServersTests",
      dependencies: ["Servers", "FaultyServer", "Runner", "JSON", "System", "TestFolder"],
      swiftSettings: strict),
    .testTarget(name: "ReportTests", dependencies: ["Report", "Charts"], swiftSettings: strict),
    .testTarget(
      name: "SearchTests", dependencies: ["Search", "JSON"], exclude: ["Fixtures"], swiftSettings: strict),
    // Compresses what tests read; not a product.
    .target(
      name: "CompressedData", dependencies: ["CZlib", "CZstd"], path: "Tests/CompressedData",
      swiftSettings: strict,
      linkerSettings: [":libz.a", ":libzstd.a"].map { .linkedLibrary($0, .when(platforms: [.linux])) }),
    .testTarget(
      name: "CompressionTests", dependencies: ["Compression", "CompressedData", "System", "TestFolder"],
      swiftSettings: strict),
    .testTarget(
      name: "ParquetTests", dependencies: ["Parquet", "JSON", "System", "TestFolder"], exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "ModelsTests",
      dependencies: [
        "Models", "CKernels", "JSON", "System", "TestFolder", "TinyModel", "ModelFileBuilders",
      ],
      exclude: ["Fixtures"],
      swiftSettings: strict),
    // A runner with toy stages, driven as a process by RunnerTests; not a product.
    .executableTarget(
      name: "ToyPlumb", dependencies: ["Runner", "JSON", "System"], path: "Tests/ToyPlumb",
      swiftSettings: strict),
    .testTarget(
      name: "RunnerTests",
      dependencies: ["Runner", "Search", "JSON", "System", "ToyPlumb", "CYAML", "TestFolder"],
      exclude: ["Fixtures"],
      swiftSettings: strict),
    // A tiny model with a real tokenizer, for tests of stages and of the program; not a product.
    .target(
      name: "TinyModel", dependencies: ["Models", "JSON"], path: "Tests/TinyModel", swiftSettings: strict),
    .testTarget(
      name: "RunIndexTests", dependencies: ["RunIndex", "Runner", "JSON", "System", "TestFolder"],
      swiftSettings: strict
    ),
    .testTarget(
      name: "StagesTests",
      dependencies: [
        "CompressedData", "Stages", "Runner", "Models", "JSON", "System", "TinyModel", "TestFolder",
      ],
      exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      // Drives the built `plumb`, which `swift test` builds with all else; as a dependency it would be linked into the tests.
      name: "EndToEndTests",
      dependencies: [
        "CompressedData", "FaultyServer", "Runner", "Models", "CKernels", "JSON", "System", "TinyModel",
        "TestFolder",
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)

// What `make fuzz` runs: libFuzzer brings its main, which no other build links.
if Context.environment["PLUMB_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: ["Models", "ModelFileBuilders", "Stages", "JSON", "System"],
      path: "Tests/Fuzz",
      exclude: ["Seeds", "make_seeds.py", "run"], swiftSettings: strict))
}

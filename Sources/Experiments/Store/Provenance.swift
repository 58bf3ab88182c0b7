// Where a node's inputs and options came from when it ran: explains later changes, and enters no key.

import JSON

package struct Provenance: Sendable, Equatable {
  package enum Source: Sendable, Equatable {
    /// What a node wrote, and the content key under which it had run.
    case node(address: String, output: String, key: String)
    case model(name: String)

    /// `pool.rows`, `model sft`
    package var text: String {
      switch self {
      case .node(let address, let output, _): "\(address).\(output)"
      case .model(let name): "model \(name)"
      }
    }
  }

  /// By port, in the order of the declaration.
  package var sources: [(port: String, source: Source)]
  package var origins: [ValueOrigin]
  /// The files that its options name.
  package var files: [FileState]

  package init(
    sources: [(port: String, source: Source)] = [], origins: [ValueOrigin] = [], files: [FileState] = []
  ) {
    self.sources = sources
    self.origins = origins
    self.files = files
  }

  package static func == (a: Self, b: Self) -> Bool {
    a.origins == b.origins && a.files == b.files
      && a.sources.elementsEqual(b.sources) { $0.port == $1.port && $0.source == $1.source }
  }

  package func source(_ port: String) -> Source? {
    sources.first { UTF8Key($0.port) == UTF8Key(port) }?.source
  }

  package var json: JSON {
    let sources = sources.map { port, source -> (String, JSON) in
      switch source {
      case .node(let address, let output, let key):
        (port, ["node": .string(address), "output": .string(output), "key": .string(key)])
      case .model(let name): (port, ["model": .string(name)])
      }
    }
    return [
      "sources": .object(JSONObject(sources)), "origins": .array(origins.map(\.json)),
      "files": .array(files.map(\.json)),
    ]
  }

  /// What cannot be read is left out: it explains, and decides nothing.
  package init(json: JSON?) {
    self.init(
      sources: (json?["sources"]?.objectValue?.members ?? []).compactMap { port, value in
        if let name = value["model"]?.stringValue { return (port, .model(name: name)) }
        guard let address = value["node"]?.stringValue, let output = value["output"]?.stringValue,
          let key = value["key"]?.stringValue
        else { return nil }
        return (port, .node(address: address, output: output, key: key))
      }, origins: (json?["origins"]?.arrayValue ?? []).compactMap(ValueOrigin.init(json:)),
      files: (json?["files"]?.arrayValue ?? []).compactMap(FileState.init(json:)))
  }
}

extension ValueOrigin {
  package var json: JSON {
    [
      "option": .string(option), "file": .string(file), "line": .int(Int64(line)),
      "column": .int(Int64(column)),
    ]
  }

  package init?(json: JSON) {
    guard let option = json["option"]?.stringValue, let file = json["file"]?.stringValue,
      let line = json["line"]?.intValue, let column = json["column"]?.intValue
    else { return nil }
    self.init(option: option, file: file, line: line, column: column)
  }

  /// `quark.yaml:38:16`; a `--set` has no line.
  package var place: String { file.utf8.elementsEqual("--set".utf8) ? file : "\(file):\(line):\(column)" }
}

extension [ValueOrigin] {
  /// The place that set an option: written as such, as a part of it, or as the whole that it is a part of; nil for a
  /// default.
  package func origin(of option: String) -> ValueOrigin? {
    func isBelow(_ path: String, _ parent: String) -> Bool {
      path.utf8.count > parent.utf8.count && path.utf8.starts(with: (parent + ".").utf8)
    }
    return first { UTF8Key($0.option) == UTF8Key(option) } ?? first { isBelow($0.option, option) }
      ?? first { isBelow(option, $0.option) }
  }
}

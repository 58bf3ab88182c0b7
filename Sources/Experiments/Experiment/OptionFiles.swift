// The data that an option names: files of the user's, and data sets that are fetched; and the digest that stands for it in keys.

import JSON
import System

package struct OptionFiles: Sendable, Equatable {
  package enum Part: Sendable, Equatable {
    /// Absolute.
    case file(String)
    /// With the digest of the files that are meant.
    case dataSet(RemoteDataSet, Digest)
  }

  /// Dotted path of the option.
  package var option: String
  /// In the order in which they are read.
  package var parts: [Part]

  package init(_ option: String, _ parts: [Part]) {
    self.option = option
    self.parts = parts
  }

  package init(_ option: String, _ paths: [String]) { self.init(option, paths.map { .file($0) }) }

  /// Of the files that are the user's.
  package var paths: [String] {
    parts.compactMap { if case .file(let path) = $0 { path } else { nil } }
  }

  package var dataSets: [(set: RemoteDataSet, digest: Digest)] {
    parts.compactMap { if case .dataSet(let set, let digest) = $0 { (set, digest) } else { nil } }
  }

  /// What the option's value becomes: a path, or a list of several. A data set is its paths where `fetched` gives them, else as it is
  /// written.
  package func json(fetched: (RemoteDataSet, Digest) -> [String]? = { _, _ in nil }) -> JSON {
    let values = parts.flatMap { part -> [JSON] in
      switch part {
      case .file(let path): [.string(path)]
      case .dataSet(let set, let digest):
        fetched(set, digest).map { $0.map { .string($0) } } ?? [set.json(digest)]
      }
    }
    return values.count == 1 ? values[0] : .array(values)
  }

  /// Of one file its own; of several that of their digests, one after the other. Neither names nor places are in it. A data set counts by
  /// the digest that it is written with, which is that of its files.
  package func digest(file digest: (String) throws -> Digest) rethrows -> Digest {
    Self.digest(
      of: try parts.map { part in
        switch part {
        case .file(let path): try digest(path)
        case .dataSet(_, let digest): digest
        }
      })
  }

  package static func digest(of digests: [Digest]) -> Digest {
    if digests.count == 1 { return digests[0] }
    let text: JSON = ["files": .array(digests.map { .string($0.hex) }), "format": 1]
    return Digest.of(text: text.text(.canonical))
  }
}

extension JSON {
  /// Options of a stage, with paths in place of the data sets that `fetched` gives.
  package func replacing(
    dataSetsOf files: [OptionFiles], _ fetched: (RemoteDataSet, Digest) -> [String]?
  ) -> JSON {
    files.reduce(self) { options, file in
      guard !file.dataSets.isEmpty else { return options }
      return options.replacing(file.option.split(separator: ".")[...], with: file.json(fetched: fetched))
    }
  }
}

extension JSON {
  /// With the value at a dotted path (list positions are numbers) replaced.
  func replacing(_ path: ArraySlice<Substring>, with value: JSON) -> JSON {
    guard let head = path.first else { return value }
    switch self {
    case .object(var object):
      let key = String(head)
      if let inner = object[key] { object[key] = inner.replacing(path.dropFirst(), with: value) }
      return .object(object)
    case .array(var elements):
      if let index = Int(head), elements.indices.contains(index) {
        elements[index] = elements[index].replacing(path.dropFirst(), with: value)
      }
      return .array(elements)
    default: return self
    }
  }
}

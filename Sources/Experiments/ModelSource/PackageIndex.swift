// A Python package index: where it is, and which wheels it has of a package.

import Glibc
import HTTP
import JSON
import System

/// Source: PEP 691, the simple repository interface as JSON; PEP 427, names of wheels.
package struct PackageIndex {
  package struct Wheel: Equatable {
    package let name: String
    package let url: String
    package let digest: Digest?
    package let bytes: Int?

    package init(name: String, url: String, digest: Digest?, bytes: Int?) {
      (self.name, self.url, self.digest, self.bytes) = (name, url, digest, bytes)
    }
  }

  private static let publicIndex = "https://pypi.org/simple"
  private static let form = "application/vnd.pypi.simple.v1+json"
  private static let largestListing = 64 << 20

  /// May hold a password.
  package let url: String

  /// Where pip looks: `PIP_INDEX_URL`, else `index-url` of its configuration, else the public one.
  /// Deviation: neither `extra-index-url` nor `find-links`, and of the configuration the section `[global]` alone.
  package init(_ variable: (String) -> String?) {
    url = variable("PIP_INDEX_URL") ?? Self.configured(variable) ?? Self.publicIndex
  }

  /// The one wheel of the version that is taken.
  /// - Throws: as `Download`; `RunError` (7) where the index has none, or does not answer as one does.
  func wheel(of package: String, _ version: String, _ fetch: Fetch) throws -> Wheel {
    let path = "\(fetch.folder)/index.json"
    try File.remove(path)
    let base = url.hasSuffix("/") ? String(url.dropLast()) : url
    var download = try Download(from: "\(base)/\(PackageVersion.canonicalName(package))/")
    download.headers = [("Accept", Self.form)]
    download.whenRefused = "; the package index has no `\(package)`, or does not show it"
    download.size = Download.Size(
      bytes: Self.largestListing, saidBy: "a list of wheels may have", isExact: false)
    let address = try download.fetch(to: path, fetch)
    guard let listing = try? JSON(parsing: try File.read(path)), let files = listing["files"]?.arrayValue
    else {
      throw RunError(
        .remote,
        "the package index does not list the files of `\(package)` as JSON (PEP 691); `PIP_INDEX_URL` names another index"
      )
    }
    let wheels = try files.compactMap { try Self.wheel($0, relativeTo: address) }
    guard
      let wheel = Self.chosen(among: wheels, package: package, version: version, machine: Self.machine())
    else {
      throw RunError(
        .remote, "the package index has no wheel of `\(package)` \(version) for this machine")
    }
    return wheel
  }

  private static func wheel(_ entry: JSON, relativeTo address: String) throws -> Wheel? {
    guard let name = entry["filename"]?.stringValue, let place = entry["url"]?.stringValue,
      let base = try HTTPAddress(address), let url = try HTTPAddress(place, relativeTo: base)
    else { return nil }
    return Wheel(
      name: name, url: url.text, digest: entry["hashes"]?["sha256"]?.stringValue.flatMap(Digest.init(hex:)),
      bytes: entry["size"]?.intValue)
  }

  /// Of several one without machine code, for Python 3 before others, else one for this machine; then the first by name.
  /// - Parameter machine: as in the names of wheels, `x86_64`.
  package static func chosen(among wheels: [Wheel], package: String, version: String, machine: String)
    -> Wheel?
  {
    let (name, wanted) = (PackageVersion.canonicalName(package), PackageVersion.canonical(version))
    let ranked = wheels.compactMap { wheel -> (rank: Int, wheel: Wheel)? in
      guard wheel.name.hasSuffix(".whl") else { return nil }
      let parts = wheel.name.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
      // Name, version, perhaps a build, and for what it is.
      guard parts.count == 5 || parts.count == 6, PackageVersion.canonicalName(String(parts[0])) == name
      else { return nil }
      let found = PackageVersion.canonical(String(parts[1]))
      // As pip has it, a version without a label in it means those with one too.
      let isLabelled = !wanted.contains("+") && found != wanted
      guard (isLabelled ? String(found.prefix { $0 != "+" }) : found) == wanted else { return nil }
      let (python, platforms) = (parts[parts.count - 3], parts[parts.count - 1].split(separator: "."))
      var rank = isLabelled ? 3 : 0
      if platforms.contains("any") {
        if !python.split(separator: ".").contains("py3") { rank += 1 }
      } else {
        guard platforms.contains(where: { $0.contains("linux") && $0.hasSuffix("_\(machine)") }) else {
          return nil
        }
        rank += 2
      }
      return (rank, wheel)
    }
    return ranked.min { ($0.rank, $0.wheel.name) < ($1.rank, $1.wheel.name) }?.wheel
  }

  private static func machine() -> String {
    #if arch(arm64)
      "aarch64"
    #else
      "x86_64"
    #endif
  }

  // MARK: pip's configuration

  /// Source: pip's documentation, "Configuration": the system's files, the user's, that of a virtual environment, that which is named.
  private static func configured(_ variable: (String) -> String?) -> String? {
    let named = variable("PIP_CONFIG_FILE")
    if named == "/dev/null" { return nil }
    let system = (variable("XDG_CONFIG_DIRS") ?? "/etc/xdg").utf8.split(separator: UInt8(ascii: ":"))
      .map { "\(String(decoding: Array($0), as: UTF8.self))/pip/pip.conf" }
    var paths = system.reversed() + ["/etc/pip.conf"]
    if let home = variable("HOME"), named.map({ FileStatus.of($0) == nil }) ?? true {
      paths += ["\(home)/.pip/pip.conf", "\(variable("XDG_CONFIG_HOME") ?? "\(home)/.config")/pip/pip.conf"]
    }
    if let place = variable("VIRTUAL_ENV") { paths.append("\(place)/pip.conf") }
    if let named { paths.append(named) }
    // A later one counts for more.
    return paths.reversed().lazy.compactMap { path in
      (try? File.read(path, upTo: 1 << 20)).flatMap { address(in: String(decoding: $0, as: UTF8.self)) }
    }.first
  }

  /// The value of `index-url` in the section `[global]`.
  private static func address(in configuration: String) -> String? {
    var (isGlobal, found) = (false, String?.none)
    for line in configuration.utf8.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
      let text = String(decoding: Array(line), as: UTF8.self)
      if text.hasPrefix("[") { isGlobal = text.hasPrefix("[global]") }
      guard isGlobal, let mark = text.firstIndex(where: { $0 == "=" || $0 == ":" }) else { continue }
      let key = text[..<mark].filter { $0 != " " && $0 != "\t" }.lowercased().replacing("_", with: "-")
      let value = text[text.index(after: mark)...].filter { $0 != " " && $0 != "\t" }
      if key == "index-url", !value.isEmpty { found = String(value) }
    }
    return found
  }
}

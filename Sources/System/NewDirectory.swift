// A folder that appears with all that is in it, or not at all.

extension File {
  /// Makes `folder`, filled by `fill` beside it first, so that it is there whole or not at all.
  /// - Parameter fill: puts files into the folder that it is given, which is empty or not yet there.
  /// - Throws: `RunError` (2) when something is at `folder` already.
  package static func makeWholeDirectory(_ folder: String, fill: (_ temporary: String) throws -> Void) throws
  {
    try refuseOverwriting(folder)
    let parent = Path.parent(Path.absolute(folder))
    try makeDirectory(parent)
    let temporary = "\(parent)/.\(Path.name(folder)).\(TemporaryName.make()).tmp"
    do {
      try fill(temporary)
      // An empty folder may be replaced, anything else not.
      try rename(temporary, to: folder)
      try synchronizeDirectory(parent)
    } catch {
      try? removeTree(temporary)
      throw error
    }
  }

  /// - Throws: `RunError` (2) when something is at `path` that is not an empty folder.
  package static func refuseOverwriting(_ path: String) throws {
    guard let status = FileStatus.of(path) else { return }
    if status.isDirectory, try names(in: path).isEmpty { return }
    throw RunError(
      .commandLine, "`\(path)` already exists and nothing is overwritten; give a new name")
  }
}

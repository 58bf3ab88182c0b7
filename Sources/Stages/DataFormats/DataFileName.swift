// What a data file's name says of its format, where its content says nothing: only for hints, and for whoever looks into a file.

/// With the endings of files that are compressed as a whole behind it.
enum DataFileName {
  private static let endings = [
    (".csv", CSVFormat.name), (".tsv", TSVFormat.name), (".txt", TextFormat.name),
  ]
  private static let compressed = [".gz", ".zst"]

  /// The name of a format of which no file's content tells that it is one.
  static func format(of path: String) -> String? {
    var name = path.lowercased()
    if let ending = compressed.first(where: { name.hasSuffix($0) }) {
      name.removeLast(ending.count)
    }
    return endings.first { name.hasSuffix($0.0) }?.1
  }
}

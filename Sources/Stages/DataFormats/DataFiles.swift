// Several data files as one sequence of records: each is opened when those before it have ended.

struct DataFiles {
  let paths: [String]
  /// No more bytes than these are looked at, counted over the files; nil reads all of them.
  private var limit: Int?
  /// As of `DataSource`.
  var needed: [String]?
  /// As the option says; nil where each file's first bytes tell.
  var format: (any DataFormat.Type)?

  private var opened = 0
  private var records: (any DataFormat)?
  private var isCut = false

  /// - Precondition: at least one.
  init(_ paths: [String], limit: Int? = nil) {
    precondition(!paths.isEmpty, "no data files")
    self.paths = paths
    self.limit = limit
  }

  /// The file that the last record, or the last bad one, was of.
  var path: String { paths[max(opened, 1) - 1] }

  /// All of them, in a message.
  var name: String { paths.count == 1 ? paths[0] : "\(paths[0]) and \(paths.count - 1) more" }

  /// What the format calls its records.
  private(set) var unit = ""

  /// Whether all files were opened, and none was cut.
  var isWhole: Bool { opened == paths.count && !isCut }

  /// - Throws: as `DataFormat.next`.
  mutating func next() throws -> DataRecord? {
    while true {
      if let record = try records?.next() { return record }
      guard !isCut, opened < paths.count else { return nil }
      try open(paths[opened])
    }
  }

  /// As `DataFormat.appendLines`: of the file that is open.
  mutating func appendLines(
    _ rows: inout DirectRows, to lines: inout DirectLines, _ contents: inout ContentHashes?
  ) throws {
    try records?.appendLines(&rows, to: &lines, &contents)
  }

  private mutating func open(_ path: String) throws {
    records = nil
    opened += 1
    let records = try DataSource(path: path, limit: limit, needed: needed).records(format)
    if unit.isEmpty { unit = type(of: records).unit }
    isCut = !records.isWhole
    if let limit {
      self.limit = max(0, limit - records.byteCount)
      // What is left to look at is nothing.
      if self.limit == 0, opened < paths.count { isCut = true }
    }
    self.records = records
  }
}

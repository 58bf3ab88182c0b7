// The file of a batch's requests, in the form in which it is handed over.

import Experiments
import JSON
import System

/// Written as the requests come.
struct BatchUpload {
  /// What stands before the requests, between two, and behind them.
  struct Frame {
    let head: String
    let separator: String
    let tail: String
  }

  private let file: DurableFile
  private let frame: Frame
  /// Of the requests, with what stands between them.
  private(set) var byteCount = 0
  private(set) var count = 0

  init(_ path: String, _ frame: Frame) throws {
    self.frame = frame
    file = try DurableFile(path)
    try file.write(frame.head)
  }

  mutating func add(_ request: [UInt8]) throws {
    if count > 0 { try file.write(frame.separator) }
    try file.write(request)
    byteCount += request.count + frame.separator.utf8.count
    count += 1
  }

  func finish() throws {
    try file.write(frame.tail)
    try file.finish()
  }
}

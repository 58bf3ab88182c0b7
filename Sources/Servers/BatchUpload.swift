// The file of a batch's requests, as the form in which it is uploaded.

import JSON
import Runner
import System

/// A form with the file inside, written as the requests come.
struct BatchUpload {
  private let file: DurableFile
  let contentType: String
  private let boundary: String
  /// Of the requests.
  private(set) var byteCount = 0
  private(set) var count = 0

  /// - Parameter first: the key of the first request.
  init(_ path: String, first: ReplyJournal.Key) throws {
    // No line of JSON holds a carriage return, so none can end the part before its end; and none holds its own digest.
    boundary = Self.boundary(first)
    contentType = "multipart/form-data; boundary=\(boundary)"
    file = try DurableFile(path)
    try file.write("--\(boundary)\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n")
    try file.write(
      "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"requests.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n"
    )
  }

  static func boundary(_ first: ReplyJournal.Key) -> String {
    "requests-\(Digest.of(text: first.digest.hex).hex.prefix(32))"
  }

  static func line(_ key: ReplyJournal.Key, path: String, _ body: JSON) -> [UInt8] {
    var bytes: [UInt8] = []
    let line: JSON = [
      "custom_id": .string(key.digest.hex), "method": "POST", "url": .string(path), "body": body,
    ]
    line.write(to: &bytes)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  mutating func add(_ line: [UInt8]) throws {
    try file.write(line)
    byteCount += line.count
    count += 1
  }

  func finish() throws {
    try file.write("\r\n--\(boundary)--\r\n")
    try file.finish()
  }
}

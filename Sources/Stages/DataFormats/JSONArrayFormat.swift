// A JSON array of objects, over any number of lines.

import JSON
import Runner

struct JSONArrayFormat: DataFormat {
  static let name = "json"
  static let unit = "entries"

  static func isRecognized(by start: [UInt8]) -> Bool {
    DataSource.withoutMark(start).first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[")
  }

  let isWhole: Bool
  private let path: String
  private var elements: JSONElements

  init(_ source: DataSource) throws {
    path = source.path
    let bytes: ArraySlice<UInt8>
    (bytes, isWhole) = try source.bytes()
    elements = JSONElements(bytes)
  }

  mutating func next() throws -> DataRecord? {
    do {
      guard let element = try elements.next() else { return nil }
      let place = RecordPlace.line(element.line, column: element.column)
      guard element.value.objectValue != nil else {
        throw BadRecord(place: place, reason: "\(element.value.kind); expected an object")
      }
      return DataRecord(place: place, value: element.value)
    } catch let error as JSONError {
      // Of a file that was cut, what lies before the cut was good.
      guard isWhole else { return nil }
      throw InputError("\(path):\(error.line):\(error.column): not JSON: \(error.message)")
    }
  }
}

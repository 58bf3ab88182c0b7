// A JSON array of objects, over any number of lines.

import Experiments
import JSON

struct JSONArrayFormat: DataFormat {
  static let name = "json"
  static let unit = "entries"

  static func isRecognized(by start: [UInt8]) -> Bool {
    DataSource.withoutMark(start).first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[")
  }

  private let window: RecordWindow
  private var elements = JSONElements()

  init(_ source: DataSource) throws { window = try RecordWindow(source) }

  var isWhole: Bool { window.isWhole }
  var byteCount: Int { window.byteCount }

  mutating func next() throws -> DataRecord? {
    while true {
      switch try step() {
      case .end: return nil
      case .incomplete:
        // Of a file that was cut, what lies before the cut was good.
        if window.isAtEnd { return nil }
        try window.extend(.line(elements.line, column: elements.column))
      case .element(let element):
        let place = RecordPlace.line(element.line, column: element.column)
        guard element.value.objectValue != nil else {
          throw BadRecord(place: place, reason: "\(element.value.kind); expected an object")
        }
        return DataRecord(place: place, value: element.value)
      }
    }
  }

  private mutating func step() throws -> JSONElements.Step {
    do {
      let (step, length) = try window.withBytes {
        try elements.next(in: $0, isEnd: window.isAtEnd && window.isWhole)
      }
      window.consume(length)
      return step
    } catch let error as JSONError {
      throw InputError("\(window.path):\(error.line):\(error.column): not JSON: \(error.message)")
    }
  }
}

// An array that comes in pieces gives the elements, and the errors, that it gives as a whole.

import JSON
import Testing

@Suite struct JSONElementsTests {
  /// What is read of the text where at first `count` bytes of each rest are at hand, then one more each time that more is asked for.
  private func read(_ text: String, atHand count: Int) -> [String] {
    let bytes = Array(text.utf8)
    var elements = JSONElements()
    var read: [String] = []
    var start = 0
    var end = min(count, bytes.count)
    while true {
      do {
        let (step, length) = try bytes[start..<end].withUnsafeBytes {
          try elements.next(in: $0, isEnd: end == bytes.count)
        }
        start += length
        switch step {
        case .end: return read
        case .incomplete: end += 1
        case .element(let element):
          read.append("\(element.line):\(element.column) \(element.value.text())")
          end = max(end, min(start + count, bytes.count))
        }
      } catch { return read + ["\(error)"] }
    }
  }

  @Test(arguments: [
    "[]", " [ ] \n", "[1, 2.5e3 ,-7]", "[{\"a\":\"\\ud83d\\ude00é\"},\n [true,\n\nnull], \"x\\n\"]\n\n",
    "[12",
    "[12\n 13]", "[\"\\ud83d\\u0041\"]", "[\"\\ud83dabcdefghijkl\"]", "[1,]", "[tru]", "[\"a", "[01]",
    "[\n{\"a\":1,\"a\":2}]", "[1] 2", "{}", "",
    "[\"\u{1}\"]", "[nul", "[-]", "[1e]", "[1.",
  ])
  func `the pieces make no difference`(text: String) {
    let whole = read(text, atHand: text.utf8.count)
    for count in 0..<text.utf8.count { #expect(read(text, atHand: count) == whole, "\(count) bytes at hand") }
  }

  @Test func `elements have the line and column at which they begin, and so have errors`() {
    #expect(
      read("[1,\n  {\"a\":\n2}, 3\n, x]", atHand: 3) == [
        "1:2 1", "2:3 {\"a\":2}", "3:5 3", "4:3: expected a value, found `x`",
      ])
  }
}

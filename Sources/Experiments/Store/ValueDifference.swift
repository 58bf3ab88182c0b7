// How two values of an option differ, in few words: cut around what differs, not before it.

import JSON

/// `"yes" -> "no"`; of long texts the part that differs with a little around it; of lists the elements that do.
struct ValueDifference {
  /// Below the option: `.2` for an element of a list.
  let path: String
  let text: String

  /// A value that is no longer than this is shown whole.
  private static let shortest = 40
  /// Characters of a long text that are shown around what differs, on each side.
  private static let context = 12

  init(_ old: JSON?, _ new: JSON?) {
    let (before, after) = (KeyDifference.words(old), KeyDifference.words(new))
    if max(before.unicodeScalars.count, after.unicodeScalars.count) > Self.shortest {
      if case .string(let a)? = old, case .string(let b)? = new {
        (path, text) = ("", Self.texts(a, b))
        return
      }
      if case .array(let a)? = old, case .array(let b)? = new {
        (path, text) = Self.lists(a, b)
        return
      }
    }
    (path, text) = ("", "\(Self.cut(before)) -> \(Self.cut(after))")
  }

  private static func cut(_ text: String) -> String {
    text.unicodeScalars.count > shortest
      ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(shortest - 1))) + "…" : text
  }

  /// How many elements two lists begin with and end with alike; the ends do not overlap.
  private static func alike<Element>(
    _ a: [Element], _ b: [Element], _ isEqual: (Element, Element) -> Bool
  ) -> (start: Int, end: Int) {
    let shorter = min(a.count, b.count)
    var start = 0
    while start < shorter, isEqual(a[start], b[start]) { start += 1 }
    var end = 0
    while end < shorter - start, isEqual(a[a.count - 1 - end], b[b.count - 1 - end]) { end += 1 }
    return (start, end)
  }

  private static func texts(_ old: String, _ new: String) -> String {
    let (a, b) = (Array(old.unicodeScalars), Array(new.unicodeScalars))
    let (start, end) = alike(a, b) { $0 == $1 }
    func shown(_ text: [Unicode.Scalar]) -> String {
      let first = max(0, start - context)
      let last = min(text.count, text.count - end + context)
      // Of a long difference the beginning is enough to see what it is.
      let cut = min(last, first + shortest + context)
      let part = String(String.UnicodeScalarView(text[first..<max(first, cut)]))
      let quoted = JSON.string(part).text()
      return (first > 0 ? "…" : "") + quoted + (cut < text.count ? "…" : "")
    }
    return "\(shown(a)) -> \(shown(b))"
  }

  private static func lists(_ old: [JSON], _ new: [JSON]) -> (path: String, text: String) {
    let (start, end) = alike(old, new) { $0 == $1 }
    let gone = Array(old[start..<(old.count - end)])
    let come = Array(new[start..<(new.count - end)])
    if gone.count == 1, come.count == 1 {
      let inner = ValueDifference(gone[0], come[0])
      return (".\(start)\(inner.path)", inner.text)
    }
    func shown(_ elements: [JSON]) -> String {
      let words = elements.prefix(2).map { cut(KeyDifference.words($0)) }.joined(separator: ", ")
      return elements.count > 2 ? "\(words) and \(elements.count - 2) more" : words
    }
    if gone.isEmpty { return ("", "+ \(shown(come))") }
    if come.isEmpty { return ("", "- \(shown(gone))") }
    return (".\(start)", "\(shown(gone)) -> \(shown(come))")
  }
}

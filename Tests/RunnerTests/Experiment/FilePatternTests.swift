// Patterns of file names: what they match.

import Runner
import Testing

@Suite struct FilePatternTests {
  @Test(arguments: [
    ("*.jsonl", ["a.jsonl", ".jsonl.jsonl", "d/a.jsonl", "a.jsonl.gz", "a.JSONL"], ["a.jsonl"]),
    ("a*b*c", ["abc", "axxbyyc", "abcb", "aXbc", "ac"], ["abc", "axxbyyc", "aXbc"]),
    ("?.x", ["a.x", "é.x", "🙂.x", ".x", "ab.x"], ["a.x", "é.x", "🙂.x"]),
    ("[a-c]", ["a", "b", "c", "d", "-"], ["a", "b", "c"]),
    ("[!a-c]", ["a", "d", "-", "ab"], ["d", "-"]), ("[^a]", ["a", "b"], ["b"]),
    ("[]-]", ["]", "-", "a"], ["]", "-"]),
    ("[-._ 0-9]", ["-", ".", "_", " ", "7", "a"], ["-", "_", " ", "7"]),
    ("[z-a]", ["z", "a", "m"], []), ("a[b", ["a[b", "ab"], ["a[b"]),
    ("**", ["a", "b/a", "b/c/d", ".a", "b/.c/d"], ["a", "b/a", "b/c/d"]),
    ("**/x", ["x", "a/x", "a/b/x", "ax", "a/bx", ".a/x"], ["x", "a/x", "a/b/x"]),
    (
      "a/**/b/**/c", ["a/b/c", "a/b", "a/1/b/2/3/c", "a/b/b/c", "a/c/b"], ["a/b/c", "a/1/b/2/3/c", "a/b/b/c"]
    ),
    ("t*/**", ["t", "t/a", "tt/a/b", "a/t"], ["t/a", "tt/a/b"]), ("**/**", ["a", "a/b"], ["a", "a/b"]),
    ("d/*", ["d/a", "d/.a", "d/a/b", "d"], ["d/a"]), ("d/.*", ["d/a", "d/.a"], ["d/.a"]),
    ("a**b", ["ab", "axb", "a/b"], ["ab", "axb"]),
  ])
  func `a pattern matches names`(_ pattern: String, _ names: [String], _ matched: [String]) {
    #expect(names.filter(FilePattern(pattern).matches) == matched)
  }

  @Test func `a pattern of many stars ends`() {
    let pattern = FilePattern(
      String(repeating: "*a", count: 2000) + "/" + String(repeating: "**/", count: 2000) + "b")
    #expect(
      !pattern.matches(String(repeating: "a", count: 4000) + "/" + String(repeating: "a/", count: 200) + "c"))
  }
}

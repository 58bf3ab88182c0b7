// distinct-n: the denominator is the number of words, and words are what stands between single spaces.

import Stages
import Testing

struct DistinctNTests {
  @Test func `the denominator is the number of words for every n`() {
    #expect(distinctN(["a b a b"], n: 1) == 0.5)
    #expect(distinctN(["a b a b"], n: 2) == 0.5)
    #expect(distinctN(["a b a b"], n: 3) == 0.5)
    #expect(distinctN(["a b c d"], n: 2) == 0.75)
  }

  @Test func `texts are pooled, but no n-gram crosses from one into the next`() {
    #expect(distinctN(["a b", "a b"], n: 1) == 0.5)
    #expect(distinctN(["a b", "a b"], n: 2) == 0.25)
    #expect(distinctN(["a", "b"], n: 2) == 0)
  }

  @Test func `empty strings between spaces are words`() {
    #expect(distinctN([" a  a"], n: 1) == 0.5)
    #expect(distinctN([""], n: 1) == 1)
    #expect(distinctN([""], n: 2) == 0)
    #expect(distinctN(["a\nb a\nb"], n: 1) == 0.5)
  }

  @Test func `no texts have no value`() { #expect(distinctN([], n: 1) == nil) }

  @Test func `words are compared by bytes`() { #expect(distinctN(["\u{E9} e\u{301}"], n: 1) == 1) }

  @Test func `a space before a combining mark still separates`() {
    #expect(distinctN(["a \u{301}b"], n: 1) == 1)
  }
}

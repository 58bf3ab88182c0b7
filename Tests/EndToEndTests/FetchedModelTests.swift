// Models that are fetched: from a hub in a process of its own, with a connection that breaks and a repository that is closed.

import Glibc
import JSON
import Testing

@Suite struct FetchedModelTests {
  let hub: LoopbackHub
  var place: CommandsFixture { hub.place }

  init() throws {
    hub = try LoopbackHub()
    // What is there and does not belong to a model.
    for name in ["pytorch_model.bin", "README.md"] { try place.write("not wanted", to: "model/\(name)") }
  }

  private func plumb(_ arguments: String, token: String? = nil) -> (
    status: Int32, output: String, error: String
  ) { hub.plumb(arguments, token: token) }

  @Test func `a model of a hub is fetched once, going on where a connection broke`() throws {
    let first = plumb("inspect hf:owner/tiny@main")
    #expect(first.status == 0 && first.output.contains("layers: 3\n"), "\(first.error)")
    #expect(first.error.contains("trying again"), "\(first.error)")
    let requests = hub.requests
    let weights = requests.filter { $0.contains("model.safetensors") }
    #expect(weights.count == 2 && weights[0].contains(" - ") && weights[1].contains(" bytes="), "\(requests)")
    #expect(!requests.contains { $0.contains("pytorch_model") || $0.contains("README") }, "\(requests)")

    let sha256 = try #require(hub.digest(first.output))
    try place.write("{\"p\": \"a\"}\n", to: "rows.jsonl")
    let model = "hf:owner/tiny@main --sha256 \(sha256)"
    let offline = hub.offline("try \(model) --prompt a --max-new-tokens 2")
    #expect(offline.status == 0, "\(offline.error)")

    try place.write(
      "version: 1\nname: x\nmodels: {m: {hf: owner/tiny@main, sha256: \(sha256)}}\nstages:\n"
        + "  rows: {uses: data, with: {path: rows.jsonl, prompt: '{p}'}}\n"
        + "  cold: {uses: sample, in: {model: m, prompts: rows}, with: {max_new_tokens: 2}}\n", to: "x.yaml")
    let run = plumb("run x.yaml")
    #expect(run.status == 0, "\(run.error)")
    #expect(hub.requests.count == requests.count)
  }

  @Test func `of a repository without safetensors the files of PyTorch are fetched, with their index`() throws
  {
    let names = ["pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json", "training_args.bin"]
    for name in names { try place.write("not a model", to: "model/\(name)") }
    for name in ["model.safetensors", "pytorch_model.bin"] { unlink("\(place.folder)/model/\(name)") }
    let found = plumb("inspect hf:owner/tiny@main")
    #expect(found.status == 4 && found.error.contains("pytorch_model.bin.index.json`: not JSON"), "\(found)")
    let requests = place.text("requests")
    #expect(names.map { requests.contains("/\($0) ") } == [true, true, false], "\(requests)")
    for name in names { unlink("\(place.folder)/model/\(name)") }
    let none = plumb("inspect hf:owner/tiny@main")
    #expect(
      none.status == 4
        && none.error.contains("neither `model.safetensors` nor `pytorch_model.bin`; for another format"),
      "\(none)")
  }

  @Test func `of a repository without a tokenizer json the merges are fetched too`() throws {
    for name in ["vocab.json", "merges.txt"] { try place.write("{}", to: "model/\(name)") }
    _ = plumb("inspect hf:owner/tiny@main")
    #expect(!place.text("requests").contains("/merges.txt "))
    unlink("\(place.folder)/model/tokenizer.json")
    let found = plumb("inspect hf:owner/tiny@main")
    #expect(found.status == 4 && found.error.contains("without a `tokenizer.json` is not known"), "\(found)")
    #expect(place.text("requests").contains("/merges.txt "))
  }

  @Test func `other bytes than were asked for are not kept`() {
    let wanted = String(repeating: "ab", count: 32)
    let wrong = plumb("try hf:owner/tiny@main --sha256 \(wanted) --prompt a")
    #expect(wrong.status == 4 && wrong.error.contains("expected \(wanted)"), "\(wrong.error)")
    #expect(access("\(place.folder)/models/\(wanted)/tiny", F_OK) != 0)
  }

  @Test func `a closed model needs the token, which nobody sees`() throws {
    let closed = plumb("inspect hf:owner/closed@main")
    #expect(closed.status == 7 && closed.error.contains("HF_TOKEN"), "\(closed.error)")
    let wrong = plumb("inspect hf:owner/closed@main", token: "mellon")
    #expect(wrong.status == 7 && !wrong.error.contains("mellon"), "\(wrong.error)")
    let open = plumb("inspect hf:owner/closed@main", token: "sesame")
    #expect(open.status == 0, "\(open.error)")
    #expect(place.plumb("inspect model", before: "! grep -Erq 'sesame|mellon' models && ").status == 0)
  }

  @Test func `a body that does not end is cut at the size the hub lists, and nothing of it stays`() {
    let endless = plumb("inspect hf:owner/endless@main")
    #expect(endless.status == 7, "\(endless)")
    #expect(
      endless.error.contains("sends more than the ") && endless.error.contains("that the hub lists for it"),
      "\(endless)")
    let left = place.plumb("--version", before: "find models -type f -size +0;")
    #expect(!left.output.contains("config.json") && !left.output.contains("safetensors"), "\(left.output)")
  }

  @Test func `a body of which nothing says the size is cut before the disk is full`() {
    let lying = plumb("inspect hf:owner/tiny@main/lies.gguf")
    #expect(lying.status == 6 && lying.error.contains("90% of the free space in"), "\(lying)")
    let small = place.plumb(
      "inspect hf:owner/endless@main/x.gguf",
      before:
        "unshare -m true || exit 77; " + LoopbackHub.start
        + "export HF_ENDPOINT=http://127.0.0.1:$(cat port) PLUMB_MODELS=$PWD/small; mkdir small; "
        + "unshare -m sh -c 'mount -t tmpfs -o size=4m tmpfs small; \"$0\" \"$@\"; code=$?; find small -name \"*.gguf\" -size +0; exit $code' "
    )
    if small.status == 77 { return }
    #expect(small.status == 6 && small.error.contains("sends more than 3.60 MiB, 90%"), "\(small)")
    #expect(small.output.isEmpty, "\(small.output)")
  }

  @Test func `a fetch that is killed leaves no token, nothing that goes on, and no lock`() throws {
    // In a file, so that no process has these words among its arguments; the token is this process's own, since the tests
    // beside it run the program with tokens on a shell's command line.
    try place.write(
      """
      python3 hub.py & hub=$!
      trap "kill $hub" EXIT
      until [ -s port ]; do sleep 0.02; done
      port=$(cat port)
      export HF_ENDPOINT=http://127.0.0.1:$port PLUMB_MODELS=models HF_TOKEN=token-$$-of-a-killed-fetch
      '\(place.binary)' inspect hf:owner/slow@main/x.gguf & p=$!
      until [ -s models/*/.fetching/x.gguf ]; do sleep 0.05; done
      grep -q "Bearer $HF_TOKEN" requests || exit 9
      ! grep -rs "$HF_TOKEN" models /proc/[0-9]*/cmdline || exit 8
      kill -9 $p
      sleep 2
      ! grep -r "$HF_TOKEN" models || exit 7
      ! grep -s "127.0.0.1:$port/owner/slow" /proc/[0-9]*/cmdline || exit 6
      flock -n models/*/.lock true || exit 5
      """, to: "kill.sh")
    let killed = place.plumb("--version", before: "sh kill.sh || exit $?;")
    #expect(killed.status == 0, "\(killed)")
  }

  @Test func `a signal ends a fetch, and what was fetched stays`() throws {
    try place.write("{\"p\": \"a\"}\n", to: "rows.jsonl")
    try place.write(
      "version: 1\nname: x\nmodels: {m: {hf: owner/slow@main/x.gguf, sha256: \(String(repeating: "ab", count: 32))}}\n"
        + "stages:\n  rows: {uses: data, with: {path: rows.jsonl, prompt: '{p}'}}\n"
        + "  cold: {uses: sample, in: {model: m, prompts: rows}, with: {max_new_tokens: 2}}\n", to: "x.yaml")
    try place.write(
      """
      \(LoopbackHub.start)
      export HF_ENDPOINT=http://127.0.0.1:$(cat port) PLUMB_MODELS=models
      '\(place.binary)' run x.yaml & p=$!
      until [ -s models/*/.fetching/x.gguf ]; do sleep 0.05; done
      kill -TERM $p
      wait $p
      [ $? = 143 ] || exit 9
      [ -s models/*/.fetching/x.gguf ] || exit 8
      flock -n models/*/.lock true || exit 7
      """, to: "stop.sh")
    let stopped = place.plumb("--version", before: "sh stop.sh || exit $?;")
    #expect(stopped.status == 0, "\(stopped)")
  }

  @Test func `what is not there is said at once`() {
    let absent = plumb("inspect hf:owner/tiny@main/absent.gguf")
    #expect(absent.status == 7 && absent.error.contains("there is nothing at"), "\(absent.error)")
    let nonsense = plumb("inspect hf:nonsense")
    #expect(nonsense.status == 2 && nonsense.error.contains("OWNER/NAME@REVISION"), "\(nonsense.error)")
  }
}

// `sample` by a server that it starts on the policy of each iteration: real processes, ended whole however the stage ends.

import Glibc
import JSON
import Models
import System
import Testing
import TinyModel

@Suite(.enabled(if: CommandStageTests.hasPython, "python3 is not installed")) struct ServedPolicyTests {
  let plumb: BuiltPlumb

  /// Has a child, as engines do; answers each prompt with its seed; writes down what it is given.
  private static let server = """
    import json, os, subprocess, sys, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    model, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    child = subprocess.Popen(["sleep", "1000"])
    with open(folder + "/pids", "a") as f: f.write(f"{os.getpid()} {child.pid}\\n")
    if "broken" in sys.argv: print("no such card"); child.kill(); sys.exit(3)
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *a): pass
        def answer(self, body):
            self.send_response(200); self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
        def do_GET(self): self.answer(b"")
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "slow" in sys.argv: time.sleep(0.3)
            with open(folder + "/asked", "a") as f: f.write(json.dumps([model, asked]) + "\\n")
            self.answer(json.dumps({"choices": [{"index": 0, "text": f" {asked['seed']}", "finish_reason": "stop"}],
                "usage": {"prompt_tokens": len(asked["prompt"]), "completion_tokens": 2}}).encode())
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
    """

  init() throws {
    plumb = try BuiltPlumb()
    try plumb.write(Self.server, to: "server.py")
    try plumb.write(
      (0..<3).map { "{\"id\":\"p\($0)\",\"prompt\":\"word \($0)\"}\n" }.joined(), to: "prompts.jsonl")
    try TinyModel().write(to: "\(plumb.folder)/tiny")
    try write("")
  }

  private func write(_ more: String, iterations: Int = 2) throws {
    try plumb.write(
      """
      version: 1
      name: served
      models:
        start: {path: tiny}
        engine: {serve: {run: [python3, \(plumb.folder)/server.py, "{model}", "{port}", \(plumb.folder)\(more)], within: 60s}}
      stages:
        prompts: {uses: data, with: {path: prompts.jsonl, prompt: "{prompt}", id: id}}
        tune:
          loop: {times: \(iterations), carry: {policy: {first: start, next: train.model}}}
          stages:
            sample: {in: {model: policy, server: engine, prompts: prompts}, with: {n: 2, temperature: 0.8, max_new_tokens: 8}}
            train:
              in: {model: policy, rows: sample}
              with: {objective: {kind: conditional}, conditioning: {kind: none}, lr: 1e-2, batch_size: 2, epochs: 1}
      """, to: "x.yaml")
  }

  private var asked: [(model: String, body: JSON)] {
    ((try? File.read("\(plumb.folder)/asked")) ?? []).split(separator: 0x0A).compactMap { line in
      guard let pair = (try? JSON(parsing: Array(line)))?.arrayValue, let model = pair[0].stringValue else {
        return nil
      }
      return (model, pair[1])
    }
  }

  /// Processes of servers and of their children that are still there.
  private func alive() -> [Int32] {
    let text = (try? File.read("\(plumb.folder)/pids")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }.filter { kill($0, 0) == 0 }
  }

  private func waitForTheEnd() throws -> Bool {
    for _ in 0..<150 {
      if alive().isEmpty { return true }
      usleep(100_000)
    }
    return false
  }

  @Test func `each iteration is drawn from its own policy, given tokens, and the server is gone after it`()
    throws
  {
    let result = try plumb.run("run x.yaml")
    try #require(result.status == 0, "\(result.error)")
    #expect(alive().isEmpty)
    let asked = asked
    #expect(asked.count == 12 && Set(asked.map(\.model)).count == 2)
    // What the model is given is what it would be given here.
    let tokenizer = try openCheckpoint("\(plumb.folder)/tiny").requireTokenizer()
    let prompts = Set(asked.map { ($0.body["prompt"]?.arrayValue ?? []).compactMap(\.intValue) })
    let expected = Set((0..<3).map { tokenizer.encode("word \($0)", parseSpecial: false).map(Int.init) })
    #expect(prompts == expected)
    #expect(Set(asked.map { $0.body["seed"]?.intValue ?? -1 }).count == 12)
    let rows = try plumb.run("rows x.yaml::tune@2.sample --json")
    #expect(rows.status == 0 && rows.output.contains("\"finish\":[\"end\",\"end\"]"), "\(rows.output)")

    #expect(try plumb.run("run x.yaml").error.contains("nothing to run"))
    // Of what is kept nothing is drawn again, and no server is started.
    _ = try plumb.shell("rm -r .plumb/records .plumb/objects pids;")
    let again = try plumb.run("run x.yaml")
    #expect(again.status == 0 && FileStatus.of("\(plumb.folder)/pids") == nil, "\(again.error)")
    #expect(self.asked.count == 12)
    let verified = try plumb.run("verify @last")
    #expect(verified.status == 0 && FileStatus.of("\(plumb.folder)/pids") == nil, "\(verified.error)")
  }

  @Test(arguments: ["run", "worker"])
  func `a killed stage leaves no server, and the next run draws what is missing`(
    _ victim: String
  ) throws {
    try write(", slow", iterations: 1)
    let running = try ChildProcess.start(
      plumb.binary, arguments: ["run", "\(plumb.folder)/x.yaml"], environment: ChildProcess.ownEnvironment,
      descriptors: [nil, nil, nil])
    for _ in 0..<300 where asked.isEmpty { usleep(100_000) }
    try #require(!asked.isEmpty && !alive().isEmpty)
    for process in victim == "run" ? [running.processID] : children(of: running) { kill(process, SIGKILL) }
    #expect(try waitForTheEnd())
    _ = running.ending(waiting: true)
    let before = asked.count
    try #require(before < 12)
    try write("", iterations: 1)
    let result = try plumb.run("run x.yaml")
    #expect(result.status == 0, "\(result.error)")
  }

  @Test func `a server that does not start is said with its last words`() throws {
    try write(", broken")
    let result = try plumb.run("run x.yaml")
    #expect(result.status == 1)
    #expect(
      result.error.contains("ended with status 3 before it was ready")
        && result.error.contains("no such card"),
      "\(result.error)")
    #expect(try waitForTheEnd())
  }

  @Test func `a server that is started is bound to server alone, and one that runs to model alone`() throws {
    try plumb.write(
      """
      version: 1
      name: served
      models:
        start: {path: tiny}
        engine: {serve: {run: [vllm, serve, "{model}", "{port}"]}}
        away: {server: "http://127.0.0.1:1/v1"}
      stages:
        prompts: {uses: data, with: {path: prompts.jsonl, prompt: "{prompt}", id: id}}
        a: {uses: sample, in: {model: engine, prompts: prompts}, with: {max_new_tokens: 8}}
        b: {uses: sample, in: {model: start, server: away, prompts: prompts}, with: {max_new_tokens: 8}}
        c: {uses: sample, in: {model: start, server: engine, prompts: prompts}, with: {max_new_tokens: 8, statistics: true}}
      """, to: "y.yaml")
    let result = try plumb.run("check y.yaml")
    #expect(result.status == 3 || result.status == 4)
    for words in [
      "stage `a`: input `model` needs a model, but this one is a server that is started on a model",
      "stage `b`: input `server` needs a model with `serve`",
      "stage `c`: `statistics` is set, but the model at `server` is behind a server",
    ] {
      #expect(result.error.contains(words), "\(words)\n\(result.error)")
    }
  }
}

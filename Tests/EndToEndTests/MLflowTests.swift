// `track: {mlflow: …}` against a scripted server: what it is told, and that one that fails loses nothing and costs no run.
// `make test-services` does the same with MLflow itself.

import JSON
import System
import Testing

@Suite struct MLflowTests {
  let plumb: BuiltPlumb

  init() throws {
    plumb = try BuiltPlumb()
    try plumb.write(PageExperiment.rows, to: "rows.jsonl")
  }

  private func write(port: UInt16) throws {
    try plumb.write(
      PageExperiment.text + "\ntrack: {mlflow: {uri: \"http://127.0.0.1:\(port)\", experiment: tried}}\n",
      to: "x.yaml")
  }

  /// As MLflow answers.
  @Sendable private static func good(_ request: ScriptedServer.Request) -> (status: Int, body: String) {
    switch request.target {
    case let target where target.contains("get-by-name"): (404, #"{"error_code":"RESOURCE_DOES_NOT_EXIST"}"#)
    case let target where target.hasSuffix("experiments/create"): (200, #"{"experiment_id":"7"}"#)
    case let target where target.hasSuffix("runs/create"): (200, #"{"run":{"info":{"run_id":"r1"}}}"#)
    default: (200, "{}")
    }
  }

  /// Numbers by name and step, each as often as it was told.
  private func numbers(_ requests: [ScriptedServer.Request]) -> [String: Int] {
    var told: [String: Int] = [:]
    for metric in requests.flatMap({ $0.json["metrics"]?.arrayValue ?? [] }) {
      told["\(metric["key"]?.stringValue ?? "") \(metric["step"]?.intValue ?? -1)", default: 0] += 1
    }
    return told
  }

  @Test func `a server is told of a run once, with all that it measured`() throws {
    let server = try ScriptedServer { request, _ in Self.good(request) }
    try write(port: server.port)
    let result = try plumb.run("run x.yaml", before: "MLFLOW_TRACKING_TOKEN=secret-token")
    #expect(result.status == 0 && !result.error.contains("MLflow"), "\(result.error)")
    let requests = server.requests
    #expect(requests.filter { $0.target.hasSuffix("runs/create") }.count == 1)
    let made = try #require(requests.first { $0.target.hasSuffix("experiments/create") })
    #expect(made.json["name"] == "tried" && made.headers.contains("Authorization: Bearer secret-token"))
    let told = numbers(requests)
    #expect(
      told["before_evaluate/reward 0"] == 1 && told["evaluate/size 0"] == 1
        && told.values.allSatisfy { $0 == 1 })
    let parameters = requests.flatMap { $0.json["params"]?.arrayValue ?? [] }
    #expect(parameters.count == 1 && parameters[0]["key"] == "word" && parameters[0]["value"] == "</script>")
    #expect(requests.contains { $0.method == "PUT" && $0.target.hasSuffix("/7/r1/artifacts/report.html") })
    #expect(requests.last?.json["status"] == "FINISHED" && requests.last?.json["run_id"] == "r1")
    // Nothing of it is kept where the token could be read.
    #expect(try plumb.shell("grep -rl secret-token runs .plumb || echo none;").output == "none\n")
    let again = try plumb.run("track sync")
    #expect(
      again.error == "0 told; nothing else is left to tell\n" && server.requests.count == requests.count)
  }

  @Test func `what a server refused, dropped or answered with nonsense it is told later, and once`() throws {
    // Every third answer is a fault.
    let server = try ScriptedServer { request, number in
      switch number % 12 {
      case 3: (503, "busy")
      case 6: nil
      case 9: (200, "<html>no JSON</html>")
      case 0: (429, #"{"message":"slow down"}"#)
      default: Self.good(request)
      }
    }
    try write(port: server.port)
    let result = try plumb.run("run x.yaml")
    #expect(result.status == 0, "\(result.error)")
    var rounds = 0
    while try plumb.run("track sync").status != 0, rounds < 30 { rounds += 1 }
    #expect(rounds < 30, "\(server.requests.map(\.target))")
    // One whose answer was lost is told again, which a server takes for the same number.
    let told = numbers(server.requests)
    #expect(told["evaluate/reward 0"] ?? 0 >= 1 && told["before_evaluate/reward_se 0"] ?? 0 >= 1)
    #expect(server.requests.filter { $0.target.hasSuffix("experiments/create") }.count <= 2)
    #expect(server.requests.last?.json["status"] == "FINISHED")
  }

  @Test func `a server that is away costs a run nothing, and is told when it is back`() throws {
    try write(port: 9)
    let result = try plumb.run("run x.yaml")
    #expect(
      result.status == 0 && result.error.contains("`plumb track sync` tells it the rest"), "\(result.error)")
    let sync = try plumb.run("track sync")
    #expect(sync.status == 7 && sync.error.contains("http://127.0.0.1:9` is not reached"), "\(sync.error)")
    let server = try ScriptedServer { request, _ in Self.good(request) }
    let told = try plumb.run("track sync --uri http://127.0.0.1:\(server.port)")
    #expect(told.status == 0 && told.output.hasPrefix("told  page "), "\(told.error)")
    #expect(numbers(server.requests)["evaluate/reward 0"] == 1)
  }

  @Test(arguments: [
    ("{mlflow: {}}", "write `uri: http://127.0.0.1:5000`"),
    ("{mlflow: {uri: localhost}}", "must be the address of a server"),
    ("{mlflow: {uri: \"http://me:secret@h\"}}", "MLFLOW_TRACKING_TOKEN"),
    ("{mflow: {uri: x}}", "did you mean `mlflow`?"),
    ("{tensorboard: {dir: \"\"}}", "`dir` is empty"), ("{tensorboard: {}}", "write `dir:"),
  ]) func `a mistake is said before any work`(track: String, message: String) throws {
    try plumb.write(PageExperiment.text + "\ntrack: \(track)\n", to: "x.yaml")
    let result = try plumb.run("check x.yaml")
    #expect(result.status == 3 && result.error.contains(message), "\(result.error)")
  }
}

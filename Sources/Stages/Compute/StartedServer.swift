// A server that a stage starts on a model, and ends with all of its children.

import Experiments
import Glibc
import HTTP
import System

/// It is a process group of its own, so that it can be ended whole. A shell beside it holds a pipe whose other end is ours: when this process
/// ends, however that happens, the pipe closes, and the group is ended.
final class StartedServer {
  /// As it is asked: its address is known now.
  let model: ServerModel
  private let process: ChildProcess
  private let lifeline: Pipe
  private let logPath: String
  private let name: String
  private var isOver = false

  /// Returns when it can be asked.
  /// - Parameter model: the folder of the model that it serves.
  /// - Throws: `RunError` where it ends, or does not become ready in time; `CancellationError`.
  init(_ described: ServerModel, model folder: String, _ context: StageContext) throws {
    guard let serve = described.serve else {
      preconditionFailure("`\(described.identity)` is not started by a stage")
    }
    let port = try Self.freePort()
    var model = described
    model.url = "http://127.0.0.1:\(port)" + described.url
    self.model = model
    let words = serve.run.map {
      $0.replacing("{model}", with: folder).replacing("{port}", with: "\(port)")
    }
    name = "`\(serve.run.prefix(2).joined(separator: " "))`"
    logPath = "\(context.scratch)/server.log"
    let log = try File.open(logPath, O_WRONLY | O_CREAT | O_TRUNC)
    defer { log.closeQuietly() }
    let lifeline = try Pipe()
    self.lifeline = lifeline
    let usual = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"]
    let environment = ChildProcess.chosenEnvironment(
      usual + serve.environment.filter { !usual.contains($0) })
    let descriptor = log.descriptor
    do {
      process = try Confinement(of: context).starting {
        try ChildProcess.start(
          "/bin/sh", arguments: ["-c", Self.script] + words, environment: environment,
          descriptors: [nil, descriptor, descriptor, lifeline.reading])
      }
    } catch {
      close(lifeline.writing)
      close(lifeline.reading)
      throw error
    }
    close(lifeline.reading)
    context.log("starting \(name) on port \(port)")
    do { try waitUntilReady(serve, port: port, context) } catch {
      end()
      throw error
    }
  }

  /// `$0` and what follows is the server. Asked to end first; after ten seconds it is ended.
  private static let script = """
    "$0" "$@" 3<&- & child=$!
    ( trap '' TERM; read -r _ <&3; kill -s TERM -- -$$
      count=0; while kill -0 $child 2> /dev/null && [ $count -lt 100 ]; do sleep 0.1; count=$((count+1)); done
      kill -s KILL -- -$$ ) &
    exec 3<&-
    wait $child
    """

  /// Free a moment ago: nobody can hold a port for another program.
  private static func freePort() throws -> UInt16 {
    let (descriptor, port) = try LoopbackSocket.bind(backlog: nil)
    close(descriptor)
    return port
  }

  private func waitUntilReady(_ serve: ServerModel.Serve, port: UInt16, _ context: StageContext) throws {
    let transfers: HTTPTransfers
    do { transfers = try HTTPTransfers() } catch let error as HTTPFailure {
      throw RunError(.machine, "\(name) cannot be asked: \(error)")
    }
    let url = "http://127.0.0.1:\(port)\(serve.ready)"
    let start = monotonicSeconds()
    var last = "no connection"
    while monotonicSeconds() - start < serve.within {
      try context.checkCancellation()
      if let ending = process.ending() {
        let words =
          switch ending {
          case .exited(let status): "ended with status \(status)"
          case .signalled(let signal): "was killed by \(signalName(signal))"
          }
        throw RunError(
          .stageFailed, "\(name), the server of `server`, \(words) before it was ready\(lastLines)")
      }
      transfers.start(
        HTTPRequest(
          "GET", url, patience: HTTPRequest.Patience(connect: 2, firstByte: 5, whole: 5), largestBody: 1 << 20
        ),
        tag: 0)
      var outcome: Result<HTTPResponse, HTTPFailure>?
      while outcome == nil { outcome = transfers.next(within: 200).first?.result }
      switch outcome {
      case .success(let response)? where response.status == 200:
        context.log("\(name) is ready after \(Int(monotonicSeconds() - start)) s")
        return
      case .success(let response)?: last = "`\(serve.ready)` answers \(response.status)"
      case .failure(let failure)?: last = "\(failure)"
      case nil: break
      }
      context.progress(0, of: 0, unit: "samples", message: "waiting for \(name)")
      usleep(250_000)
    }
    throw RunError(
      .stageFailed,
      "\(name), the server of `server`, was not ready within \(Int(serve.within)) s: \(last); raise `within` of `serve`\(lastLines)"
    )
  }

  /// What it printed last.
  private var lastLines: String {
    let text = (try? File.read(logPath)).map { String(decoding: $0.suffix(4000), as: UTF8.self) } ?? ""
    let lines = text.split(separator: "\n").suffix(8)
    return lines.isEmpty ? "" : "; its last lines:\n" + lines.joined(separator: "\n")
  }

  /// Returns when nothing of it is left: asked first, ended after ten seconds.
  func end() {
    if isOver { return }
    isOver = true
    process.sendToGroup(SIGTERM)
    close(lifeline.writing)
    for step in 0..<1200 {
      // The shell is ours to wait for; what it started is its group.
      _ = process.ending()
      guard process.hasLivingGroup else { break }
      if step == 1000 { process.sendToGroup(SIGKILL) }
      usleep(10_000)
    }
  }
}

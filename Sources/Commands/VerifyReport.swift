// What `plumb verify` says of each stage, and how it ends.

import JSON
import Runner
import System

final class VerifyReport {
  enum Finding {
    case computed(Recomputation.Outcome, seconds: Double)
    /// Its key is not the one that the run had.
    case changed
    case unfinished
  }

  private let isJSON: Bool
  private var line = ProgressLine()
  private var entries: [JSON] = []
  private var counts: [String: Int] = [:]
  private var failure: System.ExitCode?
  private let start = monotonicSeconds()

  init(isJSON: Bool) throws { self.isJSON = isJSON }

  func start(_ address: String) { line.show("computing \(address)") }

  func add(_ address: String, _ finding: Finding) throws {
    line.clear()
    let (word, seconds, details, log) = words(finding)
    counts[word, default: 0] += 1
    guard !isJSON else {
      entries.append(entry(address, word, seconds, details, finding))
      return
    }
    let took = seconds.map(duration) ?? ""
    let space = String(repeating: " ", count: max(0, 9 - took.utf8.count))
    var text = "\(TextTable.padded(word, to: 10))\(space)\(took)  \(address)"
    if !details.isEmpty { text += "  \(details)" }
    try standardOutput(TerminalText.escaped(text) + "\n")
    for line in log { standardError("            \(TerminalText.escaped(line))\n") }
  }

  private func words(_ finding: Finding) -> (word: String, seconds: Double?, details: String, log: [String]) {
    switch finding {
    case .unfinished: return ("unfinished", nil, "", [])
    case .changed: return ("changed", nil, "it has another key than in the run", [])
    case .computed(let outcome, let seconds):
      switch outcome {
      case .same, .stopped: return ("same", seconds, "", [])
      case .different(let differences):
        let details = differences.map {
          "\($0.port): \($0.stored.hex.prefix(12)) stored, \($0.computed.hex.prefix(12)) now"
        }
        return ("different", seconds, details.joined(separator: "; "), [])
      case .lacksInput(let message): return ("evicted", nil, message, [])
      case .failed(let code, let message, let log):
        failure = failure ?? code
        return ("failed", seconds, message, log)
      }
    }
  }

  private func entry(
    _ address: String, _ word: String, _ seconds: Double?, _ details: String, _ finding: Finding
  ) -> JSON {
    var object = JSONObject([("address", .string(address)), ("result", .string(word))])
    if let seconds { object["seconds"] = .double(seconds) }
    if case .computed(.different(let differences), _) = finding {
      object["outputs"] = .array(
        differences.map {
          [
            "output": .string($0.port), "stored": .string($0.stored.hex),
            "computed": .string($0.computed.hex),
          ]
        })
    } else if !details.isEmpty {
      object["message"] = .string(details)
    }
    return .object(object)
  }

  /// The last line, and the exit code.
  func end(file: String) throws -> System.ExitCode {
    if isJSON { try standardOutput(JSON.array(entries).text(.pretty) + "\n") }
    func count(_ word: String) -> Int { counts[word] ?? 0 }
    let computed = count("same") + count("different")
    var parts = [
      "\(counted(computed, "stage")) computed again in \(duration(monotonicSeconds() - start)): "
        + (count("different") > 0
          ? "\(count("different")) with other bytes than the stored ones, which are kept"
          : computed > 0 ? "all bytes are the stored ones" : "none")
    ]
    if count("failed") > 0 { parts.append("\(count("failed")) failed") }
    if count("evicted") > 0 {
      parts.append(
        "\(count("evicted")) need bytes that were evicted; `\(Program.name) export` of what they read recomputes these"
      )
    }
    if count("changed") > 0 {
      parts.append(
        "\(count("changed")) not computed: their data or this program has changed since the run; `\(Program.name) diff` and `\(Program.name) explain-node` show how"
      )
    }
    if count("unfinished") > 0 { parts.append("\(count("unfinished")) were not finished") }
    standardError(TerminalText.escaped(parts.joined(separator: "; ")) + "\n")
    if count("different") > 0 { return .different }
    if let failure { return failure }
    return count("evicted") + count("changed") + count("unfinished") > 0 ? .workFound : .done
  }
}

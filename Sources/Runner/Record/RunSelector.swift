// Which run a person means: an id, a prefix of one, `@last`, `@last~2`, `NAME@last`.

import JSON
import System

package enum RunSelector {
  /// `runs` in the order in which they began.
  /// - Throws: `RunError` (2) naming what is near.
  package static func find(_ text: String, in runs: [RunSummary]) throws -> RunSummary {
    guard !runs.isEmpty else {
      throw RunError(.commandLine, "there is no run yet; `\(Program.name) run EXPERIMENT` starts one")
    }
    if let at = text.utf8.firstIndex(of: UInt8(ascii: "@")) {
      return try last(text, name: String(text[..<at]), selector: String(text[at...]), in: runs)
    }
    if let run = runs.first(where: { UTF8Key($0.id) == UTF8Key(text) || UTF8Key($0.path) == UTF8Key(text) }) {
      return run
    }
    let found = runs.filter {
      $0.id.utf8.starts(with: text.utf8) || "\($0.experiment)/\($0.id)".utf8.starts(with: text.utf8)
    }
    if found.count == 1, !text.isEmpty { return found[0] }
    if found.isEmpty {
      // The end of an id is what people remember and copy.
      let ends = runs.filter { $0.id.hasSuffix(text) }
      if ends.count == 1, !text.isEmpty { return ends[0] }
      throw RunError(
        .commandLine,
        "there is no run `\(text)`; the last are \(runs.suffix(3).map { "`\($0.id)`" }.joined(separator: ", "))"
      )
    }
    throw RunError(
      .commandLine,
      "`\(text)` matches \(found.count) runs: \(found.suffix(3).map { "`\($0.id)`" }.joined(separator: ", "))"
    )
  }

  private static func last(_ text: String, name: String, selector: String, in runs: [RunSummary]) throws
    -> RunSummary
  {
    let own = name.isEmpty ? runs : runs.filter { UTF8Key($0.experiment) == UTF8Key(name) }
    var back = 0
    if selector.hasPrefix("@last~"), let count = Int(selector.dropFirst(6)), count >= 0 {
      back = count
    } else if selector != "@last" {
      throw RunError(.commandLine, "`\(text)` is not a run; write an id, `@last`, `@last~1` or `NAME@last`")
    }
    guard back < own.count else {
      let whose = name.isEmpty ? "" : " of `\(name)`"
      throw RunError(.commandLine, "`\(text)` goes back too far: there are \(own.count) runs\(whose)")
    }
    return own[own.count - 1 - back]
  }
}

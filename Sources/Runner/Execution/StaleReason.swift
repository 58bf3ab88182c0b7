// Why a node runs, as facts: `plan` words them for people, `--json` gives them to programs.

import JSON

package enum StaleReason: Sendable, Equatable {
  case neverRan
  /// A person asked for it.
  case forced
  /// Finished items or a checkpoint are there to go on from.
  case interrupted(hasCheckpoint: Bool)
  /// It had run under this very key, but not all of its bytes are there.
  case damaged
  /// Computed anew under the same key, and not the same bytes came out.
  case otherBytes
  /// An input is bound to another node than before.
  case rebound(from: String)
  /// Against the last time this address ran. `origin`: what sets an option, or a member of a server, now; `source`: what an input is bound to now;
  /// `file`: of an option that names one.
  case changed(
    KeyDifference, origin: OptionOrigin?, source: Provenance.Source?, file: FileChange? = nil)

  package var text: String {
    switch self {
    case .neverRan: return "never ran"
    case .forced: return "forced"
    case .interrupted(let hasCheckpoint):
      return hasCheckpoint
        ? "was interrupted; resumes from its checkpoint" : "was interrupted; finished items are kept"
    case .damaged: return "its stored result is damaged or missing"
    case .otherBytes: return "gave different bytes under the same key"
    case .rebound(let address): return "is used in place of \(address)"
    case .changed(let difference, let origin, let source, let file):
      switch difference.field {
      case .option: return (file?.text ?? difference.text) + (origin.map { " (\($0.text))" } ?? "")
      case .input:
        let places = [source?.text, origin?.text].compactMap { $0 }
        return difference.text + (places.isEmpty ? "" : " (\(places.joined(separator: ", ")))")
      default: return difference.text
      }
    }
  }

  /// What `text` leaves out, a line each.
  package var details: [String] {
    guard case .changed(let difference, _, _, let file) = self else { return [] }
    if let file { return file.details.map { [$0] } ?? [] }
    return difference.details
  }

  package var json: JSON {
    var object = JSONObject()
    switch self {
    case .neverRan: object["kind"] = "never-ran"
    case .forced: object["kind"] = "forced"
    case .interrupted(let hasCheckpoint):
      object["kind"] = "interrupted"
      object["checkpoint"] = .bool(hasCheckpoint)
    case .damaged: object["kind"] = "damaged"
    case .otherBytes: object["kind"] = "other-bytes"
    case .rebound(let address):
      object["kind"] = "rebound"
      object["from"] = .string(address)
    case .changed(let difference, let origin, let source, _):
      object["kind"] = .string(difference.field.rawValue)
      if !difference.name.isEmpty { object["name"] = .string(difference.name) }
      object["old"] = difference.old ?? .null
      object["new"] = difference.new ?? .null
      switch origin {
      case .written(let place)?: object["origin"] = place.json
      case .standard?: object["origin"] = "default"
      case nil: break
      }
      if let source { object["source"] = .string(source.text) }
    }
    object["text"] = .string(text)
    return .object(object)
  }
}

/// What gives an option its value.
package enum OptionOrigin: Sendable, Equatable {
  case written(ValueOrigin)
  /// Nothing: the declaration's default stands.
  case standard

  package var text: String {
    switch self {
    case .written(let place): place.place
    case .standard: "the default"
    }
  }
}

/// One step from a node that runs back to what changed first: the node, and why its result is another.
package struct CauseStep: Sendable, Equatable {
  package let address: String
  package let reasons: [StaleReason]
  package var text: String { "\(address): \(reasons.map(\.text).joined(separator: "; "))" }
}

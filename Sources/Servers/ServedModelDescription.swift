// What a server says of the model behind it: kept beside its replies, so that another model at the same address is noticed.

import HTTP
import JSON
import Runner
import System

/// Of OpenAI's `GET models`, which names what is loaded; a server that has none says nothing.
package enum ServedModelDescription {
  /// What says nothing of the model: when the list was made, and to whom it was given.
  private static let volatile = ["created", "permission"]
  private static let patience = HTTPRequest.Patience(connect: 5, firstByte: 10, whole: 20)

  /// The entry of the model, or the only one; nil where the server says nothing that can be understood.
  static func read(_ model: ServerModel, headers: [(name: String, value: String)], _ transfers: HTTPTransfers)
    -> JSON?
  {
    guard model.interface == .chat || model.interface == .completions, model.serve == nil else { return nil }
    transfers.start(
      HTTPRequest("GET", model.url + "/models", headers: headers, patience: patience, largestBody: 4 << 20),
      tag: -1)
    var outcome: Result<HTTPResponse, HTTPFailure>?
    while outcome == nil { outcome = transfers.next(within: 200).first?.result }
    guard case .success(let response)? = outcome, response.status == 200,
      let entries = (try? JSON(parsing: response.body))?["data"]?.arrayValue
    else { return nil }
    let named = entries.first { entry in
      guard let id = entry["id"]?.stringValue, let wanted = model.model else { return false }
      return UTF8Key(id) == UTF8Key(wanted)
    }
    guard case .object(var entry)? = named ?? (entries.count == 1 ? entries[0] : nil) else { return nil }
    for name in volatile { entry[name] = nil }
    return .object(entry)
  }

  /// Keeps a description beside the replies in a folder, or compares it with the one that is kept.
  /// - Throws: `InputError` naming what is different.
  static func check(_ found: JSON, of model: ServerModel, name: String, in folder: String) throws {
    let file = Digest.of(text: "\(model.model ?? "")\0\(model.attempt)").hex.prefix(32)
    let path = "\(folder)/model-\(file).json"
    guard let kept = (try? File.read(path, upTo: 4 << 20)).flatMap({ try? JSON(parsing: $0) }) else {
      try File.writeDurably(found.text(.canonical) + "\n", to: path)
      return
    }
    guard let difference = difference(kept, found, "") else { return }
    throw InputError(
      "the server of `\(name)` (`\(model.identity)`) describes its model otherwise than when its first replies were kept: \(difference); another model may be loaded: write another `identity`, or `attempt: \(model.attempt + 1)` to ask anew"
    )
  }

  /// The first member that is not the same.
  static func difference(_ kept: JSON, _ found: JSON, _ path: String) -> String? {
    if kept == found { return nil }
    guard let before = kept.objectValue, let now = found.objectValue else {
      return "`\(path)` was \(kept.text()) and is \(found.text())"
    }
    for name in (before.members.map(\.key) + now.members.map(\.key)).distinct() {
      let inner = path.isEmpty ? name : "\(path).\(name)"
      if let difference = difference(before[name] ?? .null, now[name] ?? .null, inner) { return difference }
    }
    return nil
  }
}

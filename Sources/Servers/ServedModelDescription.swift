// What a server says of the model behind it: kept beside its replies, so that another model at the same address is noticed.

import Experiments
import HTTP
import JSON
import System

/// Of OpenAI's `GET models`, which names what is loaded, and of llama.cpp's `GET /props`; a server that has neither says nothing.
package enum ServedModelDescription {
  /// What says nothing of the model: when the list was made, and to whom it was given.
  private static let volatile = ["created", "permission"]
  private static let patience = HTTPRequest.Patience(connect: 5, firstByte: 10, whole: 20)

  /// The entry of the model, or the only one; nil where the server says nothing that can be understood.
  static func read(_ model: ServerModel, headers: [(name: String, value: String)], _ transfers: HTTPTransfers)
    -> JSON?
  {
    guard model.interface == .chat || model.interface == .completions, model.serve == nil,
      let entries = get(model.url + "/models", headers, transfers)?["data"]?.arrayValue
    else { return nil }
    let named = entries.first { entry in
      guard let id = entry["id"]?.stringValue, let wanted = model.model else { return false }
      return UTF8Key(id) == UTF8Key(wanted)
    }
    guard case .object(var entry)? = named ?? (entries.count == 1 ? entries[0] : nil) else { return nil }
    for name in volatile { entry[name] = nil }
    if entry["owned_by"]?.stringValue == "llamacpp", let root = Self.root(of: model.url) {
      entry["props"] = get(root + "/props", headers, transfers).map(properties)
    }
    return .object(entry)
  }

  private static func get(
    _ url: String, _ headers: [(name: String, value: String)], _ transfers: HTTPTransfers
  ) -> JSON? {
    transfers.start(
      HTTPRequest("GET", url, headers: headers, patience: patience, largestBody: 4 << 20), tag: -1)
    var outcome: Result<HTTPResponse, HTTPFailure>?
    while outcome == nil { outcome = transfers.next(within: 200).first?.result }
    guard case .success(let response)? = outcome, response.status == 200 else { return nil }
    return try? JSON(parsing: response.body)
  }

  /// The address without the interface's path.
  private static func root(of url: String) -> String? {
    url.utf8.suffix(3).elementsEqual("/v1".utf8) ? String(url.dropLast(3)) : nil
  }

  /// Which file, which template, which context: the rest is how the server is run.
  private static func properties(_ answer: JSON) -> JSON {
    var properties = JSONObject()
    properties["model_path"] = answer["model_path"]
    properties["n_ctx"] = answer["default_generation_settings"]?["n_ctx"]
    properties["chat_template_sha256"] = answer["chat_template"]?.stringValue.map {
      .string(Digest.of(text: $0).hex)
    }
    return .object(properties)
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

  /// The first member that is not the same. What only one of them says is no difference: a newer server may say more of the same model.
  static func difference(_ kept: JSON, _ found: JSON, _ path: String) -> String? {
    if kept == found { return nil }
    guard let before = kept.objectValue, let now = found.objectValue else {
      return "`\(path)` was \(kept.text()) and is \(found.text())"
    }
    for (name, value) in before.members {
      guard let new = now[name] else { continue }
      let inner = path.isEmpty ? name : "\(path).\(name)"
      if let difference = difference(value, new, inner) { return difference }
    }
    return nil
  }
}

// Typed access to the members of a `config.json`, which notes what was read: the rest is carried to the file that is written.

import JSON
import System

/// A `config.json` while it is read.
package final class ConfigurationFile {
  private let json: JSON
  private var read: Set<String> = []

  init(_ json: JSON) { self.json = json }

  /// The member as it is, null or absent too.
  package func value(_ key: String) -> JSON? {
    read.insert(key)
    return json[key]
  }

  /// Nil where it is null or absent.
  package func present(_ key: String) -> JSON? {
    guard let value = value(key), !value.isNull else { return nil }
    return value
  }

  /// Members that were not read, in the order of the file.
  var unread: [JSONObject.Member] {
    (json.objectValue?.members ?? []).filter { !read.contains($0.key) }
  }

  package func optionalSize(_ key: String) throws -> Int? {
    guard let value = present(key) else { return nil }
    guard case .int(let number) = value, let size = Int(exactly: number), size > 0 else {
      throw ConfigurationError(key, "expected a positive integer, found \(shown(value))")
    }
    return size
  }

  package func size(_ key: String) throws -> Int {
    guard let value = try optionalSize(key) else {
      throw ConfigurationError(key, "missing; expected a positive integer")
    }
    return value
  }

  package func optionalNumber(_ key: String) throws -> Double? {
    guard let value = present(key) else { return nil }
    guard let number = value.doubleValue else {
      throw ConfigurationError(key, "expected a number, found \(shown(value))")
    }
    return number
  }

  package func number(_ key: String) throws -> Double {
    guard let number = try optionalNumber(key) else {
      throw ConfigurationError(key, "missing; expected a number")
    }
    return number
  }

  package func flag(_ key: String) throws -> Bool? {
    guard let value = present(key) else { return nil }
    guard let flag = value.boolValue else {
      throw ConfigurationError(key, "expected a boolean, found \(shown(value))")
    }
    return flag
  }

  /// - Parameter absent: the function where the file names none.
  package func activation(_ key: String, absent: Activation) throws -> Activation {
    guard let value = present(key) else { return absent }
    // The same function under its older names.
    if ["gelu_new", "gelu_fast"].contains(value.stringValue) { return .geluTanh }
    guard let activation = value.stringValue.flatMap(Activation.init) else {
      let known = Activation.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      throw ConfigurationError(key, "\(shown(value)) is not supported; \(known) are")
    }
    return activation
  }

  /// The head dimension where the heads share the hidden size, which stands under `key`.
  package func headDimension(_ key: String, _ hiddenSize: Int, headCount: Int) throws -> Int {
    guard hiddenSize % headCount == 0 else {
      throw ConfigurationError(key, "\(hiddenSize) is not a multiple of the \(headCount) heads")
    }
    return hiddenSize / headCount
  }

  /// The object of rotary parameters, which describe plain rotary positions; nil where it is null or absent.
  /// - Parameter known: its members that are read. Others describe positions that are scaled.
  package func rotaryParameters(_ key: String, known: Set<String>) throws -> JSON? {
    guard let value = present(key) else { return .none }
    // Older files spell the key `type`.
    let type = value["rope_type"] ?? value["type"] ?? "default"
    guard type == "default",
      value.objectValue?.keys.allSatisfy(known.union(["rope_type", "type"]).contains) == true
    else { throw ConfigurationError(key, "\(shown(value)) is not supported") }
    return value
  }

  package func tokenID(_ key: String) throws -> Int? {
    try present(key).map { try Models.tokenID($0, key) }
  }

  /// One id or a list of them.
  package func tokenIDs(_ key: String) throws -> [Int] { try Models.tokenIDs(value(key), key) }

  /// Refuses keys whose `true` would change the computation.
  package func refuse(true keys: [String]) throws {
    for key in keys where try flag(key) == true {
      throw ConfigurationError(key, "`true` is not supported; `false` is")
    }
  }

  package func shown(_ value: JSON) -> String { quoted(value.text(), limit: 80) }
}

extension Activation {
  /// Its name in files of the families that are older than `gelu_pytorch_tanh`.
  package var olderName: String { self == .geluTanh ? "gelu_new" : rawValue }
}

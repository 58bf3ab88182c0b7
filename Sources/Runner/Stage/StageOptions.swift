// A stage's options as it reads them: decoded, checked and complete before the stage starts.

import Glibc
import JSON

/// The resolved options of one node. Every declared option is present, so a missing name or another type is
/// a programmer error of the stage, not a user's.
public struct StageOptions: Sendable {
  public let json: JSON

  public init(_ json: JSON) { self.json = json }

  public func value(_ name: String) -> JSON {
    guard let value = json[name] else { preconditionFailure("option `\(name)` is not declared") }
    return value
  }
  public func bool(_ name: String) -> Bool { expect(name, value(name).boolValue) }
  public func int(_ name: String) -> Int { expect(name, value(name).intValue) }
  public func double(_ name: String) -> Double { expect(name, value(name).doubleValue) }
  /// Of `{env: NAME}` the variable's value, which the worker alone is given.
  public func string(_ name: String) -> String { expect(name, Self.text(value(name))) }
  public func list(_ name: String) -> [JSON] { expect(name, value(name).arrayValue) }
  public func strings(_ name: String) -> [String] {
    list(name).map { expect(name, Self.text($0)) }
  }
  /// A nested object or variant.
  public func object(_ name: String) -> StageOptions {
    _ = expect(name, value(name).objectValue)
    return StageOptions(value(name))
  }
  public func optionalInt(_ name: String) -> Int? { value(name).isNull ? nil : int(name) }
  public func optionalDouble(_ name: String) -> Double? { value(name).isNull ? nil : double(name) }
  public func optionalString(_ name: String) -> String? { value(name).isNull ? nil : string(name) }

  private static func text(_ value: JSON) -> String? {
    if let text = value.stringValue { return text }
    guard let name = value["env"]?.stringValue, value.objectValue?.count == 1 else { return nil }
    return getenv(name).map { String(cString: $0) } ?? ""
  }

  private func expect<T>(_ name: String, _ value: T?) -> T {
    guard let value else { preconditionFailure("option `\(name)` is \(self.value(name).kind)") }
    return value
  }
}
